"""A run's measured numbers as files: a CSV table, and the event files that TensorBoard reads."""

import csv
import io
import sys
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from explorer.runs.records import Run
from explorer.runs.store import Metric, Store
from explorer.training.names import file_stem

COLUMNS = ("network", "seed", "kind", "step", "seconds", "images", "value")


def metrics_csv(store: Store, run: Run) -> str:
    """Return all numbers of a run as a CSV table, one per line; seconds and images are those of one trainer."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    keys = run.plan.trainers
    for trainer, *values in store.metrics(run.id):
        writer.writerow((run.plan.networks[keys[trainer].network].name, keys[trainer].seed, *values))
    return text.getvalue()


def tensorboard_zip(store: Store, run: Run) -> bytes:
    """Return a zip file with a folder per trainer, which has the trainer's curves as an event file."""
    started = run.started or run.created
    archive = io.BytesIO()
    with TemporaryDirectory() as folder, zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        file = Path(folder) / "events"
        for trainer, metrics in groupby(store.metrics(run.id), key=lambda metric: metric.trainer):
            key = run.plan.trainers[trainer]
            _write_events(file, started, metrics)
            network = run.plan.networks[key.network].name
            name = f"{file_stem(run.name)}-{run.id}/{file_stem(network)}-seed{key.seed}"
            zipped.write(file, f"{name}/events.out.tfevents.{int(started)}.inception-explorer")
    return archive.getvalue()


def _write_events(file: Path, started: float, metrics: Iterable[Metric]) -> None:
    """Write an event file with a scalar for each metric, tagged with its kind.

    The time of a scalar is ``started`` (seconds since 1970) plus the trainer's seconds of training.
    """
    with _without_torch():
        from tensorboardX import RecordWriter
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary
    writer = RecordWriter(str(file))
    writer.write(Event(wall_time=started, file_version="brain.Event:2").SerializeToString())
    for metric in metrics:
        summary = Summary(value=[Summary.Value(tag=metric.kind, simple_value=metric.value)])
        event = Event(wall_time=started + metric.seconds, step=metric.step, summary=summary)
        writer.write(event.SerializeToString())
    writer.close()


@contextmanager
def _without_torch() -> Iterator[None]:
    """Make ``import torch`` fail in the block: tensorboardX imports it if it can, and the server must not load it."""
    is_absent = "torch" not in sys.modules
    if is_absent:
        sys.modules["torch"] = None  # type: ignore[assignment]  # None means that the module cannot be imported
    try:
        yield
    finally:
        if is_absent:
            sys.modules.pop("torch", None)
