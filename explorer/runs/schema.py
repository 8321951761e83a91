"""The run store's database: its tables, its version, the longer queries, and how it is opened.

Stored databases have these names of tables and columns, so they do not change. ``lane`` is the index of a trainer in
``plan.trainers``, ``share`` the fraction of its budget that it has used, ``kept_step`` its step in the checkpoint,
and ``wish`` the state that a user has requested.
"""

import sqlite3
from pathlib import Path
from time import monotonic, sleep

from explorer.errors import UserError

VERSION = 1
LOCK_TIMEOUT_S = 10  # for another process's transaction; each takes milliseconds

_TABLES = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    session TEXT NOT NULL,
    plan TEXT NOT NULL,
    memory INTEGER NOT NULL,              -- limit in bytes
    state TEXT NOT NULL DEFAULT 'queued',
    place INTEGER NOT NULL,               -- in the queue, ascending
    wish TEXT NOT NULL DEFAULT '',        -- the requested state of a running one: 'paused' or 'cancelled'
    wished REAL,                          -- when it was requested
    attempt INTEGER NOT NULL DEFAULT 0,   -- the number of the last worker; only that one may write
    checkpoint TEXT NOT NULL DEFAULT '',  -- the name of the current folder
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
CREATE TABLE events (                     -- the latest of each kind except steps
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    lane INTEGER NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (run, lane, kind)
) WITHOUT ROWID;
"""

# Mean values of at most :max_points groups of equally many points, each at the last step of its group.
THINNED_CURVE = """
WITH numbered AS (
    SELECT step, seconds, images, value, row_number() OVER (ORDER BY step) - 1 AS n, count(*) OVER () AS total
    FROM metrics WHERE run = :run AND lane = :trainer AND kind = :kind AND step > :after
)
SELECT max(step), max(seconds), max(images), avg(value), count(*) FROM numbered
GROUP BY n * :max_points / max(total, :max_points) ORDER BY 1
"""

# Goes from one kind to the next by the primary key, without reading the points between them.
CURVE_KINDS = """
WITH RECURSIVE found (kind) AS (
    SELECT min(kind) FROM metrics WHERE run = :run AND lane = :trainer
    UNION ALL
    SELECT (SELECT min(kind) FROM metrics WHERE run = :run AND lane = :trainer AND kind > found.kind)
    FROM found WHERE kind IS NOT NULL
)
SELECT kind FROM found WHERE kind IS NOT NULL
"""

# Of the trainers of one run, or of all without :run, that have used their budget.
FINAL_EVALUATIONS = """
SELECT runs.id, evaluated.lane, evaluated.event FROM events AS evaluated JOIN runs ON runs.number = evaluated.run
JOIN events AS finished ON finished.run = evaluated.run AND finished.lane = evaluated.lane
WHERE evaluated.kind = 'evaluated' AND finished.kind = 'finished' AND :run IN ('', runs.id)
"""

# In the order of the fields of TrainerProgress, after the number of the run.
TRAINER_PROGRESS = """
SELECT run, lane, step, seconds, images, share, kept_step, coalesce(
    (SELECT kind FROM events WHERE events.run = lanes.run AND events.lane = lanes.lane
     AND kind IN ('diverged', 'finished')), '')
FROM lanes WHERE run IN (SELECT number FROM runs {where}) ORDER BY run, lane
"""


class StoreError(UserError):
    """The store cannot be opened. The message is a sentence for the reader, with what to do."""


def open_database(file: Path) -> sqlite3.Connection:
    """Open the database for any thread, and create it if it is new.

    Raises StoreError for a newer version's, and sqlite3.Error for a file that cannot be used.
    """
    db = sqlite3.connect(file, LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    _use_write_ahead_log(db)
    db.execute("PRAGMA synchronous = NORMAL")  # in this mode a power cut may lose the last commits, but not corrupt
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        db.close()
        raise StoreError(f"{file} was written by a newer version of the app. Use that one, or another folder.")
    if version == 0:
        for statement in _TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")
    return db


def _use_write_ahead_log(db: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite itself does not wait for another process that switches a new file."""
    end = monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
            sleep(0.01)
