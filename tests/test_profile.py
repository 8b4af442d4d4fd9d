"""The profile of training: what is charged to whom, what it says, and that it goes away."""

import re
import signal
import threading
import types

import numpy as np
import pytest
from gradients import temporary_ops
from short_runs import TINY, fewest_digits
from strict_backend import using

from minireg import Tensor, backend, ops, train
from minireg.autograd import _this_thread, op
from minireg.data import sources
from minireg.training import profile, trainer
from minireg.training.profile import SUM, Profile, measured, nvtx_range


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass only where a test says so: `clock.now += 1`."""
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(profile, "time", types.SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def test_every_op_vjp_and_part_is_charged_with_its_own_time(clock):
    def passes(seconds, result=None):
        clock.now += seconds
        return result

    with temporary_ops():

        @op
        def slow(x, weight):
            passes(0.003)
            return x * weight, (lambda g: passes(0.005, g * weight), lambda g: passes(0.007, g * x))

        @op
        def _fast(x):
            passes(0.0001)
            return x, (lambda g: passes(0.0001, g),)

        def step():
            measured("drawing the batch", passes, 0.002)
            loss = slow(slow(Tensor(3.0), Tensor(2.0, requires_grad=True)), Tensor(1.0, requires_grad=True))
            clock.now += 0.001
            _fast(loss).backward()
            measured("validation", lambda: passes(0.004, slow(Tensor(1.0), 1.0)))

        with Profile() as watched:
            measured("step", lambda: passes(0.5, step()))
            for _ in range(2):
                measured("step", step)
                clock.now += 0.001
            measured("checkpoints", passes, 0.01)
            passes(1.0)  # what comes after the last part of training is not of interest
            assert _this_thread.call is not type(_this_thread).call
        assert _this_thread.call is type(_this_thread).call

    assert [line for line in watched.table().split("\n") if line[0] != "("] == [
        "Where the time of a step goes: the mean of 2 steps, the first (535 ms) left out",
        "                               ms a step       %  calls a step",
        "slow by weight                     14.00    34.0          2.00",
        "slow forward                        6.00    14.6          2.00",
        "slow by x                           5.00    12.1          1.00",
        "everything else                     0.20     0.5          2.00",
        "drawing the batch                   2.00     4.9          1.00",
        "validation                          7.00    17.0          1.00",
        "checkpoints                         5.00    12.1          0.50",
        "the rest: engine, interpreter       2.00     4.9",
        "a step                             41.20   100.0",
    ]


def test_an_error_ends_the_profile_and_a_single_step_has_none(clock):
    with pytest.raises(ZeroDivisionError), Profile() as watched:
        measured("step", lambda: measured("part", lambda: 1 / 0))
    assert _this_thread.call is type(_this_thread).call
    assert watched.table() == "There is no profile: it leaves out the first step, and no other was taken"
    with watched:
        measured("step", lambda: measured("part", int))
    assert (watched.steps, watched.calls) == (1, {("part", None): 1})


def test_other_threads_are_not_in_it():
    with Profile() as watched:
        measured("step", int)
        thread = threading.Thread(target=lambda: ops.exp(Tensor([1.0])))
        thread.start()
        thread.join()
        assert not watched.calls
        ops.exp(Tensor([1.0]))
        assert watched.calls == {("exp", "forward"): 1}


def test_it_waits_for_the_device_before_and_after_each_call(monkeypatch):
    happened = []
    with using("strict"), Profile() as watched:
        monkeypatch.setattr(
            backend.active(), "to_host", lambda array: happened.append("wait") or np.array(array._host), raising=False
        )
        x = Tensor([2.0], requires_grad=True)
        measured("step", int)
        happened.clear()
        y = watched._call("double", "forward", lambda: happened.append("work") or 2 * x)
        assert happened == ["wait", "work", "wait"]
        happened.clear()
        y.sum().backward()
        assert happened == 2 * 3 * ["wait"]  # sum and its VJP, that of mul
        measured("step", int)
        assert "(waiting for the device before and after each call" in watched.table()


class Nvtx:
    """Stands for cupy.cuda.nvtx: notes the ranges with the number of those around them."""

    available = True

    def __init__(self):
        self.ranges, self.depth = [], 0

    def RangePush(self, name, id_color=-1):
        self.ranges.append((self.depth, name))
        self.depth += 1

    def RangePop(self):
        self.depth -= 1


def with_nvtx(monkeypatch, nvtx):
    monkeypatch.setattr(profile, "xp", types.SimpleNamespace(cuda=types.SimpleNamespace(nvtx=nvtx)))


def test_a_step_is_shown_to_nvidias_profiler(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "load_strokes", fewest_digits)
    configuration = train.configure({"data": "strokes", "steps": 1, "batch_size": 2, "workers": 1})
    source = configuration.source()
    watched = trainer.Trainer(configuration.completed(source), source, tmp_path)
    nvtx = Nvtx()
    with_nvtx(monkeypatch, nvtx)
    watched.train()
    assert nvtx.depth == 0
    assert nvtx.ranges == [
        (0, "step"),
        (1, "drawing the batch"),
        (1, "forward"),
        (1, "backward"),
        (1, "the optimiser's step"),
        (1, "validation"),
        (0, "checkpoints"),
    ]


def test_a_range_ends_where_an_error_leaves_it_and_without_nvtx_there_is_none(monkeypatch):
    nvtx = Nvtx()
    with_nvtx(monkeypatch, nvtx)
    with pytest.raises(ZeroDivisionError), nvtx_range("forward"):
        raise ZeroDivisionError
    assert (nvtx.ranges, nvtx.depth) == ([(0, "forward")], 0)
    with_nvtx(monkeypatch, types.SimpleNamespace(available=False))  # what CuPy has in its place
    assert measured("part", len, "abc") == 3
    monkeypatch.undo()
    with using("strict"):
        assert measured("part", len, "abc") == 3


@pytest.fixture
def small_runs(monkeypatch):
    monkeypatch.setattr(sources, "load_strokes", fewest_digits)
    monkeypatch.setattr(trainer.Trainer, "report", lambda self: {})  # of no interest here
    monkeypatch.setattr(train, "format_table", lambda scores: "")


def rows(text):
    """The table in what a run has printed: {row: (milliseconds, percent)}."""
    found = re.findall(r"^(\w[\w,:' ]*?) +(\d+\.\d\d) +(\d+\.\d)(?: +\d+\.\d\d)?$", text, re.M)
    return {name: (float(milliseconds), float(percent)) for name, milliseconds, percent in found}


def test_a_run_prints_its_profile_if_asked(tmp_path, small_runs, capsys):
    assert train.main([*TINY, "--out", str(tmp_path / "plain")]) == 0
    assert "ms a step" not in capsys.readouterr().out
    assert train.main([*TINY, "--out", str(tmp_path / "run"), "--profile"]) == 0
    out = capsys.readouterr().out
    table = rows(out)
    names = list(table)
    assert "the mean of 4 steps" in out and "in the first process" not in out
    assert {"conv2d forward", "conv2d by weight", "conv2d by x"} <= table.keys()
    assert names[-1] == "a step" and names[-2] == "the rest: engine, interpreter"
    assert {"drawing the batch", "the optimiser's step", "checkpoints"} <= set(names[names.index("everything else") :])
    *parts, (total, percent) = table.values()
    assert sum(part for part, _ in parts) == pytest.approx(total, abs=0.005 * len(table)) and percent == 100
    large = [table[name][0] for name in names[: names.index("everything else")]]
    assert large == sorted(large, reverse=True)


def test_with_several_processes_the_profile_says_whose_it_is(tmp_path, small_runs, capsys, chosen_backend):
    if chosen_backend.name != "numpy":
        pytest.skip("the processes are for the CPU")
    assert train.main([*TINY, "--workers", "2", "--out", str(tmp_path / "run"), "--profile"]) == 0
    out = capsys.readouterr().out
    assert "(in the first process, for its part of each batch" in out and SUM in rows(out)


def test_after_ctrl_c_there_is_a_profile_and_the_hint_how_to_go_on_has_it(tmp_path, small_runs, monkeypatch, capsys):
    train_step = trainer.Trainer.train_step

    def interrupted(self, group):
        if self.step == 2:
            signal.raise_signal(signal.SIGINT)
        return train_step(self, group)

    monkeypatch.setattr(trainer.Trainer, "train_step", interrupted)
    assert train.main([*TINY, "--out", str(tmp_path / "run"), "--profile"]) == 130
    out, err = capsys.readouterr()
    assert "the mean of 2 steps" in out
    assert f"--resume {tmp_path / 'run'} --profile" in err
