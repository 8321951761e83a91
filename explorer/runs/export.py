"""What a run measured, to take away: as a CSV table, and as the event files that TensorBoard reads.

Source of the event files' format: tensorboard/compat/proto/event.proto and summary.proto in
https://github.com/tensorflow/tensorboard, in records as in https://www.tensorflow.org/tutorials/load_data/tfrecord.
"""

import csv
import io
import struct
import zipfile
from collections.abc import Iterator
from itertools import groupby

from explorer.runs.records import Run
from explorer.runs.store import Metric, Store

COLUMNS = ("network", "seed", "kind", "step", "seconds", "images", "value")


def metrics_csv(store: Store, run: Run) -> str:
    """Return all numbers of a run as a CSV table, one in a line; seconds and images count for the lane alone."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    lanes = run.plan.trainers
    for lane, *numbers in store.metrics(run.id):
        writer.writerow((run.plan.entrants[lanes[lane].entrant].name, lanes[lane].seed, *numbers))
    return text.getvalue()


def tensorboard_zip(store: Store, run: Run) -> bytes:
    """Return a zip file of a folder per lane, each with the lane's curves as an event file."""
    began = run.started or run.created
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for lane, metrics in groupby(store.metrics(run.id), key=lambda metric: metric.lane):
            key = run.plan.trainers[lane]
            folder = f"{run.name}-{run.id}/{run.plan.entrants[key.entrant].name}-seed{key.seed}"
            with zipped.open(f"{folder}/events.out.tfevents.{int(began)}.inception-explorer", "w") as file:
                for record in event_file(began, metrics):
                    file.write(record)
    return archive.getvalue()


def event_file(began: float, metrics: Iterator[Metric]) -> Iterator[bytes]:
    """Yield the records of an event file: which version it is, and a scalar for each number, tagged with its kind.

    The time of a scalar is ``began`` (seconds since 1970) plus the lane's seconds of training.
    """
    yield _record(_double(1, began) + _bytes(3, b"brain.Event:2"))
    for metric in metrics:
        value = _bytes(1, metric.kind.encode()) + _float(2, metric.value)
        summary = _bytes(1, value)
        yield _record(_double(1, began + metric.seconds) + _integer(2, metric.step) + _bytes(5, summary))


# Fields of a protocol buffer (https://protobuf.dev/programming-guides/encoding): a key, then the value.


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _varint(value: int) -> bytes:
    """Seven bits to a byte, the lowest first; the eighth says that more follow."""
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    coded.append(value)
    return bytes(coded)


def _record(data: bytes) -> bytes:
    """A record: length, its checksum, the data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _checksum(data: bytes) -> bytes:
    """CRC-32C, turned and shifted as the format wants it, so that a checksum of checksums is no simple thing."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _divided(crc: int) -> int:
    """Return what eight steps of division by Castagnoli's polynomial (bits reversed) leave of a byte."""
    for _ in range(8):
        crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


_CRC = tuple(_divided(byte) for byte in range(256))
