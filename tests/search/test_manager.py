"""The manager of studies and its worker processes (explorer.search.manager)."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.search.manager import StudyManager
from explorer.search.records import StudyRecord
from explorer.search.runner import Runner
from explorer.search.spec import SearchBudget
from explorer.search.store import StudyStore
from tests.processes import wait_for
from tests.search.studies import SPEC, make_train

FAKE = (sys.executable, "-m", "tests.search.fake_worker")
SMALL = SPEC.replace(budget=SearchBudget(amount=3.0), finalists=1)
KILLS = int(os.environ.get("EXPLORER_TEST_KILLS", "4"))


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[StudyManager]:
    """Return a manager whose workers train nothing."""
    found = StudyManager(StudyStore(tmp_path), FAKE)
    yield found
    found.close()
    found.store.close()


@pytest.mark.slow
def test_workers_killed_at_random_lose_nothing(manager: StudyManager, tmp_path: Path) -> None:
    """After ``kill -9`` at random moments nothing is lost or counted twice: the same compute, each final training once.

    A worker that is killed while it asks for a table leaves one that others may overtake, so tables may differ.
    """
    reference = StudyStore(tmp_path / "reference")
    reference_id = reference.create(SMALL)
    Runner(reference, reference_id, "worker", make_train()).run()
    study_id, generator = manager.store.create(SMALL), random.Random(0)
    kills = 0
    while manager.store.head(study_id).is_active:
        time.sleep(generator.uniform(0.2, 2.5))
        if kills < KILLS and (workers := list(manager._workers)):
            os.kill(workers[0].process._process.pid, signal.SIGKILL)
            kills += 1
    assert kills >= 1
    expected, found = reference.record(reference_id), manager.store.record(study_id)
    assert final_trainings(expected) == final_trainings(found)
    largest = max(one.macs for one in [*expected.trials, *found.trials])
    for kind in ("search", "random"):
        assert abs(macs_of(expected, kind) - macs_of(found, kind)) <= largest
    reference.close()


def final_trainings(record: StudyRecord) -> list[tuple[object, ...]]:
    """Return the trainings at the end of a study, without their tables."""
    finals = [one for one in record.trials if one.arm.kind in ("finalists", "test")]
    return sorted((one.arm, one.state, one.seed, one.source) for one in finals)


def macs_of(record: StudyRecord, kind: str) -> int:
    """Return the MACs that the trials of an arm have used."""
    return sum(one.macs for one in record.trials if one.arm.kind == kind)


@pytest.mark.slow
def test_a_paused_study_has_no_workers(manager: StudyManager) -> None:
    """Workers end when a study is paused, and start when it is resumed."""
    study_id = manager.store.create(SMALL, workers=2)
    wait_for(lambda: len(manager._workers) == 2)
    manager.store.set_state(study_id, "paused")
    wait_for(lambda: not manager._workers)
    manager.store.set_state(study_id, "running")
    wait_for(lambda: len(manager._workers) == 2)


@pytest.mark.slow
def test_workers_that_end_at_once_stop_the_study(tmp_path: Path) -> None:
    """A study whose workers cannot start fails with a message instead of starting them for ever."""
    store = StudyStore(tmp_path)
    manager = StudyManager(store, (sys.executable, "-c", "raise SystemExit(7)"))
    study_id = store.create(SMALL)
    wait_for(lambda: store.head(study_id).state == "failed")
    assert "exit code 7" in store.head(study_id).message
    manager.close()
    store.close()
