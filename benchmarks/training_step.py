"""One training step of the default network, beside the same network in PyTorch on the same CPU cores.

    python -m pip install ".[compare]" && python benchmarks/training_step.py

Both start from the same weights and the same batch, and the benchmark first checks that they compute the same loss
and the same gradients; otherwise the times would compare nothing. Then it times steps of both in alternation and
prints the medians and the ratio of speeds (1 would be as fast as PyTorch; the aim is at least 0.4).
"""

import argparse
import platform
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F

from minireg import Tensor, losses, ops, optim
from minireg.models import WARP_BORDER, UNet
from minireg.trainer import RECIPES

RECIPE = RECIPES["default"]


class TorchUNet(torch.nn.Module):
    """`minireg.models.UNet` for sides that are multiples of 8, written with PyTorch's operations (channels first)."""

    def __init__(self, network):
        super().__init__()
        self.looks, self.squarings = network.looks, network.squarings
        self.encoder = torch.nn.ModuleList(map(_torch_convolution, network.encoder))
        self.bottom = _torch_convolution(network.bottom)
        self.decoder = torch.nn.ModuleList(map(_torch_convolution, network.decoder))
        self.velocity = _torch_convolution(network.velocity)

    def forward(self, moving, fixed):
        warped, half = moving, None
        for _ in range(self.looks):
            new = self.look(warped, fixed, half) / 2**self.squarings
            for _ in range(self.squarings):
                new = new + torch_warp(new, new)
            half = new if half is None else new + torch_warp(half, new)
            displacement = 2 * F.interpolate(half, scale_factor=2, mode="bilinear", align_corners=False)
            warped = torch_warp(moving, displacement)
        return displacement

    def look(self, warped, fixed, half):
        images = torch.cat([warped, fixed], dim=1)
        n, c, h, w = images.shape  # the channel order of minireg's space_to_depth differs from pixel_unshuffle's
        images = images.reshape(n, c, h // 2, 2, w // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(n, 4 * c, h // 2, w // 2)
        half = images.new_zeros(n, 2, h // 2, w // 2) if half is None else half
        x = torch.cat([images, half], dim=1)
        skipped = []
        for level, convolution in enumerate(self.encoder):
            x = F.avg_pool2d(x, 2) if level else x
            x = F.leaky_relu(convolution(x), 0.1)
            skipped.append(x)
        x = F.leaky_relu(self.bottom(x), 0.1)
        for convolution, skip in zip(self.decoder, skipped[-2::-1], strict=True):
            x = F.leaky_relu(convolution(torch.cat([F.interpolate(x, scale_factor=2), skip], dim=1)), 0.1)
        return self.velocity(x)


def _torch_convolution(layer):
    kh, kw, c_in, c_out = layer.weight.shape
    convolution = torch.nn.Conv2d(c_in, c_out, (kh, kw), padding=layer.padding)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(layer.weight.data.transpose(3, 2, 0, 1).copy()))
        convolution.bias.copy_(torch.from_numpy(layer.bias.data))
    return convolution


def torch_warp(image, displacement):
    """`ops.warp(..., border="edge")` with grid_sample, whose coordinates are (x, y) in [-1, 1]."""
    _, _, h, w = image.shape
    rows = torch.arange(h, dtype=image.dtype)[:, None] + displacement[:, 0]
    columns = torch.arange(w, dtype=image.dtype) + displacement[:, 1]
    grid = torch.stack([columns * (2 / (w - 1)) - 1, rows * (2 / (h - 1)) - 1], dim=-1)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=True)


def minireg_step(network, optimiser, moving, fixed):
    """The step of `Trainer.train_step`, without the data and the history."""
    moving, fixed = Tensor(moving), Tensor(fixed)
    displacement = network(moving, fixed)
    warped = ops.warp(moving, displacement, border=WARP_BORDER)
    loss = losses.ncc_loss(warped, fixed) + RECIPE["smoothness"] * losses.diffusion(displacement)
    network.zero_grad()
    loss.backward()
    optim.clip_gradient_norm(optimiser.parameters, RECIPE["clip"])
    optimiser.step()
    return loss.item()


def torch_step(network, optimiser, moving, fixed):
    """The same in PyTorch."""
    displacement = network(moving, fixed)
    a = torch_warp(moving, displacement).flatten(1)
    b = fixed.flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    ncc = (a * b).sum(1) / ((a * a).sum(1).sqrt() * (b * b).sum(1).sqrt())
    along_rows = displacement[:, :, 1:] - displacement[:, :, :-1]
    along_columns = displacement[:, :, :, 1:] - displacement[:, :, :, :-1]
    smoothness = ((along_rows**2).mean() + (along_columns**2).mean()) / 2
    loss = 1 - ncc.mean() + RECIPE["smoothness"] * smoothness
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), RECIPE["clip"])
    optimiser.step()
    return loss.item()


def smooth_images(count, size, rng):
    """Random images (count, size, size, 1) with structure at the scale of strokes."""
    coarse = torch.from_numpy(rng.random((count, 1, size // 4, size // 4), dtype=np.float32))
    return F.interpolate(coarse, size=(size, size), mode="bicubic").clamp(0, 1).permute(0, 2, 3, 1).numpy().copy()


def main():
    """Check that both compute the same, time both, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="alternations (default: 15)")
    parser.add_argument("--steps", type=int, default=4, help="steps in each (default: 4)")
    parser.add_argument("--batch-size", type=int, default=RECIPE["batch_size"])
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    moving, fixed = (smooth_images(args.batch_size, 32, rng) for _ in range(2))
    network = UNet(rng)
    # The last layer begins at zero, which would hide a wrong gradient in all layers before it.
    network.velocity.weight.data = rng.normal(0, 0.05, network.velocity.weight.shape).astype(np.float32)
    twin = TorchUNet(network)
    torch_moving, torch_fixed = (torch.from_numpy(images.transpose(0, 3, 1, 2).copy()) for images in (moving, fixed))
    # So small a rate that the batch, which repeats, does not drive the fields out of the image.
    ours, theirs = optim.Adam(network.parameters(), 1e-6), torch.optim.Adam(twin.parameters(), 1e-6)

    loss, twin_loss = minireg_step(network, ours, moving, fixed), torch_step(twin, theirs, torch_moving, torch_fixed)
    twin_gradients = {name: p.grad.numpy() for name, p in twin.named_parameters()}
    worst = 0.0
    for name, parameter in network.named_parameters():
        gradient = parameter.grad.transpose(3, 2, 0, 1) if parameter.ndim == 4 else parameter.grad
        difference = np.linalg.norm(gradient - twin_gradients[name]) / np.linalg.norm(twin_gradients[name])
        worst = max(worst, float(difference))
    print(f"loss {loss:.6f}, PyTorch {twin_loss:.6f}; largest relative difference of a gradient {worst:.1e}")
    if abs(loss - twin_loss) > 1e-4 or worst > 1e-3:
        raise SystemExit("the two networks do not compute the same: nothing to compare")

    times = {"minireg": [], "PyTorch": []}
    for _ in range(args.rounds):
        for name, step in (
            ("minireg", lambda: minireg_step(network, ours, moving, fixed)),
            ("PyTorch", lambda: torch_step(twin, theirs, torch_moving, torch_fixed)),
        ):
            step()
            start = time.perf_counter()
            for _ in range(args.steps):
                step()
            times[name].append(1000 * (time.perf_counter() - start) / args.steps)
    medians = {name: statistics.median(values) for name, values in times.items()}
    ratios = [theirs / ours for ours, theirs in zip(times["minireg"], times["PyTorch"], strict=True)]
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__} ({torch.get_num_threads()} threads), "
          f"{platform.machine()}, batch {args.batch_size}")  # fmt: skip
    for name, value in medians.items():
        print(f"{name:8} {value:7.1f} ms per step (fastest {min(times[name]):.1f})")
    print(f"speed of minireg / speed of PyTorch: {statistics.median(ratios):.2f}")


if __name__ == "__main__":
    main()
