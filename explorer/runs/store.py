"""The run store: one SQLite file in the data directory, and a folder of checkpoints next to it.

    runs.sqlite                                what is known of every run, including its metrics
    checkpoints/<run>/<attempt>-<number>/      the checkpoint that the database names: a file of weights per trainer, …

The database decides: a checkpoint is current from the moment in which a transaction names its folder, and a folder
that is not named is a stray. Any number of processes may have the store open (SQLite's write-ahead log). A worker
writes through :mod:`explorer.runs.recorder`. The store caches nothing in memory.
"""

import re
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from time import time
from typing import Any, Literal, NamedTuple, cast

from explorer.runs.records import RESUMABLE, Point, RequestedState, Run, State, TrainerProgress
from explorer.runs.schema import (
    CURVE_KINDS,
    FINAL_EVALUATIONS,
    THINNED_CURVE,
    TRAINER_PROGRESS,
    StoreError,
    open_database,
)
from explorer.training.checkpoints import weights_filename
from explorer.training.events import EVENT, AnyEvent, Evaluated
from explorer.training.plan import Plan

MAX_POINTS = 500
STALE_IMPORT_S = (
    3_600  # an older part of an imported dataset was left behind; another server may be writing a newer one
)

_RUN_FIELDS = "number, id, name, session, plan, state, message, created, started, finished"
_LAST_PLACE = "(SELECT coalesce(max(place), 0) + 1 FROM runs)"
_RUN_ID = re.compile(r"r[0-9a-f]{12}")
_CHECKPOINT = re.compile(r"\d+-\d+(\.part)?")


class Metric(NamedTuple):
    """One measured number, for export. ``trainer`` is the index in the plan."""

    trainer: int
    kind: str
    step: int
    seconds: float
    images: int
    value: float


class Job(NamedTuple):
    """What a worker needs to know of its run.

    ``memory`` is its limit in bytes; ``checkpoint`` the folder to resume from, None to start from the beginning.
    """

    number: int
    plan: Plan
    memory: int
    checkpoint: Path | None


class Store:
    """The runs in a data directory, which is created at first use. Safe from any thread.

    Raises StoreError when the directory or its database cannot be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checkpoints = folder / "checkpoints"
        self._lock = threading.RLock()
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self._db = open_database(folder / "runs.sqlite")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"Training needs a folder to write to, and {folder} cannot be used ({error}). "
                "Name another one in EXPLORER_DATA."
            ) from error

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Open one transaction: it is committed as a whole, or, when anything is raised, rolled back."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _read(self, query: str, values: Sequence[str | int] | Mapping[str, str | int] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # What a page reads.

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None when there is none with that id, or no longer."""
        runs = self._runs("WHERE id = ?", (run_id,))
        return runs[0] if runs else None

    def runs(self, states: Iterable[State] = ()) -> list[Run]:
        """Return all runs, or those in some states, the latest first."""
        values = tuple(states)
        return self._runs(f"WHERE state IN ({', '.join('?' * len(values))})" if values else "", values)

    def _runs(self, where: str, values: Sequence[str]) -> list[Run]:
        with self._lock:
            rows = self._read(f"SELECT {_RUN_FIELDS} FROM runs {where} ORDER BY number DESC", values)
            trainers: dict[int, list[TrainerProgress]] = {}
            for number, *fields in self._read(TRAINER_PROGRESS.format(where=where), values):
                trainers.setdefault(number, []).append(TrainerProgress(*fields))
        return [Run(*(*fields, tuple(trainers.get(number, ())))) for number, *fields in rows]

    def names(self, except_run: str = "") -> list[str]:
        """Return the names of all runs, except that of one."""
        return [name for (name,) in self._read("SELECT name FROM runs WHERE id != ?", (except_run,))]

    def queue_position(self, run_id: str) -> int | None:
        """Return how many runs, including the running ones, are before a queued run; None when it is not queued."""
        rows = self._read(
            "SELECT (SELECT count(*) FROM runs WHERE state = 'running' OR (state = 'queued' AND place < this.place))"
            " FROM runs AS this WHERE id = ? AND state = 'queued'",
            (run_id,),
        )
        return int(rows[0][0]) if rows else None

    def kinds(self, run_id: str, trainer: int = 0) -> tuple[str, ...]:
        """Return the names of a trainer's curves, such as ``train_loss``, ``test_accuracy``, ``gradient/stem``."""
        return tuple(kind for (kind,) in self._read(CURVE_KINDS, {"run": self._number(run_id), "trainer": trainer}))

    def curve(
        self, run_id: str, kind: str, trainer: int = 0, after_step: int = -1, max_points: int = MAX_POINTS
    ) -> list[Point]:
        """Return a curve after a step. More than ``max_points`` points are averaged in groups."""
        rows = self._read(
            THINNED_CURVE,
            {
                "run": self._number(run_id),
                "trainer": trainer,
                "kind": kind,
                "after": after_step,
                "max_points": max_points,
            },
        )
        return [Point(*row) for row in rows]

    def latest_event(self, run_id: str, kind: str, trainer: int = 0) -> AnyEvent | None:
        """Return a trainer's last event of a kind: started, evaluated, diverged or finished."""
        rows = self._read(
            "SELECT event FROM events WHERE run = ? AND lane = ? AND kind = ?", (self._number(run_id), trainer, kind)
        )
        return _read_event(rows[0][0]) if rows else None

    def final_evaluations(self, run_id: str = "") -> dict[tuple[str, int], Evaluated]:
        """Return the last evaluation of each trainer that has used its budget, by the run's id and its number.

        Those of one run, or of all.
        """
        rows = self._read(FINAL_EVALUATIONS, {"run": run_id})
        found = ((run_id, trainer, _read_event(text)) for run_id, trainer, text in rows)
        return {(run_id, trainer): event for run_id, trainer, event in found if isinstance(event, Evaluated)}

    def metrics(self, run_id: str) -> Iterator[Metric]:
        """Yield every number of a run, without averaging, ordered by trainer, kind and step; read in parts."""
        number, last = self._number(run_id), (-1, "", -1)
        while rows := self._read(
            "SELECT lane, kind, step, seconds, images, value FROM metrics"
            " WHERE run = ? AND (lane, kind, step) > (?, ?, ?) ORDER BY lane, kind, step LIMIT 10000",
            (number, *last),
        ):
            yield from (Metric(*row) for row in rows)
            last = rows[-1][:3]

    def weights_path(self, run_id: str, trainer: int = 0) -> Path | None:
        """Return the file of a trainer's weights in the checkpoint, for ``load_weights``; None before the first."""
        folder = self.checkpoint(run_id)
        path = folder / weights_filename(trainer) if folder else None
        return path if path and path.is_file() else None

    def checkpoint(self, run_id: str) -> Path | None:
        """Return the folder of a run's current checkpoint; None before the first."""
        rows = self._read("SELECT checkpoint FROM runs WHERE id = ? AND checkpoint != ''", (run_id,))
        return self.checkpoints / run_id / rows[0][0] if rows else None

    def _number(self, run_id: str) -> int:
        """Return the key of a run in the other tables; -1, the key of no run, for an unknown id."""
        rows = self._read("SELECT number FROM runs WHERE id = ?", (run_id,))
        return int(rows[0][0]) if rows else -1

    # What the manager writes for a page. The manager checks permissions; each method checks the state it starts from.

    def add(self, plan: Plan, name: str, session: str, memory: int, max_queue: int) -> str | None:
        """Put a run at the end of the queue and return its id; None when the queue already has ``max_queue`` runs."""
        run_id = f"r{secrets.token_hex(6)}"
        with self.transaction() as db:
            if _queue_length(db) >= max_queue:
                return None
            db.execute(
                f"INSERT INTO runs (id, name, session, plan, memory, created, place)"
                f" VALUES (?, ?, ?, ?, ?, ?, {_LAST_PLACE})",
                (run_id, name, session, plan.model_dump_json(), memory, time()),
            )
        return run_id

    def requeue(self, run_id: str, max_queue: int) -> bool:
        """Put a run that can resume at the end of the queue; False when the queue is full or the run cannot resume."""
        with self.transaction() as db:
            if _queue_length(db) >= max_queue:
                return False
            return _changes_rows(
                db,
                f"UPDATE runs SET state = 'queued', wish = '', message = '', finished = NULL, place = {_LAST_PLACE}"
                f" WHERE id = ? AND state IN ({', '.join('?' * len(RESUMABLE))})",
                (run_id, *RESUMABLE),
            )

    def request_state(self, run_id: str, state: RequestedState) -> bool:
        """Request that a run stops: a queued one stops at once, a running one as soon as its worker can.

        Another request for the same state does not start its timeout again.
        """
        with self.transaction() as db:
            return _changes_rows(
                db,
                "UPDATE runs SET state = ?, finished = ? WHERE id = ? AND state = 'queued'",
                (state, time(), run_id),
            ) or _changes_rows(
                db,
                "UPDATE runs SET wished = iif(wish = ?1, wished, ?2), wish = ?1 WHERE id = ?3 AND state = 'running'",
                (state, time(), run_id),
            )

    def rename(self, run_id: str, name: str) -> bool:
        """Give a run another name."""
        with self.transaction() as db:
            return _changes_rows(db, "UPDATE runs SET name = ? WHERE id = ?", (name, run_id))

    def delete(self, run_id: str) -> bool:
        """Delete a run that is not running, with its metrics and checkpoints."""
        with self.transaction() as db:
            deleted = _changes_rows(db, "DELETE FROM runs WHERE id = ? AND state != 'running'", (run_id,))
        if deleted:
            # Files that cannot be removed now are removed at the next start.
            shutil.rmtree(self.checkpoints / run_id, ignore_errors=True)
        return deleted

    # What the manager's thread writes.

    def start_next(self) -> tuple[str, int] | None:
        """Set the first run in the queue to running and return its id and attempt; None for an empty queue."""
        with self.transaction() as db:
            row: tuple[str, int] | None = db.execute(
                "UPDATE runs SET state = 'running', wish = '', attempt = attempt + 1, started = coalesce(started, ?)"
                " WHERE number = (SELECT number FROM runs WHERE state = 'queued' ORDER BY place LIMIT 1)"
                " RETURNING id, attempt",
                (time(),),
            ).fetchone()
        return row

    def stop_timed_out(self, timeouts_s: Mapping[RequestedState, float]) -> list[str]:
        """Return the running runs whose stop was requested longer ago than its timeout, in seconds by state."""
        rows = self._read("SELECT id, wish, wished FROM runs WHERE state = 'running' AND wish != ''")
        return [run_id for run_id, state, requested_at in rows if time() - requested_at > timeouts_s[state]]

    def record_worker_exit(self, run_id: str, attempt: int, state: State, message: str) -> bool:
        """Record that a worker has ended, unless it has recorded that itself.

        If a state was requested, the run is in that state now, else in ``state``, with ``message``.
        """
        with self.transaction() as db:
            return _changes_rows(
                db,
                "UPDATE runs SET state = iif(wish = '', ?, wish), message = iif(wish = '', ?, ''), wish = '',"
                " finished = ? WHERE id = ? AND attempt = ? AND state = 'running'",
                (state, message, time(), run_id, attempt),
            )

    def record_all_exits(self, message: str) -> None:
        """Record that all workers have ended, as interrupted unless another state was requested."""
        for run_id, attempt in self._read("SELECT id, attempt FROM runs WHERE state = 'running'"):
            self.record_worker_exit(run_id, attempt, "interrupted", message)

    # What a worker reads. Its writes are in explorer.runs.recorder.

    def job(self, run_id: str, attempt: int) -> Job | None:
        """Return a worker's job; None when the run is no longer assigned to this attempt."""
        rows = self._read(
            "SELECT number, plan, memory FROM runs WHERE id = ? AND attempt = ? AND state = 'running'",
            (run_id, attempt),
        )
        if not rows:
            return None
        number, plan, memory = rows[0]
        return Job(number, Plan.model_validate_json(plan), memory, self.checkpoint(run_id))

    def requested_state(self, run_id: str, attempt: int) -> RequestedState | Literal[""] | None:
        """Return the requested state of a running run, empty without a request.

        None when the run is no longer assigned to this attempt.
        """
        rows = self._read("SELECT wish FROM runs WHERE id = ? AND attempt = ? AND state = 'running'", (run_id, attempt))
        return cast(RequestedState | Literal[""], rows[0][0]) if rows else None

    # Files.

    def remove_stray_files(self) -> None:
        """Remove unfinished checkpoints and imports, old checkpoints, and those of deleted runs."""
        for folder in self.checkpoints.iterdir():
            if _RUN_ID.fullmatch(folder.name):
                self.remove_stray_checkpoints(folder.name)
        for part in (self.folder / "datasets").glob("*.part"):
            with suppress(OSError):  # another server may finish and rename it now
                if time() - part.stat().st_mtime > STALE_IMPORT_S:
                    part.unlink()

    def remove_stray_checkpoints(self, run_id: str) -> None:
        """Remove all checkpoints of a run except the current one. Files with other names than ours are not touched."""
        folder, current = self.checkpoints / run_id, self.checkpoint(run_id)
        if not folder.is_dir():
            return
        for path in folder.iterdir():
            if path != current and _CHECKPOINT.fullmatch(path.name):
                shutil.rmtree(path, ignore_errors=True)
        if current is None and not any(folder.iterdir()):
            folder.rmdir()


@lru_cache(maxsize=512)  # pages read the same ones again and again
def _read_event(text: str) -> AnyEvent:
    return EVENT.validate_json(text)


def _queue_length(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0])


def _changes_rows(db: sqlite3.Connection, statement: str, values: tuple[str | float, ...]) -> bool:
    """Execute a statement and return whether it changed any row."""
    return db.execute(statement, values).rowcount > 0
