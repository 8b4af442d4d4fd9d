"""What `train --tensorboard` writes: events that TensorBoard reads, beside files that are the same without it."""

import csv
import errno
import math
import struct
import sys

import pytest
from short_runs import TINY, complaint, contents, fewest_digits

from minireg import train, viz
from minireg.data import sources
from minireg.training import board, trainer


@pytest.fixture
def small_runs(monkeypatch):
    monkeypatch.setattr(sources, "load_strokes", fewest_digits)
    for name in ("loss_curve", "field_picture", "animation"):  # they take longer than such a run
        monkeypatch.setattr(viz, name, lambda *args: None)
    monkeypatch.setattr(trainer, "STEPS_BETWEEN", 2)
    monkeypatch.setattr(trainer, "STEPS_BETWEEN_CHECKPOINTS", 2)


@pytest.fixture
def no_pictures(monkeypatch, small_runs):
    monkeypatch.setattr(viz, "registration_picture", lambda *args: args[4].write_bytes(bytes(24)))


def events(folder):
    """All events of a run, in the order in which TensorBoard reads them."""
    from tensorboardX.proto.event_pb2 import Event

    for path in sorted((folder / "tensorboard").iterdir()):
        assert "tfevents" in path.name
        data, position = path.read_bytes(), 0
        while position < len(data):  # length, its checksum, an event, its checksum
            (length,) = struct.unpack_from("<Q", data, position)
            yield Event.FromString(data[position + 12 : position + 12 + length])
            position += 12 + length + 4


def shown(folder):
    """The curves and pictures that TensorBoard shows of a run, {tag: {step: number or bytes}}."""
    tags = {}
    for event in events(folder):
        if event.HasField("session_log") and event.session_log.status == event.session_log.START:
            tags = {tag: {step: v for step, v in values.items() if step < event.step} for tag, values in tags.items()}
        for value in event.summary.value:
            number = value.simple_value if value.HasField("simple_value") else value.image.encoded_image_string
            tags.setdefault(value.tag, {})[event.step] = number
    return tags


def files(folder):
    """As `contents`, without the folder tensorboard/."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "tensorboard"}


def test_the_board_has_the_history_and_pictures_and_changes_nothing_else(tmp_path, small_runs, monkeypatch):
    pytest.importorskip("tensorboardX")
    monkeypatch.setattr(board, "SHARE", math.inf)  # pictures at every checkpoint
    monkeypatch.setattr(board, "ROWS", 8)
    plain, watched = tmp_path / "plain", tmp_path / "watched"
    assert train.main([*TINY, "--out", str(plain)]) == 0
    assert train.main([*TINY, "--out", str(watched), "--tensorboard", "--profile"]) == 0
    assert files(watched) == contents(plain)

    tags = shown(watched)
    with (plain / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in rows[0].keys() - {"step"}:
        expected = {int(row["step"]): pytest.approx(float(row[name]), rel=1e-6) for row in rows if row[name]}
        assert tags.pop(f"loss/{name}") == expected
    assert list(tags["step/learning_rate"]) == list(tags["step/gradient_norm"]) == [1, 2, 3, 4, 5]
    assert all(norm > 0 for norm in tags.pop("step/gradient_norm").values())
    assert len(set(tags.pop("step/learning_rate").values())) > 1  # it follows the schedule
    pictures = tags.pop("held_out_pairs")
    assert list(pictures) == [2, 4, 5]
    assert pictures[5] == (watched / "registration.png").read_bytes() != pictures[2]
    assert not tags


def test_a_resumed_run_goes_on_where_its_checkpoint_is(tmp_path, no_pictures, monkeypatch):
    pytest.importorskip("tensorboardX")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train.main([*TINY, "--out", str(whole), "--tensorboard"]) == 0

    class Killed(BaseException):
        pass

    def killed(self):
        if self.step == 4:
            raise Killed
        return save(self)

    save = trainer.Trainer.save
    monkeypatch.setattr(trainer.Trainer, "save", killed)
    with pytest.raises(Killed):
        train.main([*TINY, "--out", str(broken), "--tensorboard"])
    monkeypatch.setattr(trainer.Trainer, "save", save)
    assert max(shown(broken)["loss/loss"]) == 4  # the checkpoint is that of step 2
    assert train.main(["--resume", str(broken), "--tensorboard"]) == 0
    assert files(broken) == files(whole)
    assert len(list((broken / "tensorboard").iterdir())) == 2
    assert sum(event.step == 3 and bool(event.summary.value) for event in events(broken)) == 2  # but shown once:
    for tag, values in shown(whole).items():
        if tag != "held_out_pairs":
            assert shown(broken)[tag] == values


def test_of_the_processes_that_train_as_one_the_first_writes(tmp_path, no_pictures):
    pytest.importorskip("tensorboardX")
    assert train.main([*TINY, "--workers", "2", "--out", str(tmp_path / "run"), "--tensorboard"]) == 0
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1
    assert list(shown(tmp_path / "run")["loss/loss"]) == [1, 2, 3, 4, 5]


def test_without_tensorboardx_nothing_is_begun(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)  # an import of it fails
    sentence = complaint(capsys, train.main, *TINY, "--out", tmp_path / "run", "--tensorboard")
    assert "--tensorboard needs tensorboardX: python -m pip install 'minireg[tensorboard]'" in sentence
    assert not (tmp_path / "run").exists()


def test_a_full_disk_ends_training_with_a_sentence(tmp_path, small_runs, monkeypatch, capsys):
    tensorboardx = pytest.importorskip("tensorboardX")

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tensorboardx.RecordWriter, "write", full)
    sentence = complaint(capsys, train.main, *TINY, "--out", tmp_path / "run", "--tensorboard")
    assert f"cannot use {tmp_path / 'run' / 'tensorboard'}: No space left on device" in sentence


def test_pictures_take_a_small_share_of_the_time(small_runs, tmp_path, monkeypatch):
    pytest.importorskip("tensorboardX")
    clock = [1000.0]
    drawn = []

    def draw(self, network):
        drawn.append(clock[0])
        clock[0] += 2.0  # so long it takes
        return bytes(24)

    monkeypatch.setattr(board.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(board.Board, "_picture", draw)
    monkeypatch.setattr(trainer.Trainer, "save", lambda self: None)
    configuration = train.configure({"data": "strokes", "steps": 10**6})
    source = configuration.source()
    watched = trainer.Trainer(configuration.completed(source), source, tmp_path / "run")
    with board.Board(watched) as its_board:
        while clock[0] < 1500:
            clock[0] += 3
            its_board.add_picture(watched)
    assert drawn[0] == 1003 and len(drawn) > 5
    assert all(2 * count <= 0.05 * (when - 1000) for count, when in enumerate(drawn[1:], start=2))
