"""The manager and its queue: who may do what, how runs end, and what remains of them."""

import gc
import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from explorer.runs import manager as module
from explorer.runs import worker
from explorer.runs.manager import MAX_QUEUE
from explorer.runs.records import DISK_FULL, RefusedError
from explorer.runs.store import Store
from explorer.training.plan import MAX_BATCH, Settings
from tests.runs.actor import losses, rehearsed
from tests.runs.stage import FASHION, FOREVER, Stage, assert_no_stray, assert_sound, plan, workers
from tests.stage import eventually


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose workers are gone at the end, whatever the test does."""
    with Stage(tmp_path) as stage:
        yield stage


def test_a_run_goes_through_to_the_end(stage: Stage) -> None:
    """It leaves its curves, its weights, and what was last told."""
    run_id = stage.submitted(stage.manager(), steps=30, seeds=(0, 1))
    run = stage.when(run_id, "finished")
    assert (run.name, run.session, run.message, run.step, run.progress) == ("steps", "ann", "", 30, 1)
    assert ["finished", "finished"] == [lane.ended for lane in run.trainers]
    assert run.created <= run.started <= run.finished
    assert stage.store.latest(run_id, "evaluated", 1).final
    assert_sound(stage.store)
    assert_no_stray(stage.store)


def test_one_at_a_time_in_the_order_of_asking(stage: Stage) -> None:
    """The others wait, with their place shown."""
    manager = stage.manager()
    first, second, third = (stage.submitted(manager, steps=FOREVER) for _ in range(3))
    stage.when_at(first, 1)
    assert [None, 1, 2] == [stage.store.queue_place(run_id) for run_id in (first, second, third)]
    assert len(workers(stage.folder)) == 1
    manager.cancel(first, "ann")
    stage.when_at(second, 1)
    assert [None, None, 1] == [stage.store.queue_place(run_id) for run_id in (first, second, third)]


def test_as_many_at_a_time_as_the_environment_says(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """EXPLORER_RUNS is how many."""
    monkeypatch.setenv("EXPLORER_RUNS", "2")
    manager = stage.manager()
    runs = [stage.submitted(manager, steps=FOREVER) for _ in range(3)]
    for run_id in runs[:2]:
        stage.when_at(run_id, 1)
    assert stage.store.run(runs[2]).state == "queued"


def test_the_queue_is_bounded_and_says_so(stage: Stage) -> None:
    """Of 25 runs the first runs, 20 wait, and 4 are refused with the reason, until there is room again."""
    manager = stage.manager()
    first = stage.submitted(manager, steps=FOREVER)
    stage.when(first, "running")
    answers = [manager.submit(plan(), FASHION, "ann") for _ in range(24)]
    refused = [answer for answer in answers if isinstance(answer, RefusedError)]
    assert answers[20:] == refused
    assert MAX_QUEUE == stage.store.queue_place(answers[19])
    assert all("20 runs are waiting already" in answer.reason for answer in refused)
    manager.cancel(answers[0], "ann")
    assert not isinstance(manager.submit(plan(), FASHION, "ann"), RefusedError)
    assert "20 runs are waiting" in manager.resume(answers[0], "ann").reason


def test_a_plan_that_cannot_be_run_is_refused_with_the_reason(stage: Stage) -> None:
    """Before anything is written."""
    manager = stage.manager()
    large = plan().replace(settings=Settings(batch_size=MAX_BATCH + 1))
    assert "Batch size" in manager.submit(large, FASHION).reason
    assert "no name" in manager.submit(plan(), FASHION, name="<b>").reason
    assert [] == stage.store.runs()


def test_pause_keeps_all_and_makes_room(stage: Stage) -> None:
    """The paused run has saved its last step, the next one starts, and resuming goes on as if nothing had been."""
    manager = stage.manager()
    run_id = stage.submitted(manager, steps=300)
    stage.when_at(run_id, 10)
    assert manager.pause(run_id, "ann") is None
    run = stage.when(run_id, "paused")
    assert 10 <= run.step == run.checkpoint_step < 300
    assert "can go on from step" in run.account
    stage.when(stage.submitted(manager, steps=1), "finished")
    assert manager.resume(run_id, "ann") is None
    stage.when(run_id, "finished")
    assert losses(300) == [point.value for point in stage.store.curve(run_id, "train_loss")]


@pytest.mark.parametrize("step", ["pause", "cancel"])
def test_what_waits_in_the_queue_stops_at_once(stage: Stage, step: str) -> None:
    """It never starts, until it is resumed."""
    manager = stage.manager()
    first, second = (stage.submitted(manager, steps=FOREVER) for _ in range(2))
    stage.when(first, "running")
    assert getattr(manager, step)(second, "ann") is None
    assert stage.store.run(second).state in ("paused", "cancelled")
    assert "had not begun" in stage.store.run(second).account
    assert manager.resume(second, "ann") is None
    assert stage.store.queue_place(second) == 1


def test_cancel_takes_less_than_two_seconds_every_time(stage: Stage) -> None:
    """Twenty times: between steps, within a step that never ends, and while it still loads."""
    manager = stage.manager(at_once=5)
    for role, begun in (("steps", 1), ("steps", 1), ("gets_stuck", 1), ("hangs", 0)):
        runs = [stage.submitted(manager, role, FOREVER) for _ in range(5)]
        for run_id in runs:
            stage.when(run_id, "running")
            stage.when_at(run_id, begun)
        started = monotonic()
        for run_id in runs:
            assert manager.cancel(run_id, "ann") is None
        for run_id in runs:
            stage.when(run_id, "cancelled")
        assert monotonic() - started < 2
        eventually(lambda: not workers(stage.folder))


def test_cancel_saves_what_it_has_time_for(stage: Stage) -> None:
    """A run that was cancelled goes on from the very step."""
    manager = stage.manager(cancel_s=60)
    run_id = stage.submitted(manager, steps=300)
    stage.when_at(run_id, 10)
    manager.cancel(run_id, "ann")
    run = stage.when(run_id, "cancelled")
    assert 10 <= run.step == run.checkpoint_step < 300
    manager.resume(run_id, "ann")
    stage.when(run_id, "finished")
    assert losses(300) == [point.value for point in stage.store.curve(run_id, "train_loss")]


@pytest.mark.parametrize(
    ("role", "message"),
    [
        ("no_memory", "Memory ran out: a run like this may use 1,000 MB."),
        ("grows", "Memory ran out"),
        ("exits", "ended without a word (exit code 3)"),
        ("full_disk", "The disk is full. Make room, then resume it."),
        ("diverges", "The loss of the first lane is no longer a number."),
    ],
)
def test_a_run_that_fails_says_why_and_the_next_one_starts(stage: Stage, role: str, message: str) -> None:
    """With the step it had come to; what was saved stays sound."""
    if role in ("grows", "full_disk") and sys.platform != "linux":
        pytest.skip("the limit and /dev/full are Linux's")
    manager = stage.manager()
    failing, next_one = stage.submitted(manager, role, FOREVER), stage.submitted(manager)
    run = stage.when(failing, "failed")
    assert message in run.message
    assert run.resumable
    assert (run.step > 0) == (role in ("full_disk", "diverges"))
    stage.when(next_one, "finished")
    assert_sound(stage.store)


def test_a_lane_that_diverges_does_not_end_the_others(stage: Stage) -> None:
    """The run finishes, and says which one it lost."""
    run = stage.when(stage.submitted(stage.manager(), "diverges_in_part", 20, (0, 1)), "finished")
    assert "first lane" in run.message
    assert ["diverged", "finished"] == [lane.ended for lane in run.trainers]


def test_a_worker_that_is_killed_leaves_a_run_that_can_go_on(stage: Stage) -> None:
    """The run says what happened, the next one starts, and this one goes on from its checkpoint."""
    manager = stage.manager()
    run_id, next_one = stage.submitted(manager, steps=500), stage.submitted(manager)
    stage.when_kept(run_id)
    workers(stage.folder)[0].kill()
    run = stage.when(run_id, "interrupted")
    assert "killed from outside (signal 9)" in run.account
    assert f"can go on from step {run.checkpoint_step:,}" in run.account
    stage.when(next_one, "finished")
    manager.resume(run_id, "ann")
    stage.when(run_id, "finished")
    assert_sound(stage.store)
    assert_no_stray(stage.store)


def test_a_kill_for_want_of_memory_is_told_from_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux counts them: when the count has grown, that was the reason."""
    manager = stage.manager()
    run_id = stage.submitted(manager, steps=FOREVER)
    stage.when_at(run_id, 1)
    count = module._memory_kills()
    monkeypatch.setattr(module, "_memory_kills", lambda: count + 1)
    workers(stage.folder)[0].kill()
    assert "memory ran out" in stage.when(run_id, "failed").message
    manager.resume(run_id, "ann")
    eventually(lambda: workers(stage.folder))
    monkeypatch.setattr(module, "_memory_kills", lambda: count + 2)  # of some other process
    workers(stage.folder)[0].terminate()
    assert "killed from outside (signal 15)" in stage.when(run_id, "interrupted").message


def test_a_worker_that_cannot_start_fails_its_run(stage: Stage) -> None:
    """The program is missing altogether."""
    manager = stage.manager(command=("/no/such/program",))
    assert "could not be started" in stage.when(stage.submitted(manager), "failed").message


def test_another_sessions_run_is_not_touched_by_accident(stage: Stage) -> None:
    """Each step is refused, unless it is said to be sure."""
    manager = stage.manager()
    run_id = stage.submitted(manager, steps=FOREVER)
    steps = {
        "pause": lambda **sure: manager.pause(run_id, "bob", **sure),
        "resume": lambda **sure: manager.resume(run_id, "bob", **sure),
        "cancel": lambda **sure: manager.cancel(run_id, "bob", **sure),
        "rename": lambda **sure: manager.rename(run_id, "other", "bob", **sure),
        "delete": lambda **sure: manager.delete(run_id, "bob", **sure),
    }
    for step in steps.values():
        assert "somebody else" in step().reason
    assert stage.store.run(run_id).state in ("queued", "running")
    for name, ends in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled"), ("rename", "cancelled")):
        assert steps[name](sure=True) is None
        stage.when(run_id, ends)
    assert stage.store.run(run_id).name == "other"
    assert steps["delete"](sure=True) is None
    assert stage.store.run(run_id) is None


def test_what_makes_no_sense_is_refused_in_words(stage: Stage) -> None:
    """Nothing is raised, whatever a page may ask."""
    manager = stage.manager()
    run_id = stage.submitted(manager, steps=FOREVER)
    stage.when(run_id, "running")
    assert "Cancel it first" in manager.delete(run_id, "ann").reason
    assert "is running already" in manager.resume(run_id, "ann").reason
    assert "no name" in manager.rename(run_id, "1st", "ann").reason
    done = stage.submitted(manager, steps=1)
    manager.cancel(run_id, "ann")
    stage.when(done, "finished")
    assert "used its budget" in manager.resume(done, "ann").reason
    assert "nothing to stop" in manager.cancel(done, "ann").reason
    assert "no such run" in manager.cancel("r000000000000").reason


def test_deleting_leaves_nothing(stage: Stage) -> None:
    """Neither rows nor files."""
    manager = stage.manager()
    run_id = stage.submitted(manager)
    stage.when(run_id, "finished")
    assert manager.delete(run_id, "ann") is None
    assert [] == list(stage.store.checkpoints.iterdir())
    assert [] == list(stage.store.metrics(run_id))
    with stage.store.writing() as db:
        for table in ("runs", "lanes", "metrics", "events"):
            assert (0,) == db.execute(f"SELECT count(*) FROM {table}").fetchone()


def test_two_servers_share_a_data_directory_without_fighting(stage: Stage) -> None:
    """One works, the other takes orders and steps in when the first has gone."""
    first = stage.manager()
    run_id = stage.submitted(first, steps=FOREVER)
    stage.when_at(run_id, 1)  # so it is the first that owns the directory
    second = stage.manager(Store(stage.folder))
    waiting = stage.submitted(second, steps=1)
    assert second.cancel(run_id, "ann") is None
    stage.when(waiting, "finished")
    held, left = stage.submitted(second, steps=FOREVER), stage.submitted(second, steps=1)
    stage.when_at(held, 1)
    assert len(workers(stage.folder)) == 1
    first.close()
    assert "The server ended" in stage.when(held, "interrupted").message
    stage.when(left, "finished")


def test_a_full_disk_is_said_and_got_over(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be noted now is noted when there is room; what is asked meanwhile is refused with the reason."""
    manager = stage.manager()
    run_id = stage.submitted(manager, steps=FOREVER)
    stage.when_at(run_id, 1)
    writing = stage.store.writing

    @contextmanager
    def full() -> Iterator[sqlite3.Connection]:
        with writing() as db:
            yield db
            raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(stage.store, "writing", full)
    workers(stage.folder)[0].kill()
    eventually(lambda: "disk is full" in manager.trouble)
    assert "disk is full" in manager.submit(plan(), FASHION).reason
    assert "disk is full" in manager.rename(run_id, "other", "ann").reason
    assert stage.store.run(run_id).state == "running"
    monkeypatch.setattr(stage.store, "writing", writing)
    assert "killed from outside" in stage.when(run_id, "interrupted").message
    eventually(lambda: not manager.trouble)


def test_a_worker_that_can_note_nothing_more_says_so_by_its_exit_code(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database itself finds no room; the manager makes a sentence of it."""
    opened = Store._opened

    def small(file: Path) -> sqlite3.Connection:
        db = opened(file)
        db.execute("PRAGMA max_page_count = 1")  # no more pages than there are
        return db

    stage.store.add(plan(steps=FOREVER), "long", "ann", 10**9, 20)
    monkeypatch.setattr(Store, "_opened", staticmethod(small))
    assert worker.run_attempt(stage.folder, *stage.store.start_next(), rehearsed) == DISK_FULL
    manager = stage.manager(command=(sys.executable, "-S", "-c", f"raise SystemExit({DISK_FULL})"))
    assert stage.when(stage.submitted(manager), "failed").message.startswith("The disk is full.")


def test_closing_ends_the_workers_at_once(stage: Stage) -> None:
    """What waits in the queue waits for the next server."""
    manager = stage.manager()
    run_id, waiting = stage.submitted(manager, "gets_stuck", FOREVER), stage.submitted(manager, steps=1)
    stage.when_at(run_id, 1)
    manager.close()
    assert [] == workers(stage.folder)
    assert ["queued", "interrupted"] == [run.state for run in stage.store.runs()]
    stage.manager()
    stage.when(waiting, "finished")


def test_the_server_does_not_grow_with_the_runs_that_ended(stage: Stage) -> None:
    """Sixty more leave nothing behind in its memory."""
    manager = stage.manager(command=(sys.executable, "-S", "-c", "pass"), at_once=8)

    def held_after(runs: int) -> int:
        for _ in range(runs // 10):
            submitted = [stage.submitted(manager) for _ in range(10)]
            eventually(lambda ids=submitted: all(stage.store.run(run_id).state == "failed" for run_id in ids))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        few = held_after(20)
        assert held_after(60) < few + 40_000  # bytes; sixty runs that stayed would take several times as many
    finally:
        tracemalloc.stop()
    assert 80 == len(stage.store.runs(["failed"]))
