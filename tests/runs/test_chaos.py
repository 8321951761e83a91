"""Workers and servers are killed at random moments, 20 times each: only steps since the last checkpoint are lost.

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
from tests.processes import is_alive, wait_for
from tests.runs.environment import FOREVER, RunEnvironment, assert_consistent, assert_no_stray_files, plan, workers

pytestmark = pytest.mark.slow

ROUNDS, PARALLEL = 5, 4
ROUNDS_WITH_STEPS = (1, 2, 4)  # rounds that kill when all runs step; in the others many workers are still loading
MAX_DELAY_S = 0.5
CANCEL_TIMEOUT_S = 60  # so that no cancel becomes a kill on a busy machine, which would leave a stray checkpoint

Victim = TypeVar("Victim")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[RunEnvironment]:
    """An environment whose workers have ended when the test ends."""
    with RunEnvironment(tmp_path) as environment:
        yield environment


def kill_at_random(random: Random, victims: Iterable[Victim], kill: Callable[[Victim], object]) -> None:
    """Kill each victim at its own random moment."""
    started = monotonic()
    for moment, victim in sorted(
        ((random.uniform(0, MAX_DELAY_S), victim) for victim in victims), key=lambda pair: pair[0]
    ):
        sleep(max(0, started + moment - monotonic()))
        kill(victim)


def assert_resumes(environment: RunEnvironment, manager: Manager, run_id: str) -> None:
    """Assert that a run resumes from its checkpoint, with the curve of an uninterrupted run."""
    assert manager.resume(run_id, "ann") is None
    environment.wait_for_step(run_id, environment.store.run(run_id).step + 1)
    manager.cancel(run_id, "ann")
    environment.wait_for_state(run_id, "cancelled")
    wait_for(lambda: not workers(environment.folder))
    assert_consistent(environment.store)
    assert_no_stray_files(environment.store)


def test_workers_killed_at_any_moment(environment: RunEnvironment) -> None:
    """While they start, step, write or save. Each run continues the same curve each time."""
    random, manager = Random(1), environment.manager(max_workers=PARALLEL, cancel_timeout_s=CANCEL_TIMEOUT_S)
    runs = [environment.submit(manager, steps=FOREVER) for _ in range(PARALLEL)]
    checkpoint_steps = dict.fromkeys(runs, 0)
    for number in range(ROUNDS):
        victims = wait_for(lambda: len(found := workers(environment.folder)) == PARALLEL and found)
        for run_id in runs if number in ROUNDS_WITH_STEPS else ():
            environment.wait_for_step(run_id, environment.store.run(run_id).step + 1)
        kill_at_random(random, victims, psutil.Process.kill)
        for run_id in runs:
            run = environment.wait_for_state(run_id, "interrupted")
            assert run.checkpoint_step >= checkpoint_steps[run_id]
            checkpoint_steps[run_id] = run.checkpoint_step
        assert_consistent(environment.store)
        assert not any(manager.resume(run_id, "ann") for run_id in runs)
    assert any(checkpoint_steps.values())
    for run_id in runs:
        manager.cancel(run_id, "ann")
    for run_id in runs:
        environment.wait_for_state(run_id, "cancelled")
    assert_resumes(environment, manager, runs[0])


def test_servers_killed_at_any_moment(tmp_path: Path) -> None:
    """Their workers end with them, and the next server resumes the run and then starts the queued one."""
    random = Random(2)
    with ExitStack() as stack:
        environments = [stack.enter_context(RunEnvironment(tmp_path / str(number))) for number in range(PARALLEL)]
        for environment in environments:
            environment.store.add(plan(steps=FOREVER), "long", "ann", 10**9, 20)
            environment.store.add(plan(steps=5), "short", "ann", 10**9, 20)
        checkpoint_steps = [0] * PARALLEL
        for round_number in range(ROUNDS):
            servers = [_start_server(environment) for environment in environments]
            for environment in environments if round_number in ROUNDS_WITH_STEPS else ():
                _, run = environment.store.runs()
                environment.wait_for_step(run.id, run.step + 1)
            kill_at_random(random, servers, _kill_server)
            for number, environment in enumerate(environments):
                wait_for(lambda folder=environment.folder: not workers(folder))
                assert_consistent(environment.store)
                _, run = environment.store.runs()
                assert run.checkpoint_step >= checkpoint_steps[number]
                checkpoint_steps[number] = run.checkpoint_step
        assert any(checkpoint_steps)
        for environment in environments:
            short, long = (run.id for run in environment.store.runs())
            manager = environment.manager(cancel_timeout_s=CANCEL_TIMEOUT_S)
            wait_for(lambda manager=manager, first=long, second=short: _second_finishes(manager, first, second))
            assert_resumes(environment, manager, long)


def _second_finishes(manager: Manager, first: str, second: str) -> bool:
    """Stop the first run if it has been resumed, and return whether the second one has finished."""
    manager.cancel(first, "ann")
    return manager.store.run(first).is_resumable and manager.store.run(second).state == "finished"


def _start_server(environment: RunEnvironment) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.runs.server", str(environment.folder)], stdout=subprocess.PIPE
    )
    assert server.stdout.readline() == b"serving\n"
    return server


def _kill_server(server: subprocess.Popen[bytes]) -> None:
    children = psutil.Process(server.pid).children()
    with server:
        server.kill()
    wait_for(lambda: not any(is_alive(child.pid) for child in children))
