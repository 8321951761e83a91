"""Studies in PostgreSQL: a real server, which is killed while a study runs. Skipped where it is not installed."""

import os
import random
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import pytest

from explorer.search.runner import Runner
from explorer.search.spec import SearchBudget
from explorer.search.storage import StudyError, describe_storage
from explorer.search.store import StudyStore
from explorer.training.plan import Plan
from tests.classroom.conftest import SERVERS, _run
from tests.search.studies import SPEC, make_train

KILLS = 5
SMALL = SPEC.replace(budget=SearchBudget(amount=3.0), finalists=1)


class Server:
    """A PostgreSQL server on a socket in a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        _run(folder, "initdb", "-A", "trust", "-U", "tests")
        self.address = f"postgresql://tests:s3cr3t@/postgres?host={folder}"

    def start(self) -> None:
        """Start it, and wait until it answers. It refuses while the children of a killed server still live."""
        for attempt in range(100):
            try:
                _run(self.folder, "pg_ctl", "-w", "-o", f"-k {self.folder} -c listen_addresses= -c fsync=off", "start")
                return
            except subprocess.CalledProcessError:
                if attempt == 99:
                    raise
                sleep(0.2)

    def kill(self) -> None:
        """Kill its main process at once, and what it leaves."""
        process = int(Path(self.folder, "data", "postmaster.pid").read_text().split()[0])
        os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """Stop it without a checkpoint."""
        _run(self.folder, "pg_ctl", "-m", "immediate", "stop")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Start a server, and name it in the environment."""
    if not SERVERS:
        pytest.skip("needs PostgreSQL: install the package postgresql")
    pytest.importorskip("psycopg", reason="needs requirements-cluster.txt")
    with TemporaryDirectory(prefix="explorer-") as folder:
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
        found = Server(folder)
        found.start()
        monkeypatch.setenv("EXPLORER_DATABASE", found.address)
        yield found
        found.stop()


def run_workers(store_folder: Path, study_id: str, workers: int, before_step: Callable[[Plan], None]) -> None:
    """Run a study with workers that have a connection each."""

    def work(number: int) -> None:
        store = StudyStore(store_folder)
        Runner(store, study_id, f"worker {number}", make_train(before_step)).run()
        store.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.slow
def test_a_server_that_is_killed_loses_no_trial(server: Server, tmp_path: Path) -> None:
    """A study of two workers outlives a server that is killed again and again: every training is there once."""
    store = StudyStore(tmp_path)
    study_id = store.create(SMALL)
    generator, moments, lock = random.Random(0), set[int](), threading.Lock()
    moments |= set(generator.sample(range(20), KILLS))
    started = 0

    def kill(plan: Plan) -> None:
        nonlocal started
        with lock:
            started += 1
            if started - 1 in moments:
                server.kill()
                server.start()

    run_workers(tmp_path, study_id, 2, kill)
    record = store.record(study_id)
    assert "finished" == record.state
    assert started > max(moments)
    finals = [(one.source, one.seed) for one in record.arm(0, "test") if one.state == "complete"]
    assert 15 == len(finals) == len(set(finals))
    assert not [one for one in record.trials if one.state in ("running", "waiting", "failed")]
    store.close()


@pytest.mark.slow
def test_studies_have_a_schema_of_their_own(server: Server, tmp_path: Path) -> None:
    """Nothing is written into the schema that the app's other tables use; a foreign schema is refused as it is."""
    from sqlalchemy import create_engine, text

    store = StudyStore(tmp_path)
    study_id = store.create(SMALL)
    assert study_id in store.ids()
    store.close()
    engine = create_engine(server.address.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        query = text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        assert 0 == connection.execute(query).scalar()
        connection.execute(text("DROP SCHEMA explorer_studies CASCADE"))
        connection.execute(text("CREATE SCHEMA explorer_studies"))
        connection.execute(text("CREATE TABLE explorer_studies.grades (name TEXT)"))
    with pytest.raises(StudyError, match="grades"):
        StudyStore(tmp_path)
    assert "s3cr3t" not in describe_storage(tmp_path)
    engine.dispose()
