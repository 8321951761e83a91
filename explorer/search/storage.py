"""Where studies are kept: an SQLite file in the data directory, or the PostgreSQL database in ``EXPLORER_DATABASE``.

Both hold Optuna's own tables and nothing else. In PostgreSQL they are in a schema of their own, so that they share a
database with the app's other tables. A password in the address is never part of a message.
"""

import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from explorer.errors import UserError
from explorer.settings import DATABASE_VARIABLE, database_url

FILE = "studies.sqlite"
SCHEMA = "explorer_studies"
HEARTBEAT_S, GRACE_S = 4, 20  # a running trial without a sign for so long belongs to a worker that was killed
LOCK_TIMEOUT_S = 30  # for another process's transaction; each takes milliseconds
OUTAGE_S = 120.0  # a worker waits so long for a database that is restarted
_DISK_FULL = ("disk is full", "No space left")

_Result = TypeVar("_Result")


class StudyError(UserError):
    """A study or its storage cannot be used. The message says why and what to do."""


def open_storage(folder: Path) -> RDBStorage:
    """Open the storage, and create it if it is new. Raises StudyError."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    address = database_url()
    place = f"that {DATABASE_VARIABLE} names" if address else str(folder / FILE)
    try:
        url = _server_url(address) if address else _file_url(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            storage = RDBStorage(
                url.render_as_string(hide_password=False),
                _engine_options(is_server=bool(address)),
                heartbeat_interval=HEARTBEAT_S,
                grace_period=GRACE_S,
            )
        if not address:
            event.listen(storage.engine, "connect", _relax_commits)
            storage.engine.dispose()  # the connections of before
        return storage
    except ArgumentError as error:
        raise StudyError(
            f"{DATABASE_VARIABLE} is not the address of a PostgreSQL database, such as postgresql://user@host/name."
        ) from error
    except ImportError as error:
        raise StudyError(
            f"{DATABASE_VARIABLE} names a database without its driver here. Install requirements-cluster.txt."
        ) from error
    except RuntimeError as error:  # Optuna's tables of another version
        raise StudyError(
            f"The studies in the database {place} were written by another version of Optuna. Use that one, or another "
            "database."
        ) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StudyError(f"The database {place} cannot be opened: {_reason(error, address)}") from error


def _relax_commits(connection: Any, _: Any) -> None:
    """Do not wait for the disk at each commit: in this mode a power cut may lose the last ones, but not corrupt."""
    connection.execute("PRAGMA synchronous = NORMAL")


def _engine_options(*, is_server: bool) -> dict[str, object]:
    if is_server:
        return {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return {"connect_args": {"timeout": LOCK_TIMEOUT_S}}


def _server_url(address: str) -> URL:
    """Return the address with its driver and our schema, which is created if it is missing."""
    url = make_url(address)
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "postgresql":
        raise ArgumentError(address)
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            names = {
                name
                for (name,) in connection.execute(
                    text("SELECT table_name FROM information_schema.tables WHERE table_schema = :schema"),
                    {"schema": SCHEMA},
                )
            }
    finally:
        engine.dispose()
    _refuse_foreign_tables(names, f"the schema {SCHEMA}")
    return url.update_query_dict({"options": f"-csearch_path={SCHEMA}"})


def _file_url(folder: Path) -> URL:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    with closing(sqlite3.connect(path, LOCK_TIMEOUT_S)) as db:
        names = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        _refuse_foreign_tables(names, str(path))
        with suppress(sqlite3.OperationalError):  # another process switches a new file just now
            db.execute("PRAGMA journal_mode = WAL")
    return URL.create("sqlite", database=str(path))


def _refuse_foreign_tables(names: set[str], place: str) -> None:
    if names and not {"studies", "trials", "version_info"} <= names:
        raise StudyError(
            f"{place} has tables that are not those of studies ({', '.join(sorted(names)[:3])}). Nothing was changed. "
            "Move it away, or name another database."
        )


def _reason(error: BaseException, address: str) -> str:
    """Return the first line of what a driver reports, without the password of the address."""
    error = error.__cause__ if isinstance(error, StorageInternalError) and error.__cause__ else error
    line = str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".") + "."
    with suppress(ArgumentError):
        if address and (password := make_url(address).password):
            line = line.replace(str(password), "***")
    return line.replace(address, "***") if address else line


def describe_storage(folder: Path) -> str:
    """Return the place of the studies for a reader, with ``***`` instead of a password."""
    address = database_url()
    if not address:
        return str(folder / FILE)
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return DATABASE_VARIABLE


def outlast_outage(operation: Callable[[], _Result], outage_s: float = OUTAGE_S) -> _Result:
    """Do something in the storage, again and again while it is away. Raises StudyError after ``outage_s``."""
    end, pause = monotonic() + outage_s, 0.05
    while True:
        try:
            return operation()
        except (StorageInternalError, SQLAlchemyError) as error:
            reason = _reason(error, database_url())
            if monotonic() > end or any(sign in reason for sign in _DISK_FULL):
                raise StudyError(f"The studies cannot be written: {reason}") from error
            sleep(pause)
            pause = min(2.0, 2 * pause)
