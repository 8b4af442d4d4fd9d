"""python -m minireg.gradcheck: check the gradient of every operation."""

if __name__ == "__main__":
    from minireg.command import prepare_process

    prepare_process()

import contextlib
import itertools
import sys
import time
import zlib
from typing import NamedTuple

import numpy as np

from minireg import backend, command
from minireg.autograd import REGISTRY, Tensor
from minireg.errors import InputError
from minireg.gradcheck.cases import CASES
from minireg.gradcheck.check import WrongGradient, gradcheck
from minireg.gradcheck.choosing import Chooser


class Row(NamedTuple):
    """What the command found out about one op."""

    op: str
    arguments: str
    calls: int  # of all its cases
    pairs: int  # of options and sizes that occur together in one of them
    draws: int  # comparisons of the VJPs with difference quotients
    worst: float
    verdict: str
    seconds: float
    message: str


HEADINGS = ("op", "arguments", "calls", "pairs", "draws", "worst error", "verdict", "seconds")


def check_op(name, seed=0, most=None):
    """Check one op of the registry: calls of each of its cases that cover all pairs of options, or `most` of them.

    Returns a Row; raises nothing that an op does wrong.
    """
    start = time.perf_counter()
    arguments, calls, pairs, draws, worst, verdict, message = {}, 0, 0, 0, 0.0, "ok", ""
    cases = CASES.get(name, [])
    if not cases:
        verdict = "NO CASE"
        message = f"{name}: no gradient check. Add a case with minireg.gradcheck.cases.register_case({name!r}, ...)."
    for index, case in enumerate(cases):
        try:
            covering = case.covering_calls([seed, zlib.crc32(name.encode()), index])
            for own_seed, added in itertools.islice(covering, most):
                rng = np.random.default_rng(own_seed)
                fn, arrays = case.draw(choose := Chooser(rng), rng)
                _call_with_another_option(case, own_seed, other=int(rng.integers(len(choose.choices) or 1)))
                report = gradcheck(fn, *arrays, seed=own_seed, linear=case.linear)
                arguments |= dict.fromkeys(argument.split("[")[0] for argument in report.arguments)
                calls, pairs = calls + 1, pairs + added
                draws, worst = draws + report.draws, max(worst, report.worst)
        except WrongGradient as error:
            verdict, draws = "WRONG", draws + error.draws
            message = f"{error}\nAgain: python -m minireg.gradcheck {name} --seed {seed}"
            break
        except Exception as error:  # whatever an op raises is a finding about this op; the others come next
            verdict, message = "ERROR", f"{name}: its case {index} raises {type(error).__name__}: {error}"
            break
    arguments = ", ".join(arguments)
    return Row(name, arguments, calls, pairs, draws, worst, verdict, time.perf_counter() - start, message)


def _call_with_another_option(case, seed, other):
    """An op that keeps something by the sizes alone now keeps what belongs to another option."""
    rng = np.random.default_rng(seed)
    with contextlib.suppress(Exception), np.errstate(all="ignore"):  # the options may make no sense together
        fn, arrays = case.draw(Chooser(rng, other), rng)
        inputs = [Tensor(backend.to_device(array), requires_grad=True) for array in arrays]
        y = fn(*inputs)
        y.backward(backend.to_device(np.ones(y.shape)))


def _line(row, markdown):
    counts = map(str, (row.calls, row.pairs, row.draws))
    cells = (row.op, row.arguments, *counts, f"{row.worst:.0e}", row.verdict, f"{row.seconds:.2f}")
    return _cells(cells, markdown)


def _cells(cells, markdown):
    if markdown:
        return f"| {' | '.join(cells)} |"
    return "{:<18} {:<22} {:>6} {:>6} {:>6} {:>12}  {:<8} {:>8}".format(*cells)


def main(argv=None):
    """The command line: check the ops, print the table. Returns the exit code: 1 if an op fails."""
    return command.run("minireg.gradcheck", lambda: _main(_parse(argv)))


def _parse(argv):
    parser = command.parser("minireg.gradcheck", "Check the gradient of every operation.")
    parser.add_argument("ops", nargs="*", metavar="OP", help="names of ops (default: every op in the registry)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which random calls (default: %(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the table of docs/verification.md")
    return parser.parse_args(argv)


def _main(args):
    backend.use(args.backend)
    unknown = [name for name in args.ops if name not in REGISTRY]
    if unknown:
        raise InputError(f"there is no op {', '.join(unknown)}: choose among {', '.join(sorted(REGISTRY))}")
    if args.seed < 0:
        raise InputError(f"--seed must not be negative, got {args.seed}")
    print(_cells(HEADINGS, args.markdown))
    if args.markdown:
        print("|---|---|---:|---:|---:|---:|---|---:|")
    rows = []
    for name in args.ops or sorted(REGISTRY):
        rows.append(check_op(name, args.seed))
        print(_line(rows[-1], args.markdown), flush=True)
    failures = [row for row in rows if row.verdict != "ok"]
    for row in failures:
        print(f"\n{row.message}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
