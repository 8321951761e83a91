"""What is taken away of a run: the table, and event files that an independent reader reads."""

import csv
import io
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.crc32c import crc32c
from tensorboardX.proto.event_pb2 import Event

from explorer.runs.export import COLUMNS, metrics_csv, tensorboard_zip
from explorer.runs.recorder import Recorder
from explorer.runs.store import Metric, Store
from tests.runs.stage import plan
from tests.runs.test_store import stepped

STEPS = 300  # numbers beyond 127 take more than one byte


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one finished run of two lanes."""
    store = Store(tmp_path)
    store.add(plan(seeds=(0, 7)), "mine", "ann", 10**9, 20)
    recorder = Recorder(store, *store.start_next())
    for step in range(1, STEPS + 1):
        for lane in (0, 1):
            recorder.add(stepped(step, lane, step / 3 + lane, aux_losses={"4a": 2.0}))
    recorder.end("finished")
    yield store
    store.close()


def events(data: bytes) -> list[Event]:
    """Read an event file with code that is not ours, and check its checksums."""

    def checked(part: bytes, checksum: bytes) -> bytes:
        crc = crc32c(part)
        assert struct.unpack("<I", checksum)[0] == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
        return part

    found, file = [], io.BytesIO(data)
    while head := file.read(8):
        (length,) = struct.unpack("<Q", checked(head, file.read(4)))
        found.append(Event.FromString(checked(file.read(length), file.read(4))))
    return found


def test_the_table_has_every_number(store: Store) -> None:
    """One in a line, with network and seed by name."""
    (run,) = store.runs()
    rows = list(csv.reader(io.StringIO(metrics_csv(store, run))))
    assert list(COLUMNS) == rows[0]
    assert 2 * 4 * STEPS == len(rows) - 1
    (row,) = [row for row in rows if row[1:4] == ["7", "train_loss", "300"]]
    assert ["steps", "7", "train_loss", "300", "30.0", str(300 * 64), "101.0"] == row


def test_tensorboard_reads_every_number(store: Store) -> None:
    """A file per lane, each scalar under its name, step and time."""
    (run,) = store.runs()
    with zipfile.ZipFile(io.BytesIO(tensorboard_zip(store, run))) as archive:
        names = archive.namelist()
        assert [f"mine-{run.id}/steps-seed{seed}" for seed in (0, 7)] == [name.rpartition("/")[0] for name in names]
        assert all("tfevents" in name for name in names)
        read = [events(archive.read(name)) for name in names]
    for lane, (first, *scalars) in enumerate(read):
        assert first.file_version == "brain.Event:2"
        assert [metric for metric in store.metrics(run.id) if metric.lane == lane] == [
            Metric(
                lane,
                event.summary.value[0].tag,
                event.step,
                pytest.approx(event.wall_time - run.started, abs=1e-5),
                event.step * 64,
                pytest.approx(event.summary.value[0].simple_value),
            )
            for event in scalars
        ]
