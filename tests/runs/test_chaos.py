"""kill -9 of worker and server at random moments, 20 times each: only steps since the last checkpoint are lost.

Four runs, or four servers, are killed in each of five rounds.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random
from time import monotonic, sleep
from typing import TypeVar

import psutil
import pytest

from explorer.runs.manager import Manager
from tests.runs.stage import FOREVER, Stage, assert_no_stray, assert_sound, plan, workers
from tests.stage import alive, eventually

ROUNDS, AT_ONCE = 5, 4
BEGUN = (1, 2, 4)  # the rounds that wait until all step before they kill; in the others many are still loading
LATEST_S = 0.8

Victim = TypeVar("Victim")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose workers are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def at_random(random: Random, victims: Iterable[Victim], kill: Callable[[Victim], object]) -> None:
    """Kill each victim at a moment of its own."""
    started = monotonic()
    for moment, victim in sorted(
        ((random.uniform(0, LATEST_S), victim) for victim in victims), key=lambda pair: pair[0]
    ):
        sleep(max(0, started + moment - monotonic()))
        kill(victim)


def assert_goes_on(stage: Stage, manager: Manager, run_id: str) -> None:
    """Assert that a run goes on from its checkpoint, with the curve that it would have had undisturbed."""
    assert manager.resume(run_id, "ann") is None
    stage.when_at(run_id, stage.store.run(run_id).step + 1)
    manager.cancel(run_id, "ann")
    stage.when(run_id, "cancelled")
    eventually(lambda: not workers(stage.folder))
    assert_sound(stage.store)
    assert_no_stray(stage.store)


def test_workers_killed_at_any_moment(stage: Stage) -> None:
    """While they start, step, write or save. Each run goes on each time as if nothing had been."""
    random, manager = Random(1), stage.manager(at_once=AT_ONCE)
    runs = [stage.submitted(manager, steps=FOREVER) for _ in range(AT_ONCE)]
    kept = dict.fromkeys(runs, 0)
    for number in range(ROUNDS):
        victims = eventually(lambda: len(found := workers(stage.folder)) == AT_ONCE and found)
        for run_id in runs if number in BEGUN else ():
            stage.when_at(run_id, stage.store.run(run_id).step + 1)
        at_random(random, victims, psutil.Process.kill)
        for run_id in runs:
            run = stage.when(run_id, "interrupted")
            assert run.checkpoint_step >= kept[run_id]
            kept[run_id] = run.checkpoint_step
        assert_sound(stage.store)
        assert not any(manager.resume(run_id, "ann") for run_id in runs)
    assert any(kept.values())
    for run_id in runs:
        manager.cancel(run_id, "ann")
    for run_id in runs:
        stage.when(run_id, "cancelled")
    assert_goes_on(stage, manager, runs[0])


def test_servers_killed_at_any_moment(tmp_path: Path) -> None:
    """Their workers go with them, and the next server goes on with the run, and then with the queue."""
    random = Random(2)
    with ExitStack() as stack:
        stages = [stack.enter_context(Stage(tmp_path / str(number))) for number in range(AT_ONCE)]
        for stage in stages:
            stage.store.add(plan(steps=FOREVER), "long", "ann", 10**9, 20)
            stage.store.add(plan(steps=5), "short", "ann", 10**9, 20)
        kept = [0] * AT_ONCE
        for round_number in range(ROUNDS):
            servers = [_served(stage) for stage in stages]
            for stage in stages if round_number in BEGUN else ():
                _, run = stage.store.runs()
                stage.when_at(run.id, run.step + 1)
            at_random(random, servers, _killed)
            for number, stage in enumerate(stages):
                eventually(lambda folder=stage.folder: not workers(folder))
                assert_sound(stage.store)
                _, run = stage.store.runs()
                assert run.checkpoint_step >= kept[number]
                kept[number] = run.checkpoint_step
        assert any(kept)
        for stage in stages:
            short, long = (run.id for run in stage.store.runs())
            manager = stage.manager()
            eventually(lambda ask=manager, first=long, then=short: _made_way(ask, first, then))
            assert_goes_on(stage, manager, long)


def _made_way(manager: Manager, first: str, then: str) -> bool:
    """Stop the first run, where it is on again, and return whether the next one is through."""
    manager.cancel(first, "ann")
    return manager.store.run(first).resumable and manager.store.run(then).state == "finished"


def _served(stage: Stage) -> subprocess.Popen[bytes]:
    server = subprocess.Popen([sys.executable, "-m", "tests.runs.server", str(stage.folder)], stdout=subprocess.PIPE)
    assert server.stdout.readline() == b"serving\n"
    return server


def _killed(server: subprocess.Popen[bytes]) -> None:
    family = psutil.Process(server.pid).children()
    with server:
        server.kill()
    eventually(lambda: not any(alive(member.pid) for member in family))
