"""The manager and its queue: permissions, how runs end, and what they leave."""

import gc
import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from explorer.runs import manager as module
from explorer.runs import store as store_module
from explorer.runs import worker
from explorer.runs.manager import CANCEL_TIMEOUT_S, MAX_QUEUE
from explorer.runs.records import DISK_FULL_EXIT_CODE, Refusal
from explorer.runs.schema import open_database
from explorer.runs.store import Store
from explorer.training.plan import MAX_BATCH, Settings
from tests.processes import wait_for
from tests.runs.environment import (
    FASHION,
    FOREVER,
    RunEnvironment,
    assert_consistent,
    assert_no_stray_files,
    plan,
    workers,
)
from tests.runs.fake_worker import losses, make_fake_training

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[RunEnvironment]:
    """An environment whose workers have ended when the test ends."""
    with RunEnvironment(tmp_path) as environment:
        yield environment


def test_a_run_finishes(environment: RunEnvironment) -> None:
    """It leaves its curves, its weights, and its last events."""
    run_id = environment.submit(environment.manager(), steps=30, seeds=(0, 1))
    run = environment.wait_for_state(run_id, "finished")
    assert (run.name, run.session, run.message, run.step, run.progress) == ("steps", "ann", "", 30, 1)
    assert ["finished", "finished"] == [trainer.ended for trainer in run.trainers]
    assert run.created <= run.started <= run.finished
    assert environment.store.latest_event(run_id, "evaluated", 1).final
    assert_consistent(environment.store)
    assert_no_stray_files(environment.store)


def test_runs_start_one_at_a_time_in_order(environment: RunEnvironment) -> None:
    """The others wait, and their positions are known."""
    manager = environment.manager()
    first, second, third = (environment.submit(manager, steps=FOREVER) for _ in range(3))
    environment.wait_for_step(first, 1)
    assert [None, 1, 2] == [environment.store.queue_position(run_id) for run_id in (first, second, third)]
    assert len(workers(environment.folder)) == 1
    manager.cancel(first, "ann")
    environment.wait_for_step(second, 1)
    assert [None, None, 1] == [environment.store.queue_position(run_id) for run_id in (first, second, third)]


def test_the_number_of_workers_is_a_setting(environment: RunEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXPLORER_RUNS has it."""
    monkeypatch.setenv("EXPLORER_RUNS", "2")
    manager = environment.manager()
    runs = [environment.submit(manager, steps=FOREVER) for _ in range(3)]
    for run_id in runs[:2]:
        environment.wait_for_step(run_id, 1)
    assert environment.store.run(runs[2]).state == "queued"


def test_the_queue_is_bounded(environment: RunEnvironment) -> None:
    """Of 25 runs the first runs, 20 wait, and 4 are refused with the reason until there is room again."""
    manager = environment.manager()
    first = environment.submit(manager, steps=FOREVER)
    environment.wait_for_state(first, "running")
    answers = [manager.submit(plan(), FASHION, "ann") for _ in range(24)]
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert answers[20:] == refused
    assert MAX_QUEUE == environment.store.queue_position(answers[19])
    assert all("20 runs are already waiting" in answer.reason for answer in refused)
    manager.cancel(answers[0], "ann")
    assert not isinstance(manager.submit(plan(), FASHION, "ann"), Refusal)
    assert "20 runs are already waiting" in manager.resume(answers[0], "ann").reason


def test_a_plan_with_problems_is_refused_with_the_reason(environment: RunEnvironment) -> None:
    """Before anything is written."""
    manager = environment.manager()
    large = plan().replace(settings=Settings(batch_size=MAX_BATCH + 1))
    assert "Batch size" in manager.submit(large, FASHION).reason
    assert "A run needs a name" in manager.submit(plan(), FASHION, name="\x00").reason
    assert [] == environment.store.runs()


def test_pause_saves_a_checkpoint_and_starts_the_next_run(environment: RunEnvironment) -> None:
    """The paused run has saved its last step, the next one starts, and resuming continues the same curve."""
    manager = environment.manager()
    run_id = environment.submit(manager, steps=300)
    environment.wait_for_step(run_id, 10)
    assert manager.pause(run_id, "ann") is None
    run = environment.wait_for_state(run_id, "paused")
    assert 10 <= run.step == run.checkpoint_step < 300
    assert "can resume from step" in run.outcome
    environment.wait_for_state(environment.submit(manager, steps=1), "finished")
    assert manager.resume(run_id, "ann") is None
    environment.wait_for_state(run_id, "finished")
    assert losses(300) == [point.value for point in environment.store.curve(run_id, "train_loss")]


@pytest.mark.parametrize("step", ["pause", "cancel"])
def test_a_queued_run_stops_at_once(environment: RunEnvironment, step: str) -> None:
    """It does not start until it is resumed."""
    manager = environment.manager()
    first, second = (environment.submit(manager, steps=FOREVER) for _ in range(2))
    environment.wait_for_state(first, "running")
    assert getattr(manager, step)(second, "ann") is None
    assert environment.store.run(second).state in ("paused", "cancelled")
    assert "had not started" in environment.store.run(second).outcome
    assert manager.resume(second, "ann") is None
    assert environment.store.queue_position(second) == 1


def test_cancel_stops_a_run_whatever_its_worker_does(environment: RunEnvironment) -> None:
    """Between steps, within a step that never ends, and while it still loads: what ignores it for a second is killed.

    ``python -m benchmarks`` measures that a cancel takes less than two seconds.
    """
    assert CANCEL_TIMEOUT_S == 1
    manager = environment.manager(max_workers=5)
    first_steps = {"steps": 1, "gets_stuck": 1, "hangs": 0}
    runs = {environment.submit(manager, name, FOREVER): step for name, step in first_steps.items()}
    for run_id, step in runs.items():
        environment.wait_for_state(run_id, "running")
        environment.wait_for_step(run_id, step)
    for run_id in runs:
        assert manager.cancel(run_id, "ann") is None
    for run_id in runs:
        environment.wait_for_state(run_id, "cancelled")
    wait_for(lambda: not workers(environment.folder))


def test_cancel_saves_a_checkpoint_if_there_is_time(environment: RunEnvironment) -> None:
    """A cancelled run resumes from its last step."""
    manager = environment.manager(cancel_timeout_s=60)
    run_id = environment.submit(manager, steps=300)
    environment.wait_for_step(run_id, 10)
    manager.cancel(run_id, "ann")
    run = environment.wait_for_state(run_id, "cancelled")
    assert 10 <= run.step == run.checkpoint_step < 300
    manager.resume(run_id, "ann")
    environment.wait_for_state(run_id, "finished")
    assert losses(300) == [point.value for point in environment.store.curve(run_id, "train_loss")]


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("no_memory", "Memory ran out: a run like this may use 1,000 MB."),
        ("grows", "Memory ran out"),
        ("exits", "ended without a message (exit code 3)"),
        ("full_disk", "The disk is full. Make room, then resume it."),
        ("diverges", "The loss of the first network is not finite."),
    ],
)
def test_a_run_that_fails_says_why_and_the_next_one_starts(
    environment: RunEnvironment, behaviour: str, message: str
) -> None:
    """With the step it reached; the saved data stays consistent."""
    if behaviour in ("grows", "full_disk") and sys.platform != "linux":
        pytest.skip("the limit and /dev/full exist on Linux only")
    manager = environment.manager()
    failing, next_one = environment.submit(manager, behaviour, FOREVER), environment.submit(manager)
    run = environment.wait_for_state(failing, "failed")
    assert message in run.message
    assert run.is_resumable
    assert (run.step > 0) == (behaviour in ("full_disk", "diverges"))
    environment.wait_for_state(next_one, "finished")
    assert_consistent(environment.store)


def test_a_trainer_that_diverges_does_not_end_the_others(environment: RunEnvironment) -> None:
    """The run finishes, and its message names the diverged one."""
    run = environment.wait_for_state(
        environment.submit(environment.manager(), "diverges_in_part", 20, (0, 1)), "finished"
    )
    assert "first network" in run.message
    assert ["diverged", "finished"] == [trainer.ended for trainer in run.trainers]


def test_a_run_can_resume_after_its_worker_is_killed(environment: RunEnvironment) -> None:
    """The run says what happened, the next one starts, and this one resumes from its checkpoint."""
    manager = environment.manager()
    run_id, next_one = environment.submit(manager, steps=500), environment.submit(manager)
    environment.wait_for_checkpoint(run_id)
    workers(environment.folder)[0].kill()
    run = environment.wait_for_state(run_id, "interrupted")
    assert "killed from outside (signal 9)" in run.outcome
    assert f"can resume from step {run.checkpoint_step:,}" in run.outcome
    environment.wait_for_state(next_one, "finished")
    manager.resume(run_id, "ann")
    environment.wait_for_state(run_id, "finished")
    assert_consistent(environment.store)
    assert_no_stray_files(environment.store)


def test_a_checkpoint_that_a_killed_worker_left_unfinished_is_removed(environment: RunEnvironment) -> None:
    """At once, although the run does not start again."""
    manager = environment.manager()
    run_id = environment.submit(manager, "hangs_saving", FOREVER)
    wait_for(lambda: list((environment.store.checkpoints / run_id).glob("*.part/*")))
    workers(environment.folder)[0].kill()
    environment.wait_for_state(run_id, "interrupted")
    assert_no_stray_files(environment.store)


def test_a_kill_because_memory_ran_out_is_recognized(
    environment: RunEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux counts these kills: if the count has grown, that was the reason."""
    manager = environment.manager()
    run_id = environment.submit(manager, steps=FOREVER)
    environment.wait_for_step(run_id, 1)
    count = module._oom_kills()
    monkeypatch.setattr(module, "_oom_kills", lambda: count + 1)
    workers(environment.folder)[0].kill()
    assert "memory ran out" in environment.wait_for_state(run_id, "failed").message
    manager.resume(run_id, "ann")
    wait_for(lambda: workers(environment.folder))
    monkeypatch.setattr(module, "_oom_kills", lambda: count + 2)  # of some other process
    workers(environment.folder)[0].terminate()
    assert "killed from outside (signal 15)" in environment.wait_for_state(run_id, "interrupted").message


def test_a_worker_that_cannot_start_fails_its_run(environment: RunEnvironment) -> None:
    """The program does not exist."""
    manager = environment.manager(command=("/no/such/program",))
    assert "could not be started" in environment.wait_for_state(environment.submit(manager), "failed").message


def test_requests_about_another_sessions_run_need_confirmation(environment: RunEnvironment) -> None:
    """Each request is refused unless it is confirmed."""
    manager = environment.manager()
    run_id = environment.submit(manager, steps=FOREVER)
    steps = {
        "pause": lambda **confirmed: manager.pause(run_id, "bob", **confirmed),
        "resume": lambda **confirmed: manager.resume(run_id, "bob", **confirmed),
        "cancel": lambda **confirmed: manager.cancel(run_id, "bob", **confirmed),
        "rename": lambda **confirmed: manager.rename(run_id, "other", "bob", **confirmed),
        "delete": lambda **confirmed: manager.delete(run_id, "bob", **confirmed),
    }
    for step in steps.values():
        assert "somebody else" in step().reason
    assert environment.store.run(run_id).state in ("queued", "running")
    for name, ends in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled"), ("rename", "cancelled")):
        assert steps[name](confirmed=True) is None
        environment.wait_for_state(run_id, ends)
    assert environment.store.run(run_id).name == "other"
    assert steps["delete"](confirmed=True) is None
    assert environment.store.run(run_id) is None


def test_impossible_requests_are_refused_with_the_reason(environment: RunEnvironment) -> None:
    """Nothing is raised."""
    manager = environment.manager()
    run_id = environment.submit(manager, steps=FOREVER)
    environment.wait_for_state(run_id, "running")
    assert "Cancel it first" in manager.delete(run_id, "ann").reason
    assert "is already running" in manager.resume(run_id, "ann").reason
    assert "A run needs a name" in manager.rename(run_id, " ", "ann").reason
    done = environment.submit(manager, steps=1)
    manager.cancel(run_id, "ann")
    environment.wait_for_state(done, "finished")
    assert "used its budget" in manager.resume(done, "ann").reason
    assert "nothing to stop" in manager.cancel(done, "ann").reason
    assert "no such run" in manager.cancel("r000000000000").reason


def test_deleting_a_run_leaves_nothing(environment: RunEnvironment) -> None:
    """Neither rows nor files."""
    manager = environment.manager()
    run_id = environment.submit(manager)
    environment.wait_for_state(run_id, "finished")
    assert manager.delete(run_id, "ann") is None
    assert [] == list(environment.store.checkpoints.iterdir())
    assert [] == list(environment.store.metrics(run_id))
    with environment.store.transaction() as db:
        for table in ("runs", "lanes", "metrics", "events"):
            assert (0,) == db.execute(f"SELECT count(*) FROM {table}").fetchone()


def test_two_servers_share_a_data_directory(environment: RunEnvironment) -> None:
    """One starts the workers; the other accepts requests, and takes over when the first ends."""
    first = environment.manager()
    run_id = environment.submit(first, steps=FOREVER)
    environment.wait_for_step(run_id, 1)  # so it is the first that has the lock
    second = environment.manager(Store(environment.folder))
    waiting = environment.submit(second, steps=1)
    assert second.cancel(run_id, "ann") is None
    environment.wait_for_state(waiting, "finished")
    interrupted, queued = environment.submit(second, steps=FOREVER), environment.submit(second, steps=1)
    environment.wait_for_step(interrupted, 1)
    assert len(workers(environment.folder)) == 1
    first.close()
    assert "The server ended" in environment.wait_for_state(interrupted, "interrupted").message
    environment.wait_for_state(queued, "finished")


def test_a_full_disk_is_reported_until_there_is_room(
    environment: RunEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be recorded now is recorded later; requests in between are refused with the reason."""
    manager = environment.manager()
    run_id = environment.submit(manager, steps=FOREVER)
    environment.wait_for_step(run_id, 1)
    transaction = environment.store.transaction

    @contextmanager
    def full() -> Iterator[sqlite3.Connection]:
        with transaction() as db:
            yield db
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(environment.store, "transaction", full)
    workers(environment.folder)[0].kill()
    wait_for(lambda: "disk is full" in manager.queue_error)
    assert "disk is full" in manager.submit(plan(), FASHION).reason
    assert "disk is full" in manager.rename(run_id, "other", "ann").reason
    assert environment.store.run(run_id).state == "running"
    monkeypatch.setattr(environment.store, "transaction", transaction)
    assert "killed from outside" in environment.wait_for_state(run_id, "interrupted").message
    wait_for(lambda: not manager.queue_error)


def test_a_worker_reports_a_full_disk_by_its_exit_code(
    environment: RunEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database cannot be written; the manager turns the exit code into a sentence."""

    def open_full_database(file: Path) -> sqlite3.Connection:
        db = open_database(file)
        db.execute("PRAGMA max_page_count = 1")  # no more pages than it has
        return db

    environment.store.add(plan(steps=FOREVER), "long", "ann", 10**9, 20)
    monkeypatch.setattr(store_module, "open_database", open_full_database)
    assert (
        worker.run_attempt(environment.folder, *environment.store.start_next(), make_fake_training)
        == DISK_FULL_EXIT_CODE
    )
    manager = environment.manager(command=(sys.executable, "-S", "-c", f"raise SystemExit({DISK_FULL_EXIT_CODE})"))
    assert environment.wait_for_state(environment.submit(manager), "failed").message.startswith("The disk is full.")


def test_close_kills_the_workers(environment: RunEnvironment) -> None:
    """Queued runs wait for the next server."""
    manager = environment.manager()
    run_id, waiting = environment.submit(manager, "gets_stuck", FOREVER), environment.submit(manager, steps=1)
    environment.wait_for_step(run_id, 1)
    manager.close()
    assert [] == workers(environment.folder)
    assert ["queued", "interrupted"] == [run.state for run in environment.store.runs()]
    environment.manager()
    environment.wait_for_state(waiting, "finished")


def test_memory_does_not_grow_with_the_ended_runs(environment: RunEnvironment) -> None:
    """Sixty more runs leave nothing in the server's memory."""
    manager = environment.manager(command=(sys.executable, "-S", "-c", "pass"), max_workers=8)

    def memory_after(runs: int) -> int:
        for _ in range(runs // 10):
            submitted = [environment.submit(manager) for _ in range(10)]
            wait_for(lambda ids=submitted: all(environment.store.run(run_id).state == "failed" for run_id in ids))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        after_20 = memory_after(20)
        assert memory_after(60) < after_20 + 40_000  # bytes; sixty runs in memory would take several times as many
    finally:
        tracemalloc.stop()
    assert 80 == len(environment.store.runs(["failed"]))
