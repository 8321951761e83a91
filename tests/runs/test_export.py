"""The exported files of a run: the CSV table, and event files that an independent reader reads."""

import csv
import io
import struct
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from explorer.runs.export import COLUMNS, metrics_csv, tensorboard_zip
from explorer.runs.recorder import Recorder
from explorer.runs.store import Metric, Store
from tests.runs.environment import plan
from tests.runs.test_store import step_event

STEPS = 300  # numbers above 127 take more than one byte


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one finished run of two trainers."""
    store = Store(tmp_path)
    store.add(plan(seeds=(0, 7)), "mine", "ann", 10**9, 20)
    recorder = Recorder(store, *store.start_next())
    for step in range(1, STEPS + 1):
        for trainer in (0, 1):
            recorder.add(step_event(step, trainer, step / 3 + trainer, aux_losses={"4a": 2.0}))
    recorder.end("finished")
    yield store
    store.close()


class Scalar(NamedTuple):
    """A scalar of an event file."""

    tag: str
    step: int
    wall_time: float
    value: float


# A reader of event files, written from the formats' documents, so that it shares no code with the writer:
# records as in https://www.tensorflow.org/tutorials/load_data/tfrecord, with messages encoded as in
# https://protobuf.dev/programming-guides/encoding, whose fields are in tensorboard/compat/proto/event.proto and
# summary.proto of https://github.com/tensorflow/tensorboard.


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def checked(data: bytes, checksum: bytes) -> bytes:
    """Return the data after its checksum has been checked, which is rotated and has a constant added."""
    crc = crc32c(data)
    assert struct.unpack("<I", checksum)[0] == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return data


def read_records(data: bytes) -> Iterator[bytes]:
    """Yield the records of an event file."""
    file = io.BytesIO(data)
    while header := file.read(8):
        (length,) = struct.unpack("<Q", checked(header, file.read(4)))
        yield checked(file.read(length), file.read(4))


def read_varint(file: io.BytesIO) -> int:
    """Read a number of 7 bits per byte, the lowest first."""
    number = shift = 0
    while (byte := file.read(1)[0]) & 0x80:
        number |= (byte & 0x7F) << shift
        shift += 7
    return number | byte << shift


def read_message(data: bytes) -> dict[int, int | float | bytes]:
    """Return the fields of a protocol buffer message by number."""
    file, fields = io.BytesIO(data), {}
    while file.tell() < len(data):
        number, wire_type = divmod(read_varint(file), 8)
        match wire_type:
            case 0:
                fields[number] = read_varint(file)
            case 1:
                (fields[number],) = struct.unpack("<d", file.read(8))
            case 2:
                fields[number] = file.read(read_varint(file))
            case 5:
                (fields[number],) = struct.unpack("<f", file.read(4))
    return fields


def read_event_file(data: bytes) -> tuple[bytes, list[Scalar]]:
    """Return the version and the scalars of an event file."""
    first, *others = (read_message(record) for record in read_records(data))
    scalars = []
    for event in others:  # wall_time = 1, step = 2, summary = 5; Summary: value = 1; Value: tag = 1, simple_value = 2
        value = read_message(read_message(event[5])[1])
        scalars.append(Scalar(value[1].decode(), event[2], event[1], value[2]))
    return first[3], scalars  # file_version = 3


def test_the_table_has_every_number(store: Store) -> None:
    """One per line, with network and seed by name."""
    (run,) = store.runs()
    rows = list(csv.reader(io.StringIO(metrics_csv(store, run))))
    assert list(COLUMNS) == rows[0]
    assert 2 * 4 * STEPS == len(rows) - 1
    (row,) = [row for row in rows if row[1:4] == ["7", "train_loss", "300"]]
    assert ["steps", "7", "train_loss", "300", "30.0", str(300 * 64), "101.0"] == row


def test_tensorboard_reads_every_number(store: Store) -> None:
    """A file per trainer, each scalar under its name, step and time."""
    (run,) = store.runs()
    with zipfile.ZipFile(io.BytesIO(tensorboard_zip(store, run))) as archive:
        names = archive.namelist()
        assert [f"mine-{run.id}/steps-seed{seed}" for seed in (0, 7)] == [name.rpartition("/")[0] for name in names]
        assert all(name.rpartition("/")[2].startswith("events.out.tfevents.") for name in names)
        files = [read_event_file(archive.read(name)) for name in names]
    for trainer, (version, scalars) in enumerate(files):
        assert version == b"brain.Event:2"
        assert [metric for metric in store.metrics(run.id) if metric.trainer == trainer] == [
            Metric(
                trainer,
                scalar.tag,
                scalar.step,
                pytest.approx(scalar.wall_time - run.started, abs=1e-5),
                scalar.step * 64,
                pytest.approx(scalar.value),
            )
            for scalar in scalars
        ]


def test_the_export_does_not_load_torch(store: Store) -> None:
    """The library that writes event files imports it if it can; the server must not, and can import it later."""
    code = """
        import sys
        from pathlib import Path
        from explorer.runs.export import tensorboard_zip
        from explorer.runs.store import Store
        store = Store(Path(sys.argv[1]))
        (run,) = store.runs()
        assert tensorboard_zip(store, run)
        assert "torch" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(store.folder)], check=True)


def test_a_name_is_no_path_in_the_zip(tmp_path: Path) -> None:
    """Whatever the run is called, its folder is one folder."""
    store = Store(tmp_path)
    store.add(plan(), "../最好的 a/b", "ann", 10**9, 20)
    recorder = Recorder(store, *store.start_next())
    recorder.add(step_event(1, 0, 0.5))
    recorder.end("finished")
    (run,) = store.runs()
    (name,) = zipfile.ZipFile(io.BytesIO(tensorboard_zip(store, run))).namelist()
    assert name.startswith(f"_最好的 a_b-{run.id}/")
    assert name.count("/") == 2
    store.close()
