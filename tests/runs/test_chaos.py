"""kill -9 of worker and server at random moments: nothing is lost but the steps since the last checkpoint."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from time import sleep

import psutil
import pytest

from tests.runs.actor import losses
from tests.runs.stage import FASHION, Stage, assert_no_stray, assert_sound, plan, workers
from tests.stage import alive, eventually

KILLS = 20
STEPS = 4_000  # 2 ms each at least: more than the kills leave time for, if nothing of it were kept


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose workers are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def test_a_worker_killed_at_any_moment(stage: Stage) -> None:
    """Twenty times: while it starts, steps, writes or saves. The run goes on each time and ends as if nothing was."""
    random, manager = Random(1), stage.manager()
    run_id = stage.submitted(manager, steps=STEPS)
    kept = 0
    for _ in range(KILLS):
        victim = eventually(lambda: workers(stage.folder))[0]
        sleep(random.uniform(0, 0.6))
        victim.kill()
        run = stage.when(run_id, "interrupted")
        assert run.kept_step >= kept
        kept = run.kept_step
        assert_sound(stage.store)
        assert manager.resume(run_id, "ann") is None
    assert kept
    stage.when(run_id, "finished")
    assert losses(STEPS) == [point.value for point in stage.store.curve(run_id, "train_loss", most=STEPS)]
    assert_no_stray(stage.store)


def test_a_server_killed_at_any_moment(stage: Stage) -> None:
    """Twenty times: its worker goes with it, and the next server goes on with the run and with the queue."""
    random = Random(2)
    run_id = stage.store.add(plan(steps=STEPS), "long", "ann", 10**9, 20)
    waiting = stage.store.add(plan(steps=5), "short", "ann", 10**9, 20)
    kept = 0
    for _ in range(KILLS):
        command = [sys.executable, "-m", "tests.runs.server", str(stage.folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as server:
            assert server.stdout.readline() == b"serving\n"
            sleep(random.uniform(0, 0.8))
            family = psutil.Process(server.pid).children()
            server.kill()
        eventually(lambda members=family: not any(alive(member.pid) for member in members))
        eventually(lambda: not workers(stage.folder))
        assert_sound(stage.store)
        run = stage.store.run(run_id)
        assert run.kept_step >= kept
        kept = run.kept_step
    assert kept
    manager = stage.manager()
    eventually(lambda: "running" not in {run.state for run in stage.store.runs()} or stage.store.run(waiting).step)
    manager.resume(run_id, "ann")
    for each in (run_id, waiting):
        stage.when(each, "finished")
    assert losses(STEPS) == [point.value for point in stage.store.curve(run_id, "train_loss", most=STEPS)]
    assert_no_stray(stage.store)
    assert not isinstance(manager.submit(plan(steps=1), FASHION, "ann"), tuple)
