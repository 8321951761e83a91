"""The run store: one SQLite file in the data directory, and a folder of checkpoints beside it.

    runs.sqlite                                what is known of every run, its metrics included
    checkpoints/<run>/<attempt>-<number>/      the checkpoint that the database names: a file of weights per lane, …

The database is the truth: a checkpoint counts from the moment in which a transaction names its folder, and a folder
that is not named is a stray. Any number of processes may have the store open (SQLite's write-ahead log); what a
worker writes goes through :mod:`explorer.runs.recorder`. The store keeps nothing in memory.
"""

import re
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep, time
from typing import NamedTuple

from explorer.errors import UserError
from explorer.runs.records import RESUMABLE, Point, Run, State, TrainerProgress
from explorer.training.checkpoints import weights_name
from explorer.training.events import EVENT, AnyEvent
from explorer.training.plan import Plan

VERSION = 1
MOST_POINTS = 500
IMPORT_S = 3_600  # a part of imported images that is older was left behind; another server may write a younger one
PATIENCE_S = 10  # for another process's transaction; each takes milliseconds

_SCHEMA = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    session TEXT NOT NULL,
    plan TEXT NOT NULL,
    memory INTEGER NOT NULL,              -- bytes that it may use
    state TEXT NOT NULL DEFAULT 'queued',
    place INTEGER NOT NULL,               -- the queue runs in this order
    wish TEXT NOT NULL DEFAULT '',        -- 'paused' or 'cancelled': what a running one shall become
    wished REAL,
    attempt INTEGER NOT NULL DEFAULT 0,   -- counts the workers; only the last may write
    checkpoint TEXT NOT NULL DEFAULT '',  -- the folder that is in force
    message TEXT NOT NULL DEFAULT '',
    created REAL NOT NULL,
    started REAL,
    finished REAL
);
CREATE INDEX runs_by_state ON runs (state, place);
CREATE TABLE lanes (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    step INTEGER NOT NULL,
    seconds REAL NOT NULL,
    images INTEGER NOT NULL,
    share REAL NOT NULL,
    kept_step INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, lane)
) WITHOUT ROWID;
CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    seconds REAL NOT NULL,
    images INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, lane, kind, step)
) WITHOUT ROWID;
CREATE TABLE events (                     -- the latest of each kind, but for steps
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (run, lane, kind)
) WITHOUT ROWID;
"""

# Mean values of at most :most stretches of equally many points, each at its stretch's end.
_THINNED = """
WITH numbered AS (
    SELECT step, seconds, images, value, row_number() OVER (ORDER BY step) - 1 AS n, count(*) OVER () AS total
    FROM metrics WHERE run = :run AND lane = :lane AND kind = :kind AND step > :after
)
SELECT max(step), max(seconds), max(images), avg(value) FROM numbered
GROUP BY n * :most / max(total, :most) ORDER BY 1
"""

# From one kind to the next by the primary key, without a look at the points between them.
_KINDS = """
WITH RECURSIVE found (kind) AS (
    SELECT min(kind) FROM metrics WHERE run = :run AND lane = :lane
    UNION ALL
    SELECT (SELECT min(kind) FROM metrics WHERE run = :run AND lane = :lane AND kind > found.kind)
    FROM found WHERE kind IS NOT NULL
)
SELECT kind FROM found WHERE kind IS NOT NULL
"""

_RUN_FIELDS = "number, id, name, session, plan, state, message, created, started, finished"

_LANES = """
SELECT run, lane, step, seconds, images, share, kept_step, coalesce(
    (SELECT kind FROM events WHERE events.run = lanes.run AND events.lane = lanes.lane
     AND kind IN ('diverged', 'finished')), '')
FROM lanes WHERE run IN (SELECT number FROM runs {where}) ORDER BY run, lane
"""

_RUN_ID = re.compile(r"r[0-9a-f]{12}")
_CHECKPOINT = re.compile(r"\d+-\d+(\.part)?")


class StoreError(UserError):
    """The store cannot be opened. The message is a sentence for the reader, with what to do."""


class Metric(NamedTuple):
    """One measured number as it is exported."""

    lane: int
    kind: str
    step: int
    seconds: float
    images: int
    value: float


class Job(NamedTuple):
    """What a worker needs to know of its run. ``memory`` is in bytes; ``checkpoint`` None where it begins anew."""

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
            self._db = self._opened(folder / "runs.sqlite")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"Training needs a folder to write to, and {folder} cannot be used ({error}). "
                "Name another one in EXPLORER_DATA."
            ) from error

    @staticmethod
    def _opened(file: Path) -> sqlite3.Connection:
        db = sqlite3.connect(file, PATIENCE_S, isolation_level=None, check_same_thread=False)
        _write_ahead(db)
        db.execute("PRAGMA synchronous = NORMAL")  # in this mode a power cut may undo, but never damage
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            db.close()
            raise StoreError(f"{file} was written by a newer version of the app. Use that one, or another folder.")
        if version == 0:
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
        return db

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the database for one transaction: all of it happens, or, when anything is raised, nothing."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _read(self, query: str, values: Iterable[object] | dict[str, object] = ()) -> list[tuple]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    # What a page reads.

    def run(self, run_id: str) -> Run | None:
        """Return a run, or None when there is none of that id (any more)."""
        found = self._runs("WHERE id = ?", (run_id,))
        return found[0] if found else None

    def runs(self, states: Iterable[State] = ()) -> list[Run]:
        """Return all runs, or those in some states, the latest first."""
        wanted = tuple(states)
        return self._runs(f"WHERE state IN ({', '.join('?' * len(wanted))})" if wanted else "", wanted)

    def _runs(self, where: str, values: tuple) -> list[Run]:
        with self._lock:
            rows = self._read(f"SELECT {_RUN_FIELDS} FROM runs {where} ORDER BY number DESC", values)
            lanes: dict[int, list[TrainerProgress]] = {}
            for number, *lane in self._read(_LANES.format(where=where), values):
                lanes.setdefault(number, []).append(TrainerProgress(*lane))
        return [Run(*fields, trainers=tuple(lanes.get(number, ()))) for number, *fields in rows]

    def queue_place(self, run_id: str) -> int | None:
        """Return how many runs, the running included, come before a queued one; None when it is not queued."""
        rows = self._read(
            "SELECT (SELECT count(*) FROM runs WHERE state = 'running' OR (state = 'queued' AND place < mine.place))"
            " FROM runs AS mine WHERE id = ? AND state = 'queued'",
            (run_id,),
        )
        return rows[0][0] if rows else None

    def kinds(self, run_id: str, lane: int = 0) -> tuple[str, ...]:
        """Return the names of a lane's curves, such as ``train_loss``, ``test_accuracy``, ``gradient/stem``."""
        return tuple(kind for (kind,) in self._read(_KINDS, {"run": self._number(run_id), "lane": lane}))

    def curve(
        self, run_id: str, kind: str, lane: int = 0, after_step: int = -1, most: int = MOST_POINTS
    ) -> list[Point]:
        """Return a curve after a step. Of more than ``most`` points, stretches are given by their mean values."""
        asked = {"run": self._number(run_id), "lane": lane, "kind": kind, "after": after_step, "most": most}
        return [Point(*row) for row in self._read(_THINNED, asked)]

    def latest(self, run_id: str, kind: str, lane: int = 0) -> AnyEvent | None:
        """Return the last event of a kind that a lane told: started, evaluated, diverged or finished."""
        rows = self._read(
            "SELECT event FROM events WHERE run = ? AND lane = ? AND kind = ?", (self._number(run_id), lane, kind)
        )
        return EVENT.validate_json(rows[0][0]) if rows else None

    def metrics(self, run_id: str) -> Iterator[Metric]:
        """Yield every number of a run, unthinned, ordered by lane, kind and step; read in parts."""
        number, last = self._number(run_id), (-1, "", -1)
        while rows := self._read(
            "SELECT lane, kind, step, seconds, images, value FROM metrics"
            " WHERE run = ? AND (lane, kind, step) > (?, ?, ?) ORDER BY lane, kind, step LIMIT 10000",
            (number, *last),
        ):
            yield from (Metric(*row) for row in rows)
            last = rows[-1][:3]

    def weights_path(self, run_id: str, lane: int = 0) -> Path | None:
        """Return the file of a lane's weights in the last checkpoint, for ``load_weights``; None before the first."""
        folder = self.checkpoint(run_id)
        path = folder / weights_name(lane) if folder else None
        return path if path and path.is_file() else None

    def checkpoint(self, run_id: str) -> Path | None:
        """Return the folder of a run's checkpoint in force; None before the first."""
        rows = self._read("SELECT checkpoint FROM runs WHERE id = ? AND checkpoint != ''", (run_id,))
        return self.checkpoints / run_id / rows[0][0] if rows else None

    def _number(self, run_id: str) -> int:
        """Return the key of a run in the other tables; -1, that of none, where it is unknown."""
        rows = self._read("SELECT number FROM runs WHERE id = ?", (run_id,))
        return rows[0][0] if rows else -1

    # What the manager writes. Whether it may is for the manager to judge; each step checks the state it starts from.

    def add(self, plan: Plan, name: str, session: str, memory: int, max_queue: int) -> str | None:
        """Put a run at the end of the queue and return its id; None when the queue holds ``max_queue`` already."""
        run_id = f"r{secrets.token_hex(6)}"
        with self.writing() as db:
            if _queued(db) >= max_queue:
                return None
            db.execute(
                f"INSERT INTO runs (id, name, session, plan, memory, created, place)"
                f" VALUES (?, ?, ?, ?, ?, ?, {_LAST})",
                (run_id, name, session, plan.model_dump_json(), memory, time()),
            )
        return run_id

    def requeue(self, run_id: str, max_queue: int) -> bool:
        """Put a run that can be resumed at the end of the queue; False when that is full or the run cannot."""
        with self.writing() as db:
            if _queued(db) >= max_queue:
                return False
            return _changed(
                db,
                f"UPDATE runs SET state = 'queued', wish = '', message = '', finished = NULL, place = {_LAST}"
                f" WHERE id = ? AND state IN ({', '.join('?' * len(RESUMABLE))})",
                (run_id, *RESUMABLE),
            )

    def request_state(self, run_id: str, state: State) -> bool:
        """Let a run become ``paused`` or ``cancelled``: at once in the queue, else as soon as its worker can.

        Asked again it does not wait longer.
        """
        with self.writing() as db:
            return _changed(
                db,
                "UPDATE runs SET state = ?, finished = ? WHERE id = ? AND state = 'queued'",
                (state, time(), run_id),
            ) or _changed(
                db,
                "UPDATE runs SET wished = iif(wish = ?1, wished, ?2), wish = ?1 WHERE id = ?3 AND state = 'running'",
                (state, time(), run_id),
            )

    def rename(self, run_id: str, name: str) -> bool:
        """Give a run another name."""
        with self.writing() as db:
            return _changed(db, "UPDATE runs SET name = ? WHERE id = ?", (name, run_id))

    def delete(self, run_id: str) -> bool:
        """Delete a run that is not running, with all that it left."""
        with self.writing() as db:
            gone = _changed(db, "DELETE FROM runs WHERE id = ? AND state != 'running'", (run_id,))
        if gone:
            shutil.rmtree(self.checkpoints / run_id, ignore_errors=True)  # what is left now is swept at the next start
        return gone

    # What the one who starts the workers writes.

    def start_next(self) -> tuple[str, int] | None:
        """Let the first in the queue be running; return its id and the number of this attempt. None without a queue."""
        with self.writing() as db:
            return db.execute(
                "UPDATE runs SET state = 'running', wish = '', attempt = attempt + 1, started = coalesce(started, ?)"
                " WHERE number = (SELECT number FROM runs WHERE state = 'queued' ORDER BY place LIMIT 1)"
                " RETURNING id, attempt",
                (time(),),
            ).fetchone()

    def stop_timed_out(self, patience_s: dict[str, float]) -> list[str]:
        """Return the running runs whose wish is older than the patience with it, in seconds by wish."""
        rows = self._read("SELECT id, wish, wished FROM runs WHERE state = 'running' AND wish != ''")
        return [run_id for run_id, wish, wished in rows if time() - wished > patience_s[wish]]

    def give_up(self, run_id: str, attempt: int, state: State, message: str) -> bool:
        """Note that a worker is gone, unless it has noted its end itself. A wish that stood is what the run becomes."""
        with self.writing() as db:
            return _changed(
                db,
                "UPDATE runs SET state = iif(wish = '', ?, wish), message = iif(wish = '', ?, ''), wish = '',"
                " finished = ? WHERE id = ? AND attempt = ? AND state = 'running'",
                (state, message, time(), run_id, attempt),
            )

    def give_up_all(self, message: str) -> None:
        """Note that all workers are gone."""
        for run_id, attempt in self._read("SELECT id, attempt FROM runs WHERE state = 'running'"):
            self.give_up(run_id, attempt, "interrupted", message)

    # What a worker reads.

    def job(self, run_id: str, attempt: int) -> Job | None:
        """Return what a worker shall do; None when the run is no longer its own."""
        rows = self._read(
            "SELECT number, plan, memory FROM runs WHERE id = ? AND attempt = ? AND state = 'running'",
            (run_id, attempt),
        )
        if not rows:
            return None
        number, plan, memory = rows[0]
        return Job(number, Plan.model_validate_json(plan), memory, self.checkpoint(run_id))

    def requested_state(self, run_id: str, attempt: int) -> str | None:
        """Return what a running run shall become, empty without a wish; None when it is no longer the worker's own."""
        rows = self._read("SELECT wish FROM runs WHERE id = ? AND attempt = ? AND state = 'running'", (run_id, attempt))
        return rows[0][0] if rows else None

    # Files.

    def sweep(self) -> None:
        """Remove files that nothing names: parts of checkpoints and imports, old checkpoints, those of deleted runs."""
        for folder in self.checkpoints.iterdir():
            if _RUN_ID.fullmatch(folder.name):
                self.sweep_run(folder.name)
        for part in (self.folder / "datasets").glob("*.part"):
            with suppress(OSError):  # whoever wrote it may have finished just now
                if time() - part.stat().st_mtime > IMPORT_S:
                    part.unlink()

    def sweep_run(self, run_id: str) -> None:
        """Remove the files of a run but for its checkpoint in force. Only what bears our names is touched."""
        folder, kept = self.checkpoints / run_id, self.checkpoint(run_id)
        if not folder.is_dir():
            return
        for found in folder.iterdir():
            if found != kept and _CHECKPOINT.fullmatch(found.name):
                shutil.rmtree(found, ignore_errors=True)
        if kept is None and not any(folder.iterdir()):
            folder.rmdir()


def _write_ahead(db: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite does not wait here for another who does the same to a new file."""
    end = monotonic() + PATIENCE_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
            sleep(0.01)


_LAST = "(SELECT coalesce(max(place), 0) + 1 FROM runs)"


def _queued(db: sqlite3.Connection) -> int:
    return db.execute("SELECT count(*) FROM runs WHERE state = 'queued'").fetchone()[0]


def _changed(db: sqlite3.Connection, statement: str, values: tuple) -> bool:
    return db.execute(statement, values).rowcount > 0
