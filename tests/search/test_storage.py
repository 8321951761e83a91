"""Where studies are kept (explorer.search.storage, explorer.search.store)."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError

from explorer.search.storage import FILE, StudyError, describe_storage, open_storage, outlast_outage
from explorer.search.store import StudyStore
from tests.search.studies import SPEC

ADDRESS = "postgresql://student:s3cr3t@127.0.0.1:1/lab"


def test_a_study_is_read_as_it_was_created(tmp_path: Path) -> None:
    """Another store of the same directory finds the study, and a deleted one is gone."""
    first = StudyStore(tmp_path)
    study_id = first.create(SPEC, workers=3)
    second = StudyStore(tmp_path)
    record = second.record(study_id)
    assert (SPEC, "running", 3, ()) == (record.spec, record.state, record.workers, record.trials)
    assert [study_id] == [head.id for head in second.heads()]
    second.delete(study_id)
    assert () == first.ids()
    with pytest.raises(StudyError, match="no such study"):
        first.record(study_id)


@pytest.mark.parametrize("study_id", ["", "s1", "../x", "s73e85ed649b1'; DROP TABLE studies; --", "s" + "0" * 12])
def test_an_unknown_study_is_refused(tmp_path: Path, study_id: str) -> None:
    """Any text that names no study gets the same message."""
    with pytest.raises(StudyError, match="no such study"):
        StudyStore(tmp_path).record(study_id)


def test_a_database_that_is_not_ours_stays_as_it_is(tmp_path: Path) -> None:
    """A file with other tables is refused, and nothing is written into it."""
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("CREATE TABLE grades (name TEXT)")
        db.commit()
    content = (tmp_path / FILE).read_bytes()
    with pytest.raises(StudyError, match="grades"):
        open_storage(tmp_path)
    assert content == (tmp_path / FILE).read_bytes()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """The message names the file."""
    (tmp_path / FILE).write_bytes(b"no database " * 100)
    with pytest.raises(StudyError, match=r"studies\.sqlite cannot be opened"):
        open_storage(tmp_path)


def test_a_study_of_another_version_is_listed_but_not_read(tmp_path: Path) -> None:
    """It does not hide the others, and its message says what to do."""
    store = StudyStore(tmp_path)
    other, good = store.create(SPEC), store.create(SPEC)
    document = json.loads(SPEC.model_dump_json()) | {"version": 2}
    store.storage.set_study_user_attr(store._head(other), "spec", json.dumps(document))
    assert [good] == [head.id for head in store.heads()]
    assert (other,) == store.unreadable()
    with pytest.raises(StudyError, match="another version of the app"):
        store.record(other)


def test_tables_of_another_version_of_optuna_are_refused(tmp_path: Path) -> None:
    """Optuna's own check becomes a message for the reader."""
    StudyStore(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
        db.commit()
    with pytest.raises(StudyError, match="another version of Optuna"):
        open_storage(tmp_path)


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the place nor the message of a failed connection has it."""
    pytest.importorskip("psycopg")
    monkeypatch.setenv("EXPLORER_DATABASE", ADDRESS)
    assert "s3cr3t" not in describe_storage(tmp_path)
    with pytest.raises(StudyError) as error:
        open_storage(tmp_path)
    assert "s3cr3t" not in str(error.value)
    assert "cannot be opened" in str(error.value)


@pytest.mark.parametrize("address", ["no address", "mysql://user:s3cr3t@host/x", "sqlite:///other.db"])
def test_an_address_of_another_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Only PostgreSQL is a shared database; the message repeats no part of the address."""
    monkeypatch.setenv("EXPLORER_DATABASE", address)
    with pytest.raises(StudyError, match="not the address of a PostgreSQL database") as error:
        open_storage(tmp_path)
    assert "s3cr3t" not in str(error.value)


def test_a_full_disk_is_no_outage(tmp_path: Path) -> None:
    """A database that is away is waited for; a full disk ends at once with its reason."""

    def fail() -> None:
        raise StorageInternalError from sqlite3.OperationalError("database or disk is full")

    with pytest.raises(StudyError, match="disk is full"):
        outlast_outage(fail, outage_s=60)


def test_an_outage_is_waited_for(tmp_path: Path) -> None:
    """What fails twice and then works has its result."""
    failures = iter((True, True, False))

    def work() -> str:
        if next(failures):
            raise StorageInternalError from sqlite3.OperationalError("the server closed the connection")
        return "done"

    assert "done" == outlast_outage(work)
