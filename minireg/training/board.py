"""What TensorBoard shows of a run while it trains: curves, and now and then a picture of held-out pairs.

    with Board(trainer) as board:
        trainer.train(board=board)

It is written into the folder tensorboard/ of the run, in the format of the library tensorboardX (the extra
`tensorboard`). The other files of the run are the same with and without: no random number is drawn.
"""

import contextlib
import importlib
import math
import struct
import tempfile
import time
from pathlib import Path

from minireg import viz
from minireg.errors import InputError
from minireg.methods import register

SHARE = 0.05  # of the time, at most, for pictures
HELD_OUT, ROWS = 100, 4  # the first of the pairs that are in registration.png
RGBA = 4  # TensorBoard's number for the colours of a picture


class Board:
    """The curves and pictures of a Trainer, for TensorBoard; to be used in `with`.

    trainer : Trainer
        Its folder gets a folder tensorboard/. If that has steps that are yet to come, for a run was killed after its
        last checkpoint, TensorBoard will not show them.

    Raises InputError where tensorboardX is not installed, OSError where the folder cannot be written to or, later, the
    disk is full.
    """

    # Without tensorboardX.SummaryWriter, which writes in a thread: where that has failed, training would wait for ever.
    def __init__(self, trainer):
        require_tensorboardx()
        from tensorboardX import RecordWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog
        from tensorboardX.proto.summary_pb2 import Summary

        self.Event, self.Summary = Event, Summary
        self.folder = trainer.folder / "tensorboard"
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{trainer.step:08}"  # TensorBoard reads them in this order
        with self._named_errors():
            self.file = RecordWriter(str(self.folder / name))
        self._write(trainer.step, file_version="brain.Event:2")
        self._write(trainer.step + 1, session_log=SessionLog(status=SessionLog.START))  # forget these steps, if any
        pairs = trainer.source.held_out(HELD_OUT)
        self.pairs = pairs.moving[:ROWS], pairs.fixed[:ROWS]
        self.titles = pairs.titles[:ROWS]
        self.began = time.monotonic()
        self.drawing = self.last = 0.0  # seconds that all pictures took, and the last one

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with self._named_errors():
            self.file.close()

    def add_step(self, trainer):
        """Add the numbers of the step that was just taken to the curves."""
        numbers = {f"loss/{name}": values[-1] for name, values in trainer.history.items()}
        numbers |= {"step/learning_rate": trainer.optimiser.lr, "step/gradient_norm": trainer.gradient_norm}
        self._add(
            trainer.step,
            # Validation pairs are not scored at every step: there is NaN in between.
            [{"tag": tag, "simple_value": number} for tag, number in numbers.items() if not math.isnan(number)],
        )

    def add_picture(self, trainer):
        """Add what registration.png would show now, unless pictures would take too large a share of the time by that.

        The first one is always drawn.
        """
        started = time.monotonic()
        if self.drawing + self.last <= SHARE * (started - self.began):
            png = self._picture(trainer.network)
            width, height = struct.unpack(">2I", png[16:24])  # where the format has them
            picture = {"width": width, "height": height, "colorspace": RGBA, "encoded_image_string": png}
            self._add(trainer.step, [{"tag": "held_out_pairs", "image": picture}])
            self.last = time.monotonic() - started
            self.drawing += self.last
        self.flush()

    def flush(self):
        """Bring to the file what has been added."""
        with self._named_errors():
            self.file.flush()

    def _picture(self, network):
        """The bytes of a PNG."""
        warped, displacement = register(network, *self.pairs)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "registration.png"
            viz.registration_picture(*self.pairs, warped, displacement, path, self.titles)
            return path.read_bytes()

    def _add(self, step, values):
        self._write(step, summary=self.Summary(value=[self.Summary.Value(**value) for value in values]))

    def _write(self, step, **content):
        event = self.Event(wall_time=time.time(), step=step, **content)
        with self._named_errors():
            self.file.write(event.SerializeToString())

    @contextlib.contextmanager
    def _named_errors(self):
        """Within the block, an OSError names the folder."""
        try:
            yield
        except OSError as error:
            raise type(error)(error.errno, error.strerror, str(self.folder)) from error


def require_tensorboardx():
    """Raise InputError where tensorboardX is not installed."""
    try:
        importlib.import_module("tensorboardX")
    except ImportError:
        raise InputError(
            "--tensorboard needs tensorboardX: python -m pip install 'minireg[tensorboard]', or leave it out"
        ) from None
