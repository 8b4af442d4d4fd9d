"""One training step of the default network, beside the same network in PyTorch on the same CPU cores.

    python -m pip install ".[compare]" && python benchmarks/training_step.py

Both start from the same weights and the same batch, and the benchmark first checks that they compute the same loss
and the same gradients; otherwise the times would compare nothing. Then it times steps of both in alternation and
prints the medians and the ratio of speeds (1 is as fast as PyTorch: the aim).
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import argparse
import platform
import statistics
import time
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F

from minireg import optim
from minireg.models import SymmetricUNet
from minireg.models.unet import FINEST, LEAK
from minireg.training import backpropagate
from minireg.training.configuration import RECIPES
from minireg.training.group import ALONE, started

RECIPE = RECIPES["default"]
CONFIGURATION = SimpleNamespace(**RECIPE)  # the weights of the terms are all that is used of it


class TorchSymmetricUNet(torch.nn.Module):
    """`minireg.models.SymmetricUNet` for sides that need no padding, with PyTorch's operations (channels first)."""

    def __init__(self, network):
        super().__init__()
        self.looks, self.squarings, unet = network.looks, network.squarings, network.unet
        self.encoder = torch.nn.ModuleList(map(_torch_convolution, unet.encoder))
        self.bottom = _torch_convolution(unet.bottom)
        self.decoder = torch.nn.ModuleList(map(_torch_convolution, unet.decoder))
        self.output = _torch_convolution(unet.output)

    def forward(self, moving, fixed):
        images = warped = torch.cat([moving, fixed])
        n, _, h, w = images.shape
        into = back = images.new_zeros(n, 2, h // FINEST, w // FINEST)
        for scale in self.looks:
            flow = enlarge(self.look(warped, into, scale // FINEST), scale // FINEST) / 2 ** (self.squarings + 1)
            for _ in range(self.squarings):
                flow = torch_compose(flow, flow)
            into, back = torch_compose(flow, into), torch_compose(back, swap(flow))
            warped = torch_warp(images, enlarge(into, FINEST))
        return enlarge(torch_compose(swap(back), into), FINEST)

    def look(self, warped, into, reduction):
        if reduction > 1:
            warped, into = F.avg_pool2d(warped, reduction), F.avg_pool2d(into, reduction) / reduction
        images = F.pixel_unshuffle(warped, 2)
        x = torch.cat([images, swap(images), into], dim=1)
        skipped = []
        for level, convolution in enumerate(self.encoder):
            x = F.avg_pool2d(x, 2) if level else x
            x = F.leaky_relu(convolution(x), LEAK)
            skipped.append(x)
        x = F.leaky_relu(self.bottom(x), LEAK)
        for convolution, skip in zip(self.decoder, skipped[-2::-1], strict=True):
            x = F.leaky_relu(convolution(torch.cat([F.interpolate(x, scale_factor=2), skip], dim=1)), LEAK)
        answer = self.output(x)
        return (answer - swap(answer)) / 2


def swap(batch):
    return torch.cat(batch.chunk(2)[::-1])


def enlarge(field, factor):
    if factor == 1:
        return field
    return factor * F.interpolate(field, scale_factor=factor, mode="bilinear", align_corners=False)


def torch_compose(first, second):
    return first + torch_warp(second, first)


def _torch_convolution(layer):
    kh, kw, c_in, c_out = layer.weight.shape
    convolution = torch.nn.Conv2d(c_in, c_out, (kh, kw), padding=layer.padding, bias=layer.bias is not None)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(layer.weight.data.transpose(3, 2, 0, 1).copy()))
        if layer.bias is not None:
            convolution.bias.copy_(torch.from_numpy(layer.bias.data))
    return convolution


def torch_warp(image, displacement):
    """`ops.warp(..., border="edge")` with grid_sample, whose coordinates are (x, y) in [-1, 1]."""
    _, _, h, w = image.shape
    along = {"dtype": image.dtype, "device": image.device}
    rows = torch.arange(h, **along)[:, None] + displacement[:, 0]
    columns = torch.arange(w, **along) + displacement[:, 1]
    grid = torch.stack([columns * (2 / (w - 1)) - 1, rows * (2 / (h - 1)) - 1], dim=-1)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=True)


def minireg_step(network, optimiser, moving, fixed, group=ALONE):
    """The step of `Trainer.train_step`, without the data and the history."""
    values = backpropagate(network, moving, fixed, CONFIGURATION, group=group)
    optimiser.step()
    return values["loss"]


def follow(group, count, *step):
    """What the other processes of a group do: the same steps, as many of them."""
    for _ in range(count):
        minireg_step(*step, group)


def torch_step(network, optimiser, moving, fixed):
    """The same in PyTorch."""
    displacement = network(moving, fixed)
    a = torch_warp(torch.cat([moving, fixed]), displacement).flatten(1)
    b = torch.cat([fixed, moving]).flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    ncc = (a * b).sum(1) / ((a * a).sum(1).sqrt() * (b * b).sum(1).sqrt())
    down = displacement[:, :, 1:] - displacement[:, :, :-1]
    across = displacement[:, :, :, 1:] - displacement[:, :, :, :-1]
    smoothness = ((down**2).mean() + (across**2).mean()) / 2
    # The determinants at the corners of the cells: one of the two vertical and one of the two horizontal edges each.
    down, across = down + down.new_tensor([1, 0])[:, None, None], across + across.new_tensor([0, 1])[:, None, None]
    determinants = torch.stack(
        [
            v[:, 0] * w[:, 1] - v[:, 1] * w[:, 0]
            for v in (down[..., :-1], down[..., 1:])
            for w in (across[:, :, :-1], across[:, :, 1:])
        ]
    )
    folding = (F.relu(0.1 - determinants) ** 2).mean()
    consistency = (torch_compose(*displacement.chunk(2)) ** 2).sum(1).mean()
    loss = (
        (1 - ncc).mean()
        + RECIPE["smoothness"] * smoothness
        + RECIPE["folding"] * folding
        + RECIPE["inverse_consistency"] * consistency
    )
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
    parser.add_argument("--workers", type=int, default=RECIPE["workers"])
    args = parser.parse_args()

    rng = np.random.default_rng(0)
    moving, fixed = (smooth_images(args.batch_size, 32, rng) for _ in range(2))
    network = SymmetricUNet(rng)
    # The last layer begins at zero, which would hide a wrong gradient in all layers before it.
    last = network.unet.output.weight
    last.data = rng.normal(0, 0.02, last.shape).astype(np.float32)
    twin = TorchSymmetricUNet(network)
    torch_moving, torch_fixed = (torch.from_numpy(images.transpose(0, 3, 1, 2).copy()) for images in (moving, fixed))
    # So small a rate that the batch, which repeats, does not drive the fields out of the image.
    ours = network, optim.Adam(network.parameters(), 1e-6), moving, fixed
    theirs = twin, torch.optim.Adam(twin.parameters(), 1e-6), torch_moving, torch_fixed

    loss = minireg_step(*ours)
    twin_loss = torch_step(*theirs)
    twin_gradients = {name: p.grad.numpy() for name, p in twin.named_parameters()}
    worst = 0.0
    for name, parameter in network.unet.named_parameters():
        gradient = parameter.grad.transpose(3, 2, 0, 1) if parameter.ndim == 4 else parameter.grad
        difference = np.linalg.norm(gradient - twin_gradients[name]) / np.linalg.norm(twin_gradients[name])
        worst = max(worst, float(difference))
    print(f"loss {loss:.6f}, PyTorch {twin_loss:.6f}; largest relative difference of a gradient {worst:.1e}")
    if abs(loss - twin_loss) > 1e-4 or worst > 1e-3:
        raise SystemExit("the two networks do not compute the same: nothing to compare")

    with started(args.workers, follow, args.rounds * (args.steps + 1), *ours) as group:
        contestants = {
            "minireg": lambda: minireg_step(*ours),
            f"minireg, {args.workers} workers": lambda: minireg_step(*ours, group),
            "PyTorch": lambda: torch_step(*theirs),
        }
        times = {name: [] for name in contestants}
        for _ in range(args.rounds):
            for name, step in contestants.items():
                step()
                start = time.perf_counter()
                for _ in range(args.steps):
                    step()
                times[name].append(1000 * (time.perf_counter() - start) / args.steps)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__} ({torch.get_num_threads()} threads), "
          f"{platform.machine()}, batch {args.batch_size}")  # fmt: skip
    for name, value in medians.items():
        ratio = statistics.median(theirs / own for own, theirs in zip(times[name], times["PyTorch"], strict=True))
        print(f"{name:20} {value:7.1f} ms per step (fastest {min(times[name]):.1f}); {ratio:.2f} of PyTorch's speed")


if __name__ == "__main__":
    main()
