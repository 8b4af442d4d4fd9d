"""What a GPU makes of minireg: is it right, and how fast is it? A table, and a JSON file to attach to an issue.

    python -m pip install ".[gpu,test]" && python benchmarks/gpu.py --out gpu.json

In order: the tests of all ops on the GPU; the same training steps by NumPy and on the GPU; a short training, and how
well it registers; how many kernels a step starts, as the stand-in of the tests counts them; and the time of a step by
both for several sizes, and by PyTorch where it is installed. What fails is noted, and the rest goes on.
"""

# ruff: noqa: E402
from minireg.command import prepare_process

prepare_process()  # as the command lines do, before NumPy is loaded

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path

import numpy as np

import minireg
from minireg import backend
from minireg.data import DigitPairs, load_strokes
from minireg.evaluation import mean_scores, score_pairs
from minireg.files import atomic_write
from minireg.methods import register
from minireg.training import Trainer, configure

ROOT = Path(__file__).resolve().parent.parent
OPS = [f"tests/test_{name}.py" for name in ("ops_gradients", "ops_values", "convolution", "warp", "histogram")]
STEPS, ROUNDS = 10, 5
SHAPES = ((16, 32), (128, 32), (16, 128))  # pairs of a batch, pixels a side
SAME = 1e-3  # relative, of the losses of five steps: rounding makes 1e-6 or so of it


def trainer_on(name, steps=300, pairs=16, size=32):
    """A Trainer of the default recipe on a backend, with images of this size."""
    backend.use(name)
    source = DigitPairs(load_strokes(train_per_digit=50, test_per_digit=10), "all", "random")
    options = {
        "data": "strokes",
        "digit": "all",
        "pairing": "random",
        "steps": steps,
        "batch_size": pairs,
        "workers": 1,
    }
    trainer = Trainer(configure(options).completed(source), source, None)
    if size != 32:
        draw = trainer.sampler.draw
        trainer.sampler.draw = lambda count: [
            images.repeat(size // 32, 1).repeat(size // 32, 2) for images in draw(count)
        ]
    return trainer


def tests_of_the_ops(name):
    """The last line of what pytest says."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--backend", name, *OPS], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stdout[-4000:] + done.stderr[-1000:])
    return {"said": done.stdout.strip().splitlines()[-1]}


def the_same_steps(name):
    """By how much the losses of five steps from the same weights differ, at most, relative to the loss."""
    losses = [[trainer.train_step() for _ in range(5)] for trainer in map(trainer_on, ("numpy", name))]
    differences = np.abs(np.subtract(*losses)) / np.abs(losses[0])
    if not differences.max() < SAME:
        raise RuntimeError(f"the losses differ: {losses}")
    return {"largest relative difference": float(differences.max())}


def a_training(name, steps):
    """Train on drawn digits; seconds, and the scores of 30 held-out pairs."""
    trainer = trainer_on(name, steps=steps)
    trainer.train_step()  # compiles
    start = time.perf_counter()
    for _ in range(steps - 1):
        trainer.train_step()
    seconds = time.perf_counter() - start
    pairs = trainer.source.held_out(30)
    scores = mean_scores(score_pairs(pairs, *register(trainer.network, pairs.moving, pairs.fixed)))
    return {"steps": steps, "seconds": seconds} | {key: float(scores[key]) for key in ("ncc", "dice", "folded_cells")}


def torch_step(pairs, size, device):
    """A function that takes a training step of the same network in PyTorch on a device."""
    import torch
    import training_step

    from minireg.models import SymmetricUNet

    backend.use("numpy")
    rng = np.random.default_rng(0)
    twin = training_step.TorchSymmetricUNet(SymmetricUNet(rng)).to(device)
    images = [torch.from_numpy(rng.random((pairs, 1, size, size), np.float32)).to(device) for _ in range(2)]
    optimiser = torch.optim.Adam(twin.parameters(), 1e-6)
    return lambda: training_step.torch_step(twin, optimiser, *images)


def milliseconds(step):
    """The median over the rounds of the time of a step. A step brings its loss to the host, so it is over then."""
    step()
    step()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        times.append(1000 * (time.perf_counter() - start) / STEPS)
    return statistics.median(times)


def times_of_a_step(name, pairs, size):
    """For one shape, in ms: NumPy's takes one core; PyTorch's is on the GPU where it has one."""
    times = {}
    for library in (name, "numpy"):
        trainer = trainer_on(library, pairs=pairs, size=size)
        trainer.step = trainer.configuration.steps // 2  # from where on all looks are taken
        times[library] = milliseconds(trainer.train_step)
    try:
        import torch

        device = "cuda" if torch.cuda.is_available() else "cpu"
        times[f"PyTorch {torch.__version__} on {device}"] = milliseconds(torch_step(pairs, size, device))
    except ImportError:
        pass
    return times


def launches_of_a_step():
    """How many kernels CuPy starts in a step, as the stand-in of the tests counts them."""
    sys.path.insert(0, str(ROOT / "tests"))
    from cupy_differences import counted_launches
    from strict_backend import StrictBackend

    backend.BACKENDS["strict"] = StrictBackend
    trainer = trainer_on("strict", pairs=2)
    backend.active().scratch_bytes = backend.CupyBackend.scratch_bytes
    with counted_launches() as launches:
        trainer.train_step()
    return {"launches": launches.total(), "most": dict(launches.most_common(8))}


def the_card():
    """What the results depend on."""
    facts = {"minireg": minireg.__version__, "numpy": np.__version__, "python": platform.python_version()}
    if backend.active().name == "cupy":
        cupy = backend.active().xp
        properties = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.Device().id)
        facts |= {
            "card": properties["name"].decode(),
            "memory": f"{properties['totalGlobalMem'] / 2**30:.0f} GiB",
            "cupy": cupy.__version__,
            "driver": cupy.cuda.runtime.driverGetVersion(),
            "CUDA": cupy.cuda.runtime.runtimeGetVersion(),
        }
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", metavar="FILE.json", default="gpu.json", help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=300, help="of the training (default: 300)")
    parser.add_argument("--backend", default="cupy", help="numpy tries the script itself (default: cupy)")
    args = parser.parse_args()
    backend.use(args.backend)
    results = {"machine": the_card()}
    print(*(f"{key}: {value}" for key, value in results["machine"].items()), sep="\n")
    tasks = {
        "tests of the ops": lambda: tests_of_the_ops(args.backend),
        "the same five steps": lambda: the_same_steps(args.backend),
        "a training on drawn digits": lambda: a_training(args.backend, args.steps),
        "kernels of a step": launches_of_a_step,
    }
    for pairs, size in SHAPES:
        tasks[f"ms a step, {pairs} pairs of {size} x {size}"] = lambda shape=(pairs, size): times_of_a_step(
            args.backend, *shape
        )
    for name, run in tasks.items():
        try:
            results[name] = run()
        except Exception:  # whatever a card or a driver comes up with belongs into the report
            results[name] = {"failed": traceback.format_exc()}
        shown = (
            f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in results[name].items()
        )
        print(f"{name}: {', '.join(shown)}", flush=True)
        with atomic_write(args.out, "w") as file:
            json.dump(results, file, indent=2)
    print(f"written: {args.out}")
    return int(any("failed" in result for result in results.values()))


if __name__ == "__main__":
    sys.exit(main())
