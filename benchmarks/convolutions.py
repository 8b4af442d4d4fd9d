"""The convolutions of one look of the default network, forward and backward: minireg, DeZero and PyTorch.

    python -m pip install ".[compare]" dezero && python benchmarks/convolutions.py

DeZero (https://github.com/oreilly-japan/deep-learning-from-scratch-3) is the closest relative of minireg's engine. It
has no warp, no concatenation and no upsampling, so not the network but the convolutions of a look are compared, each
followed by a leaky ReLU and alone, for a batch of 16 pairs both ways. First all must compute the same gradients.
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import argparse
import statistics
import time

import numpy as np
import torch
import torch.nn.functional as F

from minireg import Tensor, ops
from minireg.models import SymmetricUNet
from minireg.models.unet import LEAK

np.int = int  # DeZero 0.0.13 was written for NumPy before 1.24
import dezero.functions as D
from dezero import Variable

BATCH = 32


def layers(size=16):
    """(weight (k, k, in, out), input (N, H, W, in), cotangent (N, H, W, out)) of each convolution of a look."""
    rng = np.random.default_rng(0)
    unet = SymmetricUNet(rng).unet
    sides = (size, size // 2, size // 4, size // 4, size // 2, size)
    for layer, side in zip((*unet.encoder, unet.bottom, *unet.decoder), sides, strict=True):
        c_in, c_out = layer.weight.shape[2:]
        x, g = (rng.standard_normal((BATCH, side, side, c), dtype=np.float32) for c in (c_in, c_out))
        yield layer.weight.data, x, g


def first(array):
    """Channels first: (N, H, W, C) to (N, C, H, W), (k, k, in, out) to (out, in, k, k)."""
    return np.ascontiguousarray(array.transpose(0, 3, 1, 2) if len(array) == BATCH else array.transpose(3, 2, 0, 1))


def minireg_layer(weight, x, g):
    weight, x, g = (Tensor(array, requires_grad=index < 2) for index, array in enumerate((weight, x, g)))

    def run():
        weight.grad = x.grad = None
        ops.leaky_relu(ops.conv2d(x, weight, padding=1), LEAK).backward(g)
        return weight.grad.transpose(3, 2, 0, 1)

    return run


def dezero_layer(weight, x, g):
    weight, x, g = Variable(first(weight)), Variable(first(x)), Variable(first(g))

    def run():
        weight.cleargrad()
        x.cleargrad()
        y = D.leaky_relu(D.conv2d(x, weight, pad=1), LEAK)
        y.grad = g
        y.backward()
        return weight.grad.data

    return run


def torch_layer(weight, x, g):
    weight, x = (torch.from_numpy(first(array)).requires_grad_() for array in (weight, x))
    g = torch.from_numpy(first(g))

    def run():
        weight.grad = x.grad = None
        F.leaky_relu(F.conv2d(x, weight, padding=1), LEAK).backward(g)
        return weight.grad.numpy()

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="alternations (default: 15)")
    args = parser.parse_args()
    makers = {"minireg": minireg_layer, "DeZero": dezero_layer, "PyTorch": torch_layer}
    contestants = {name: [make(*arrays) for arrays in layers()] for name, make in makers.items()}
    for ours, *others in zip(*contestants.values(), strict=True):
        expected = ours()
        for run in others:
            np.testing.assert_allclose(run(), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    times = {name: [] for name in contestants}
    for _ in range(args.rounds):
        for name, runs in contestants.items():
            start = time.perf_counter()
            for run in runs:
                run()
            times[name].append(1000 * (time.perf_counter() - start))
    print(f"PyTorch {torch.__version__} with {torch.get_num_threads()} threads, the others with one")
    for name, values in times.items():
        ratio = statistics.median(own / ours for own, ours in zip(values, times["minireg"], strict=True))
        print(f"{name:10} {statistics.median(values):7.1f} ms; {ratio:.2f} times minireg's time")


if __name__ == "__main__":
    main()
