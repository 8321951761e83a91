"""Open the database of classes: an SQLite file in the data directory, or what ``EXPLORER_DATABASE`` names.

The same statements run on both. A transaction of SQLite takes the write lock at its beginning, so that it never fails
in its middle because another process writes; readers run without one, as the write-ahead log keeps them apart.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from explorer.classroom.records import ClassError
from explorer.settings import DATABASE_VARIABLE, database_url

FILE = "classes.sqlite"
LOCK_TIMEOUT_S = 10  # for another process's transaction; each takes milliseconds
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 7_204_118  # any number, the same in every process of ours


class Database:
    """An open database. Raises ClassError when it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self.engine = open_engine(folder)
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Return a connection in a transaction, which commits at the end and rolls back after an exception."""
        with _explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Return a connection without a transaction."""
        with _explained(), self._reader.connect() as connection:
            yield connection

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT of this database's dialect, which can update on a conflict; both spell it the same."""
        if self.engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@contextmanager
def _explained() -> Iterator[None]:
    """Turn the failure of a database that worked before into a message for the screen."""
    try:
        yield
    except DBAPIError as error:
        raise ClassError(
            "The database of the class does not answer. Your work is safe; votes count again as soon as it is back."
        ) from error


def open_engine(folder: Path) -> Engine:
    """Open the database and bring it to this version of the app. Raises ClassError where that is impossible."""
    url = database_url()
    try:
        engine = _server_engine(url) if url else _file_engine(folder)
        migrate(engine)
    except (NoSuchModuleError, ImportError) as error:
        raise ClassError(
            f"{DATABASE_VARIABLE} names a database without its driver here. Install requirements-cluster.txt and use "
            "an address that begins with postgresql+psycopg://."
        ) from error
    except ArgumentError as error:
        raise ClassError(
            f"{DATABASE_VARIABLE} is not the address of a database, such as postgresql+psycopg://user@host/name."
        ) from error
    except (DBAPIError, OSError) as error:
        place = "that EXPLORER_DATABASE names" if url else str(folder / FILE)
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise ClassError(f"The database {place} cannot be opened: {str(reason).splitlines()[0]}.") from error
    return engine


def _server_engine(url: str) -> Engine:
    """Open a database server. A connection that broke, as after its restart, is replaced before it is used."""
    if make_url(url).get_backend_name() != "postgresql":
        raise ArgumentError(url)
    return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10, connect_args={"connect_timeout": 5})


def _file_engine(folder: Path) -> Engine:
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{folder / FILE}", connect_args={"timeout": LOCK_TIMEOUT_S})
    event.listen(engine, "connect", _prepare_file)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_file(connection: Any, _: Any) -> None:
    """Set up a new connection to the file: transactions begin as we say, and rows go with what they belong to."""
    connection.isolation_level = None
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:  # another process switches a new file just now
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")  # what a closed class leaves is overwritten, not only unlinked


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def migrate(engine: Engine) -> None:
    """Run the steps that the database lacks, in one transaction; another process waits for it."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    script = ScriptDirectory.from_config(config)

    def missing_steps(revision: Any, _: Any) -> Any:
        return script._upgrade_revs("head", revision)

    with engine.begin() as connection, EnvironmentContext(config, script, fn=missing_steps) as environment:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        environment.configure(connection=connection)
        environment.run_migrations()
