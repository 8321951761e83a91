"""The worker's side of the run store: events in, checkpoints down, the end noted. Every write is fenced.

Each attempt to work on a run has a number, and a write counts only while the run is running under that number. So a
worker that was given up, and lives a moment longer, changes nothing.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from time import monotonic, time

from explorer.runs.records import State
from explorer.runs.store import Job, Store
from explorer.training.checkpoints import trainer_files
from explorer.training.events import AnyEvent, Evaluated, Stepped

FLUSH_S = 0.25  # seconds of steps that are written together
LOOK_S = 0.05  # seconds between two looks at what is wished


class SupersededError(Exception):
    """The run is no longer this worker's: it was deleted, or another attempt has begun."""


class Recorder:
    """Writes what one attempt does. Raises SupersededError as soon as the run is another's."""

    def __init__(self, store: Store, run_id: str, attempt: int) -> None:
        self._store, self._run_id, self._attempt = store, run_id, attempt
        self._pending: list[AnyEvent] = []
        self._flushed = self._looked = monotonic()
        self._wish = ""
        self._saved = 0
        self.job = self._begun()

    def _begun(self) -> Job:
        """Take the run back to its checkpoint, so that the steps after it can come again."""
        job = self._store.job(self._run_id, self._attempt)
        if job is None:
            raise SupersededError
        with self._store.writing() as db:
            self._fence(db)
            for table in ("metrics", "events"):
                db.execute(
                    f"DELETE FROM {table} WHERE run = :run AND step > (SELECT kept_step FROM lanes"
                    f" WHERE lanes.run = :run AND lanes.lane = {table}.lane)",
                    {"run": job.number},
                )
        self._store.sweep_run(self._run_id)
        return job

    def add(self, event: AnyEvent) -> None:
        """Take an event in. A step is written with others, after a quarter of a second while steps come."""
        self._pending.append(event)
        if not isinstance(event, Stepped) or monotonic() - self._flushed > FLUSH_S:
            self.flush()

    def flush(self) -> None:
        """Write what is pending."""
        with self._store.writing() as db:
            self._fence(db)
            self._write(db)
        self._written()

    def requested_state(self) -> str:
        """Return what the run shall become, ``paused`` or ``cancelled``; empty while it shall go on."""
        if monotonic() - self._looked > LOOK_S:
            self._looked = monotonic()
            self._wish = self._store.requested_state(self._run_id, self._attempt)
            if self._wish is None:
                raise SupersededError
        return self._wish

    def checkpoint(self, save: Callable[[Path], Mapping[int, int]]) -> None:
        """Let ``save`` write files into a new folder, and make that the checkpoint, with all events until now.

        ``save`` returns the step of each lane that it wrote. Of the others, whose weights are no numbers any more, the
        last good files are taken over. Until the last moment the older checkpoint is in force; after it, it is removed.
        Raises OSError when the new one cannot be written; then nothing has changed.
        """
        self._saved += 1
        folder = self._store.checkpoints / self._run_id
        name = f"{self._attempt}-{self._saved}"
        part = folder / f"{name}.part"
        part.mkdir(parents=True)
        try:
            kept = save(part)
            self._take_over(part, kept)
            for file in part.iterdir():
                _to_disk(file)
            part.rename(folder / name)
            _to_disk(folder)
            self._name(name, kept)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(folder / name, ignore_errors=True)
            raise
        self._store.sweep_run(self._run_id)

    def _take_over(self, part: Path, kept: Mapping[int, int]) -> None:
        if previous := self._store.checkpoint(self._run_id):
            for lane in set(range(len(self.job.plan.trainers))) - set(kept):
                for file in previous.glob(trainer_files(lane)):
                    shutil.copy(file, part)

    def _name(self, checkpoint: str, kept: Mapping[int, int]) -> None:
        with self._store.writing() as db:
            self._fence(db)
            self._write(db)
            db.execute("UPDATE runs SET checkpoint = ? WHERE number = ?", (checkpoint, self.job.number))
            db.executemany(
                "UPDATE lanes SET kept_step = ? WHERE run = ? AND lane = ?",
                [(step, self.job.number, lane) for lane, step in kept.items()],
            )
        self._written()

    def end(self, state: State, message: str = "") -> None:
        """Write what is pending and note how the run ended, in one transaction."""
        with self._store.writing() as db:
            self._fence(db)
            self._write(db)
            db.execute(
                "UPDATE runs SET state = ?, message = ?, wish = '', finished = ? WHERE number = ?",
                (state, message, time(), self.job.number),
            )
        self._written()

    def _fence(self, db: sqlite3.Connection) -> None:
        mine = "SELECT 1 FROM runs WHERE id = ? AND attempt = ? AND state = 'running'"
        if not db.execute(mine, (self._run_id, self._attempt)).fetchone():
            raise SupersededError

    def _write(self, db: sqlite3.Connection) -> None:
        number = self.job.number
        latest = {event.lane: event for event in self._pending}
        db.executemany(
            "INSERT INTO lanes (run, lane, step, seconds, images, share) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET step = excluded.step, seconds = excluded.seconds,"
            " images = excluded.images, share = excluded.share",
            [(number, lane, e.step, e.seconds, e.images, e.share) for lane, e in latest.items()],
        )
        db.executemany(
            "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, event.lane, kind, event.step, event.seconds, event.images, value)
                for event in self._pending
                for kind, value in numbers(event)
                if isfinite(value)
            ],
        )
        db.executemany(
            "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)",
            [
                (number, event.lane, event.kind, event.step, event.model_dump_json())
                for event in self._pending
                if not isinstance(event, Stepped)
            ],
        )

    def _written(self) -> None:
        self._pending.clear()
        self._flushed = monotonic()


def numbers(event: AnyEvent) -> Iterator[tuple[str, float]]:
    """Yield the numbers of an event that make curves, each with the name of its curve."""
    if isinstance(event, Stepped) and event.step % _stride(event.step) == 0:
        yield "train_loss", event.loss
        yield "train_accuracy", event.accuracy
        yield "learning_rate", event.learning_rate
        yield from ((f"aux_loss/{tap}", loss) for tap, loss in event.aux_losses.items())
        yield from ((f"gradient/{block}", norm) for block, norm in event.gradients.items())
    elif isinstance(event, Evaluated):
        yield "test_loss", event.loss
        yield "test_accuracy", event.accuracy


def _stride(step: int) -> int:
    """Return how far apart the steps are that make points: 1 below 8,192, then 2, 4, …, so long runs stay small."""
    return 1 << max(0, step.bit_length() - 13)


def _to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Windows cannot do so for folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
