"""A store of classes for each test: in a file, and again on a PostgreSQL server of the tests where it is installed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from explorer.classroom.store import ClassStore
from explorer.lessons.openings import opening_question

QUESTION = opening_question("reduction")
SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start a PostgreSQL server on a socket, and return the beginning of its addresses."""
    if not SERVERS:
        pytest.skip("needs PostgreSQL: install the package postgresql")
    pytest.importorskip("psycopg", reason="needs requirements-cluster.txt")
    with TemporaryDirectory(prefix="explorer-") as folder:
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        _run(folder, "initdb", "-A", "trust", "-U", "tests")
        _run(folder, "pg_ctl", "-w", "-o", f"-k {folder} -c listen_addresses= -c fsync=off", "start")
        yield f"postgresql+psycopg://tests@/{{}}?host={folder}"
        _run(folder, "pg_ctl", "-m", "immediate", "stop")


def _run(folder: str, program: str, *arguments: str) -> None:
    """Run a program of PostgreSQL on the server's data in a folder, as the folder's owner."""
    subprocess.run(
        [SERVERS[-1] / program, "-D", f"{folder}/data", *arguments],
        check=True,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=Path(folder).owner(),
    )


def new_database(server: str) -> str:
    """Create an empty database on a server and return its address."""
    from sqlalchemy import create_engine, text

    name = f"classes_{uuid4().hex}"
    engine = create_engine(server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name)


@pytest.fixture(params=["file", pytest.param("server", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClassStore]:
    """A store without classes, in a file and on a database server."""
    url = new_database(request.getfixturevalue("server")) if request.param == "server" else ""
    monkeypatch.setenv("EXPLORER_DATABASE", url)
    found = ClassStore(tmp_path)
    yield found
    found.dispose()


@pytest.fixture
def classroom(store: ClassStore) -> int:
    """A class in the store."""
    code, _ = store.open_class()
    return store.find_class(code)
