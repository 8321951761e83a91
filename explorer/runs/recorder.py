"""The worker's side of the run store: it writes events, checkpoints and the end of a run. Every write is fenced.

Each attempt to work on a run has a number, and a write is valid only while the run is running with that number. So a
worker that has lost its run, but lives a moment longer, changes nothing.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from pathlib import Path
from time import monotonic, time
from typing import Literal

from explorer.runs.records import RequestedState, State
from explorer.runs.store import Job, Store
from explorer.training.checkpoints import trainer_file_pattern
from explorer.training.events import AnyEvent, Evaluated, Stepped

FLUSH_INTERVAL_S = 0.25  # seconds of steps that are written together
POLL_INTERVAL_S = 0.05  # seconds between two reads of the requested state


class SupersededError(Exception):
    """The run is no longer assigned to this worker: it was deleted, or another attempt has started."""


class Recorder:
    """Writes what one attempt does. Raises SupersededError as soon as the run is no longer assigned to it."""

    def __init__(self, store: Store, run_id: str, attempt: int) -> None:
        self._store, self._run_id, self._attempt = store, run_id, attempt
        self._pending: list[AnyEvent] = []
        self._flushed_at = self._polled_at = monotonic()
        self._requested_state: RequestedState | Literal[""] = ""
        self._checkpoints = 0
        self.job = self._start()

    def _start(self) -> Job:
        """Reset the run to its checkpoint: delete the metrics and events after it, because they will come again."""
        job = self._store.job(self._run_id, self._attempt)
        if job is None:
            raise SupersededError
        with self._store.transaction() as db:
            self._fence(db)
            for table in ("metrics", "events"):
                db.execute(
                    f"DELETE FROM {table} WHERE run = :run AND step > (SELECT kept_step FROM lanes"
                    f" WHERE lanes.run = :run AND lanes.lane = {table}.lane)",
                    {"run": job.number},
                )
        self._store.remove_stray_checkpoints(self._run_id)
        return job

    def add(self, event: AnyEvent) -> None:
        """Add an event. Steps are written together, every quarter of a second; other events at once."""
        self._pending.append(event)
        if not isinstance(event, Stepped) or monotonic() - self._flushed_at > FLUSH_INTERVAL_S:
            self.flush()

    def flush(self) -> None:
        """Write the pending events."""
        with self._store.transaction() as db:
            self._fence(db)
            self._write(db)
        self._clear_pending()

    def requested_state(self) -> RequestedState | Literal[""]:
        """Return the requested state of the run, ``paused`` or ``cancelled``; empty without a request."""
        if monotonic() - self._polled_at > POLL_INTERVAL_S:
            self._polled_at = monotonic()
            state = self._store.requested_state(self._run_id, self._attempt)
            if state is None:
                raise SupersededError
            self._requested_state = state
        return self._requested_state

    def checkpoint(self, save: Callable[[Path], Mapping[int, int]]) -> None:
        """Let ``save`` write files into a new folder, and make that the checkpoint, with all events until now.

        ``save`` returns the step of each trainer that it wrote. For the others, which have diverged,
        the files of the previous checkpoint are copied. That one stays current until the new one is complete, and is
        then removed. Raises OSError when the new one cannot be written; then nothing has changed.
        """
        self._checkpoints += 1
        folder = self._store.checkpoints / self._run_id
        name = f"{self._attempt}-{self._checkpoints}"
        part = folder / f"{name}.part"
        part.mkdir(parents=True)
        try:
            steps = save(part)
            self._copy_missing_trainers(part, steps)
            for file in part.iterdir():
                _sync(file)
            part.rename(folder / name)
            _sync(folder)
            self._make_current(name, steps)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            shutil.rmtree(folder / name, ignore_errors=True)
            raise
        self._store.remove_stray_checkpoints(self._run_id)

    def _copy_missing_trainers(self, part: Path, steps: Mapping[int, int]) -> None:
        if previous := self._store.checkpoint(self._run_id):
            for trainer in set(range(len(self.job.plan.trainers))) - set(steps):
                for file in previous.glob(trainer_file_pattern(trainer)):
                    shutil.copy(file, part)

    def _make_current(self, checkpoint: str, steps: Mapping[int, int]) -> None:
        with self._store.transaction() as db:
            self._fence(db)
            self._write(db)
            db.execute("UPDATE runs SET checkpoint = ? WHERE number = ?", (checkpoint, self.job.number))
            db.executemany(
                "UPDATE lanes SET kept_step = ? WHERE run = ? AND lane = ?",
                [(step, self.job.number, trainer) for trainer, step in steps.items()],
            )
        self._clear_pending()

    def end(self, state: State, message: str = "") -> None:
        """Write the pending events and how the run ended, in one transaction."""
        with self._store.transaction() as db:
            self._fence(db)
            self._write(db)
            db.execute(
                "UPDATE runs SET state = ?, message = ?, wish = '', finished = ? WHERE number = ?",
                (state, message, time(), self.job.number),
            )
        self._clear_pending()

    def _fence(self, db: sqlite3.Connection) -> None:
        query = "SELECT 1 FROM runs WHERE id = ? AND attempt = ? AND state = 'running'"
        if not db.execute(query, (self._run_id, self._attempt)).fetchone():
            raise SupersededError

    def _write(self, db: sqlite3.Connection) -> None:
        number = self.job.number
        latest = {event.trainer: event for event in self._pending}
        db.executemany(
            "INSERT INTO lanes (run, lane, step, seconds, images, share) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET step = excluded.step, seconds = excluded.seconds,"
            " images = excluded.images, share = excluded.share",
            [(number, trainer, e.step, e.seconds, e.images, e.progress) for trainer, e in latest.items()],
        )
        db.executemany(
            "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, event.trainer, kind, event.step, event.seconds, event.images, value)
                for event in self._pending
                for kind, value in curve_values(event)
                if isfinite(value)
            ],
        )
        db.executemany(
            "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?)",
            [
                (number, event.trainer, event.kind, event.step, event.model_dump_json())
                for event in self._pending
                if not isinstance(event, Stepped)
            ],
        )

    def _clear_pending(self) -> None:
        self._pending.clear()
        self._flushed_at = monotonic()


def curve_values(event: AnyEvent) -> Iterator[tuple[str, float]]:
    """Yield the values of an event that become points of curves, each with the name of its curve."""
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
    """Return the distance between steps that become points: 1 below 8,192, then 2, 4, …: long runs stay small."""
    return 1 << max(0, step.bit_length() - 13)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Windows cannot do this for folders."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
