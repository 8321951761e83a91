"""An environment for tests of runs: a data directory, managers with the fake worker, and checks of what is left."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Self

import psutil

from explorer import PRESETS
from explorer.runs.manager import Manager
from explorer.runs.records import ACTIVE, Refusal, Run, State
from explorer.runs.store import Store
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan
from tests.processes import WAIT_S, wait_for
from tests.runs.fake_worker import COMMAND, losses

FASHION = DATASETS["fashion_mnist"]
FOREVER = 1_000_000


def plan(behaviour: str = "steps", steps: int = 20, seeds: tuple[int, ...] = (0,)) -> Plan:
    """Return a plan for the fake worker, which behaves as the network's name says."""
    network = NamedNetwork(name=behaviour, config=PRESETS["mini"])
    return Plan(networks=(network,), budget=Budget(kind="steps", amount=steps), seeds=seeds)


class RunEnvironment:
    """A store and its managers, closed when the test ends; then no worker may be left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)
        self.managers: list[Manager] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for manager in self.managers:
            manager.close()
        self.store.close()
        assert [] == workers(self.folder)

    def manager(self, store: Store | None = None, **options: Any) -> Manager:
        """Return a new manager with the fake worker."""
        manager = Manager(store or self.store, **{"command": COMMAND, **options})
        self.managers.append(manager)
        return manager

    def submit(self, manager: Manager, behaviour: str = "steps", steps: int = 20, seeds: tuple[int, ...] = (0,)) -> str:
        """Put a run in the queue, as the session "ann", and return its id."""
        run_id = manager.submit(plan(behaviour, steps, seeds), FASHION, "ann")
        assert not isinstance(run_id, Refusal), run_id
        return run_id

    def wait_for_state(self, run_id: str, *states: State) -> Run:
        """Wait until a run is in one of some states; fail when it ends in another."""

        def is_in_state(run: Run) -> bool:
            assert run.state in (*states, *ACTIVE, "paused"), run.outcome
            return run.state in states

        return self._wait_for_run(run_id, is_in_state)

    def wait_for_step(self, run_id: str, step: int) -> Run:
        """Wait until a run has reached a step."""
        return self._wait_for_run(run_id, lambda run: run.step >= step)

    def wait_for_checkpoint(self, run_id: str) -> Run:
        """Wait until a run has a checkpoint of some step."""
        return self._wait_for_run(run_id, lambda run: run.checkpoint_step > 0)

    def _wait_for_run(self, run_id: str, condition: Callable[[Run], bool]) -> Run:
        """Wait as long as the state or the step of any run changes, so that a busy machine may take its time."""
        seen, end = None, 0.0
        while not condition(run := self.store.run(run_id)):
            now = [(other.id, other.state, other.step) for other in self.store.runs()]
            if now != seen:
                seen, end = now, monotonic() + WAIT_S
            assert monotonic() < end, f"{run.name} stays {run.state} at step {run.step}"
            sleep(0.03)
        return run


def workers(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a data directory."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(folder) in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def assert_consistent(store: Store) -> None:
    """Assert that the database is intact, and that each curve and each checkpoint has the numbers of its step."""
    db = sqlite3.connect(store.folder / "runs.sqlite")
    assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
    db.close()
    for run in store.runs():
        for trainer in run.trainers:
            seed = run.plan.trainers[trainer.number].seed
            points = store.curve(run.id, "train_loss", trainer.number, max_points=FOREVER)
            assert losses(len(points), seed) == [point.value for point in points]
            assert list(range(1, len(points) + 1)) == [point.step for point in points]
            assert len(points) >= trainer.checkpoint_step
            if trainer.checkpoint_step:
                state = float(store.weights_path(run.id, trainer.number).read_text())
                assert state == losses(trainer.checkpoint_step, seed)[-1]


def assert_no_stray_files(store: Store) -> None:
    """Assert that the data directory keeps only the database and the current checkpoints.

    A killed worker may leave part of a checkpoint; the manager removes it a moment after it sees the process end.
    """
    expected = {"runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "server.lock", "checkpoints"}
    assert set() == {path.name for path in store.folder.iterdir()} - expected
    wait_for(lambda: _checkpoints_on_disk(store) == _current_checkpoints(store))


def _current_checkpoints(store: Store) -> set[Path]:
    return {path.parent for run in store.runs() if (path := store.weights_path(run.id))}


def _checkpoints_on_disk(store: Store) -> set[Path]:
    return {checkpoint for run in store.checkpoints.iterdir() for checkpoint in run.iterdir()}
