"""Pairs registered in a second by the default network, beside PyTorch; and the time of a pair over the size of images.

    python -m pip install ".[compare]" && python benchmarks/registering.py --out cost.png

Prints the pairs per second for batches of 1, 32 and 1,000 pairs of 32 x 32 pixels, the medians of alternating rounds,
after a check that both give the same warped images; then the time of one pair of 32 x 32 to 1024 x 1024 pixels, which
it also draws.
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import argparse
import statistics
import time

import numpy as np
import torch
from matplotlib.figure import Figure
from training_step import TorchSymmetricUNet, smooth_images, torch_warp

from minireg.methods import register
from minireg.models import SymmetricUNet

BATCHES, SIZES = (1, 32, 1000), (32, 64, 128, 256, 512, 1024)


def torch_register(twin, moving, fixed):
    """What `methods.register` does, by PyTorch."""
    with torch.inference_mode():
        moving, fixed = (torch.from_numpy(images.transpose(0, 3, 1, 2).copy()) for images in (moving, fixed))
        displacement = twin(moving, fixed)[: len(moving)]
        return torch_warp(moving, displacement).permute(0, 2, 3, 1).numpy()


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="alternations (default: 5)")
    parser.add_argument("--out", metavar="FILE.png", help="where to draw the time over the size")
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    network = SymmetricUNet(rng)
    last = network.unet.output.weight  # zero at first: nothing would move
    last.data = rng.normal(0, 0.02, last.shape).astype(np.float32)
    twin = TorchSymmetricUNet(network)

    print(f"{'pairs':>8}{'minireg':>12}{'PyTorch':>12}   pairs a second ({torch.get_num_threads()} threads)")
    for count in BATCHES:
        moving, fixed = (smooth_images(count, 32, rng) for _ in range(2))
        warped = register(network, moving, fixed)[0]
        np.testing.assert_allclose(torch_register(twin, moving, fixed), warped, atol=1e-3)
        repeats = max(1, 32 // count)
        contestants = {
            "minireg": lambda: [register(network, moving, fixed) for _ in range(repeats)],  # noqa: B023
            "PyTorch": lambda: [torch_register(twin, moving, fixed) for _ in range(repeats)],  # noqa: B023
        }
        times = {name: [] for name in contestants}
        for _ in range(args.rounds):
            for name, run in contestants.items():
                times[name].append(seconds(run))
        ours, theirs = (repeats * count / statistics.median(values) for values in times.values())
        print(f"{count:8}{ours:12.0f}{theirs:12.0f}", flush=True)

    print(f"\n{'pixels':>8}{'ms a pair':>12}{'us a pixel':>12}")
    medians = []
    for size in SIZES:
        moving, fixed = (smooth_images(1, size, rng) for _ in range(2))
        register(network, moving, fixed)
        medians.append(statistics.median(seconds(lambda: register(network, moving, fixed)) for _ in range(args.rounds)))  # noqa: B023
        print(f"{size:8}{1000 * medians[-1]:12.1f}{1e6 * medians[-1] / size**2:12.2f}", flush=True)
    if args.out:
        figure = Figure(figsize=(5, 3.5), layout="constrained")
        axes = figure.subplots()
        pixels = [size**2 for size in SIZES]
        axes.loglog(pixels, medians, "o-", label="measured")
        axes.loglog(pixels, [medians[-1] * p / pixels[-1] for p in pixels], "--", label="proportional to the pixels")
        axes.set(xlabel="pixels of an image", ylabel="seconds a pair", title="Cost over image size, one CPU core")
        axes.legend()
        figure.savefig(args.out)


if __name__ == "__main__":
    main()
