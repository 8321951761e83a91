"""A stage for tests of the runs: a data directory, a manager with the obedient worker, and looks at what is left."""

import sqlite3
from pathlib import Path
from typing import Any

import psutil

from explorer import PRESETS
from explorer.runs.manager import Manager
from explorer.runs.records import WAITING, RefusedError, Run, State
from explorer.runs.store import Store
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan
from tests.runs.actor import COMMAND, losses
from tests.stage import eventually

FASHION = DATASETS["fashion_mnist"]
FOREVER = 1_000_000


def plan(role: str = "steps", steps: int = 20, seeds: tuple[int, ...] = (0,)) -> Plan:
    """Return a plan for the worker that behaves as ``role`` says."""
    entrant = NamedNetwork(name=role, config=PRESETS["mini"])
    return Plan(entrants=(entrant,), budget=Budget(kind="steps", amount=steps), seeds=seeds)


class Stage:
    """A store and managers over it, closed when the test ends; then no worker is left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder)
        self.managers: list[Manager] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for manager in self.managers:
            manager.close()
        self.store.close()
        assert [] == workers(self.folder)

    def manager(self, store: Store | None = None, **options: Any) -> Manager:
        """Return a manager with the worker of the stage."""
        made = Manager(store or self.store, **{"command": COMMAND, **options})
        self.managers.append(made)
        return made

    def submitted(self, manager: Manager, role: str = "steps", steps: int = 20, seeds: tuple[int, ...] = (0,)) -> str:
        """Put a run in the queue, as the session "ann"."""
        run_id = manager.submit(plan(role, steps, seeds), FASHION, "ann")
        assert not isinstance(run_id, RefusedError), run_id
        return run_id

    def when(self, run_id: str, *states: State) -> Run:
        """Wait until a run is in one of some states; fail when it ends in another."""

        def there() -> Run | None:
            run = self.store.run(run_id)
            assert run.state in (*states, *WAITING, "paused"), run.account
            return run if run.state in states else None

        return eventually(there)

    def when_at(self, run_id: str, step: int) -> Run:
        """Wait until a run has come to a step."""
        return eventually(lambda: (run := self.store.run(run_id)) and run.step >= step and run)

    def when_kept(self, run_id: str) -> Run:
        """Wait until a run has a checkpoint of some step."""
        return eventually(lambda: (run := self.store.run(run_id)) and run.checkpoint_step and run)


def workers(folder: Path) -> list[psutil.Process]:
    """Return the processes that work in a data directory."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(folder) in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def assert_sound(store: Store) -> None:
    """Assert that the database is whole, and that each checkpoint is the one that it says it is."""
    db = sqlite3.connect(store.folder / "runs.sqlite")
    assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
    db.close()
    for run in store.runs():
        for lane in run.trainers:
            seed = run.plan.trainers[lane.number].seed
            points = store.curve(run.id, "train_loss", lane.number, most=FOREVER)
            assert losses(len(points), seed) == [point.value for point in points]
            assert list(range(1, len(points) + 1)) == [point.step for point in points]
            assert len(points) >= lane.checkpoint_step
            if lane.checkpoint_step:
                kept = float(store.weights_path(run.id, lane.number).read_text())
                assert kept == losses(lane.checkpoint_step, seed)[-1]


def assert_no_stray(store: Store) -> None:
    """Assert that nothing lies in the data directory but the database and the checkpoints in force."""
    known = {"runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "server.lock", "checkpoints"}
    assert set() == {path.name for path in store.folder.iterdir()} - known
    in_force = {path.parent for run in store.runs() if (path := store.weights_path(run.id))}
    assert in_force == {found for run in store.checkpoints.iterdir() for found in run.iterdir()}
