"""Where the time of training goes: a table, and ranges with names for NVIDIA's profiler.

    with Profile() as profile:
        trainer.train()
    print(profile.table())

The engine has every op and VJP called by `_this_thread.call` (`autograd.py`), and training the other parts of a step
by `measured`. That calls them directly, until a `Profile` takes its place with a clock.

A GPU works on while Python goes on, so the clock waits for it, before a call and after: each call is charged with its
own work, and a step takes longer than without. Nsight Systems needs no such waiting; it shows the ranges of
`nvtx_range`.
"""

import contextlib
import time

from minireg import backend
from minireg.autograd import _this_thread
from minireg.backend import xp

STEP, SUM = "step", "sum over the processes"  # what `measured` calls them
SMALL = 0.01  # of the time: ops and VJPs below this share are summed


class Profile:
    """Within `with Profile() as profile:` the calls of this thread are timed, in seconds; see `table`.

    The first step is left out: libraries are loaded in it, and CuPy compiles its kernels.

    >>> x = Tensor(np.ones((64, 64), "float32"), requires_grad=True)
    >>> with Profile() as profile:
    ...     for _ in range(3):
    ...         measured("step", lambda: (x @ x).sum().backward())
    >>> print(profile.table())
    Where the time of a step goes: the mean of 2 steps, the first (... ms) left out
                             ms a step       %  calls a step
    ...
    a step                        ...    100.0
    """

    def __init__(self):
        self.seconds, self.calls = {}, {}  # by (name, direction), the direction None for parts that are no ops
        self.steps, self.first_step = 0, None  # how many after the first; its seconds
        self._in_call = False

    def __enter__(self):
        self._one = xp.zeros(1)
        self._before, _this_thread.call = _this_thread.call, self._call
        return self

    def __exit__(self, *error):
        _this_thread.call = self._before

    def _now(self):
        backend.to_host(self._one)  # comes out of a GPU when all that was ordered before is done
        return time.perf_counter()

    def _call(self, name, direction, function, /, *args, **options):
        if self._in_call:  # the time of what a call calls is its own
            return function(*args, **options)
        self._in_call = name != STEP
        started = self._now()
        try:
            return function(*args, **options)
        finally:
            self._in_call = False
            self._ended = self._now()
            self._enter((name, direction), self._ended - started)

    def _enter(self, key, seconds):
        if key[0] != STEP:
            self.seconds[key] = self.seconds.get(key, 0) + seconds
            self.calls[key] = self.calls.get(key, 0) + 1
        elif self.first_step is None:
            self.first_step, self._began = seconds, self._ended
            self.seconds.clear()
            self.calls.clear()
        else:
            self.steps += 1

    def table(self):
        """The time and the calls of a step: of each op and VJP, most time first, then of its other parts; as text."""
        if not self.steps:
            return "There is no profile: it leaves out the first step, and no other was taken"
        total = self._ended - self._began
        large = [key for key, seconds in self.seconds.items() if key[1] and seconds >= SMALL * total]
        large.sort(key=self.seconds.get, reverse=True)
        small = [key for key in self.seconds if key[1] and key not in large]
        parts = [key for key in self.seconds if not key[1]]
        rows = [(_label(*key), self.seconds[key], self.calls[key]) for key in large]
        rows += [("everything else", sum(map(self.seconds.get, small)), sum(map(self.calls.get, small)))]
        rows += [(_label(*key), self.seconds[key], self.calls[key]) for key in parts]
        rows += [("the rest: engine, interpreter", total - sum(self.seconds.values()), None), ("a step", total, None)]

        width = max(len(label) for label, _, _ in rows)
        lines = [
            f"Where the time of a step goes: the mean of {self.steps} steps, "
            f"the first ({1000 * self.first_step:.0f} ms) left out",
            *self._remarks(),
            f"{'':{width}}  ms a step       %  calls a step",
        ]
        for label, seconds, calls in rows:
            calls = "" if calls is None else f"{calls / self.steps:12.2f}"
            line = f"{label:{width}} {1000 * seconds / self.steps:10.2f} {100 * seconds / total:7.1f}  {calls}"
            lines.append(line.rstrip())
        return "\n".join(lines)

    def _remarks(self):
        if (SUM, None) in self.seconds:
            yield "(in the first process, for its part of each batch; in the sum it also waits for the others)"
        if backend.active().name != "numpy":
            yield "(waiting for the device before and after each call: without --profile a step takes less)"


def _label(name, direction):
    words = {None: "", "forward": " forward"}.get(direction, f" by {direction}")
    return name.lstrip("_") + words  # some ops are called by a function around them


def measured(name, function, *args):
    """Call `function(*args)`, a part of training: a row in the table of a `Profile`, and a range. Returns its result.

    The name "step" is not for a part but for a whole step.

    >>> measured("sum", sum, [1, 2])
    3
    """
    with nvtx_range(name):
        return _this_thread.call(name, None, function, *args)


@contextlib.contextmanager
def nvtx_range(name):
    """Within the block, NVIDIA's Nsight Systems shows a range of this name, where CuPy computes and has NVTX.

    >>> with nvtx_range("forward"):
    ...     pass
    """
    nvtx = getattr(getattr(xp, "cuda", None), "nvtx", None)  # what `cupyx.profiler.time_range` calls
    if not getattr(nvtx, "available", False):
        yield
        return
    nvtx.RangePush(name)
    try:
        yield
    finally:
        nvtx.RangePop()
