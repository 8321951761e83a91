"""What a training run costs other users: the latency of edits during a run, over that without one.

Ten sessions have the network page open and edit in turn; in alternate blocks of the measurement a ``mini`` run on the
CPU is running or paused. Also: the slowest cancel, and the memory of the run's process.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import psutil
from playwright.sync_api import Page

from benchmarks.browser import APP, Times, browser, edit, open_page, server
from benchmarks.report import Measurement
from explorer import PRESETS
from explorer.runs.manager import Manager
from explorer.runs.records import Refusal, Run, State
from explorer.runs.store import Store
from explorer.training.plan import DATASETS, Budget, NamedNetwork, Plan, Settings, adapt_to_dataset

SESSIONS = 10
BLOCKS = 3  # with a run, and as many without
CANCELS = 20
DATASET = DATASETS["fashion_mnist"]


def measurements() -> Iterator[Measurement]:
    """Yield the latency of edits with a run over that without, the slowest cancel, and the memory of a run."""
    with manager() as runs:
        run_id = _submit(runs)
        runs.pause(run_id)
        with server(APP.script) as (address, _), browser() as chromium:
            pages = [open_page(chromium, address, APP) for _ in range(SESSIONS)]
            without_run, during_run = [], []
            for block in range(BLOCKS):
                without_run += _edits(pages, 300 + 2 * block)
                runs.resume(run_id)
                _wait_for_step(runs.store, run_id)
                during_run += _edits(pages, 301 + 2 * block)
                if block == 0:
                    yield Measurement("memory of a mini run", _megabytes(), "MB", maximum=1_000)
                runs.pause(run_id)
                _wait_for_state(runs.store, run_id, "paused")
        for claim in Times._fields:
            ratio = median(getattr(t, claim) for t in during_run) / median(getattr(t, claim) for t in without_run)
            yield Measurement(
                f"from Enter in a cell to {'an ' if claim == 'idle' else ''}{claim}, {SESSIONS} sessions, during a run",
                ratio,
                maximum=1.25,
            )
        yield Measurement(f"the slowest of {CANCELS} cancels", max(_cancels(runs, run_id)), "s", maximum=2)


@contextmanager
def manager() -> Iterator[Manager]:
    """Yield a manager with a data directory that is deleted after the block."""
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(Store(Path(folder)))
        try:
            yield manager
        finally:
            manager.close()


def _submit(runs: Manager) -> str:
    config = adapt_to_dataset(PRESETS["mini"], DATASET.shape, len(DATASET.classes)).config
    plan = Plan(
        networks=(NamedNetwork(name="mini", config=config),),
        settings=Settings(device="cpu"),
        budget=Budget(kind="steps", amount=1_000_000),
    )
    run_id = runs.submit(plan, DATASET)
    if isinstance(run_id, Refusal):
        raise RuntimeError(run_id.reason)
    return run_id


def _edits(pages: list[Page], value: int) -> list[Times]:
    """Edit once in each session, each in its own row."""
    return [edit(page, APP, number % 7, value) for number, page in enumerate(pages)]


def _cancels(runs: Manager, run_id: str) -> Iterator[float]:
    """Yield the seconds from the request until the run is cancelled, at a different moment of the run each time."""
    for number in range(CANCELS):
        runs.resume(run_id)
        _wait_for_state(runs.store, run_id, "running")
        sleep(0.3 * number)
        started = monotonic()
        runs.cancel(run_id)
        _wait_for_state(runs.store, run_id, "cancelled")
        yield monotonic() - started


def _megabytes() -> float:
    (worker,) = (child for child in psutil.Process().children() if "explorer.runs.worker" in child.cmdline())
    return worker.memory_info().rss / 1e6


def _wait_for_step(store: Store, run_id: str) -> None:
    before = store.run(run_id).step
    _wait(lambda: (run := store.run(run_id)).state == "running" and run.step > before and run)


def _wait_for_state(store: Store, run_id: str, state: State) -> Run:
    return _wait(lambda: (run := store.run(run_id)).state == state and run)


def _wait(condition: Callable[[], Run | bool], seconds: float = 60) -> Run:
    end = monotonic() + seconds
    while not (run := condition()):
        if monotonic() > end:
            raise TimeoutError("the run did not reach the expected state")
        sleep(0.01)
    return run
