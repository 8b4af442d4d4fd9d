"""The mistakes that a user can make, as exceptions whose message is one clear sentence.

A command line catches these, prints the message without a traceback and exits with a non-zero code
(`minireg/command.py`). Everything else that is raised is a mistake of ours and keeps its traceback.
"""

import inspect


class MiniregError(Exception):
    """Base of all errors whose message is meant for the user: it names the value, what was expected, what to do."""


class InputError(MiniregError, ValueError):
    """A file, an image or an option that cannot be used."""


class BackendError(MiniregError, RuntimeError):
    """The chosen array library cannot be used on this machine, or arrays of two libraries were mixed."""


class TrainingError(MiniregError, RuntimeError):
    """Training cannot go on, for example because the loss is no longer finite."""


def refuse_unknown(options, function, what, given=0):
    """Raise InputError for an option that `function` does not take, beside its first `given` arguments.

    `options` are names, and `what` says whose they are in the message. A function with `**options` takes all.

    >>> refuse_unknown({"size": 3}, lambda images, size: 0, "this source", given=1)
    >>> refuse_unknown({"side": 3}, lambda images, size: 0, "this source", given=1)
    Traceback (most recent call last):
    minireg.errors.InputError: this source has no option 'side': it takes size
    """
    known = list(inspect.signature(function).parameters)[given:]
    unknown = [option for option in options if option not in known and "options" not in known]
    if unknown:
        raise InputError(f"{what} has no option {unknown[0]!r}: it takes {', '.join(known) or 'none'}")
