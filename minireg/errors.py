"""The mistakes that a user can make, as exceptions whose message is one clear sentence.

A command line catches these, prints the message without a traceback and exits with a non-zero code
(`minireg/command.py`). Everything else that is raised is a mistake of ours and keeps its traceback.
"""


class MiniregError(Exception):
    """Base of all errors whose message is meant for the user: it names the value, what was expected, what to do."""


class InputError(MiniregError, ValueError):
    """A file, an image or an option that cannot be used."""


class BackendError(MiniregError, RuntimeError):
    """The chosen array library cannot be used on this machine, or arrays of two libraries were mixed."""


class TrainingError(MiniregError, RuntimeError):
    """Training cannot go on, for example because the loss is no longer finite."""
