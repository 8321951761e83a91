"""The run store: what it stores, how it averages curves, and what it refuses to open."""

import os
import sqlite3
import threading
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from time import time

import pytest

from explorer.runs import store as module
from explorer.runs.recorder import Recorder, SupersededError, curve_values
from explorer.runs.schema import StoreError
from explorer.runs.store import STALE_IMPORT_S, Store
from explorer.settings import data_folder
from explorer.training.checkpoints import weights_filename
from explorer.training.events import Evaluated, Started, Stepped
from tests.runs.environment import plan


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path)
    yield store
    store.close()


def start_run(store: Store, seeds: tuple[int, ...] = (0,)) -> Recorder:
    """Return the recorder of a new run."""
    assert store.add(plan(seeds=seeds), "run", "ann", 10**9, 20)
    return Recorder(store, *store.start_next())


def step_event(step: int, trainer: int = 0, loss: float = 1.0, **more: dict[str, float]) -> Stepped:
    """Return the event of a step."""
    position = {
        "trainer": trainer,
        "step": step,
        "seconds": step / 10,
        "images": step * 64,
        "progress": step / 100_000,
    }
    rest = {"aux_losses": {}, "gradients": {}} | more
    return Stepped(**position, loss=loss, accuracy=0.5, learning_rate=0.1, **rest)


def record_steps(recorder: Recorder, steps: range, trainer: int = 0) -> None:
    """Record steps; the loss of each is its number."""
    for step in steps:
        recorder.add(step_event(step, trainer, float(step)))
    recorder.flush()


def save(folder: Path) -> dict[int, int]:
    """Save the first trainer at step 30."""
    (folder / weights_filename(0)).write_text("weights")
    return {0: 30}


def only_run_id(store: Store) -> str:
    """Return the id of the only run."""
    (run,) = store.runs()
    return run.id


def test_a_curve_has_the_recorded_points(store: Store) -> None:
    """Each trainer has its own curves, and a page can read only the new points."""
    recorder = start_run(store, (0, 1))
    record_steps(recorder, range(1, 51))
    recorder.add(step_event(51, aux_losses={"4a": 2.5}, gradients={"stem": 0.5}))
    record_steps(recorder, range(1, 4), trainer=1)
    run_id = only_run_id(store)
    assert ("aux_loss/4a", "gradient/stem", "learning_rate", "train_accuracy", "train_loss") == store.kinds(run_id)
    assert ("learning_rate", "train_accuracy", "train_loss") == store.kinds(run_id, 1)
    points = store.curve(run_id, "train_loss", after_step=40)
    assert [41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51] == [point.step for point in points]
    assert (41, 4.1, 41 * 64, 41.0, 1) == points[0]
    assert [1, 2, 3] == [point.value for point in store.curve(run_id, "train_loss", 1)]
    assert [] == store.curve(run_id, "no such curve") == store.curve("no such run", "train_loss")


@pytest.mark.parametrize("max_points", [1, 7, 100, 999])
def test_a_long_curve_is_averaged_in_groups(store: Store, max_points: int) -> None:
    """Into as many groups as requested, of equal length within one step; the mean and the last step do not change."""
    record_steps(start_run(store), range(1, 1_001))
    points = store.curve(only_run_id(store), "train_loss", max_points=max_points)
    assert max_points == len(points)
    assert 1_000 == points[-1].step
    lengths = [after.step - before.step for before, after in pairwise(points)]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert [point.values for point in points] == [points[0].step, *lengths]
    whole = sum(point.value * point.values for point in points) / 1_000
    assert whole == pytest.approx(500.5)


def test_a_long_run_stays_small() -> None:
    """All early steps become points, and of late steps only some, the same ones in every run."""
    points = [step for step in range(1, 100_000) if list(curve_values(step_event(step)))]
    assert points[:8_191] == list(range(1, 8_192))
    assert len(points) < 25_000
    assert {16} == {after - before for before, after in pairwise(points[-1_000:])}


def test_values_that_are_not_finite_make_no_points(store: Store) -> None:
    """An infinite gradient is skipped; the other values of the step are stored."""
    recorder = start_run(store)
    recorder.add(step_event(1, gradients={"stem": float("inf"), "3a": 1.0}))
    recorder.flush()
    assert "gradient/stem" not in store.kinds(only_run_id(store))
    assert "gradient/3a" in store.kinds(only_run_id(store))


def test_the_latest_events_are_stored(store: Store) -> None:
    """One event of each kind and trainer, the latest."""
    recorder = start_run(store)
    position = {"trainer": 0, "seconds": 1.0, "images": 64, "progress": 0.1}
    recorder.add(Started(**position, step=0, device="CPU", learning_rate=0.1, parameters=5, notes=("A note.",)))
    for step in (1, 2):
        recorder.add(Evaluated(**position, step=step, loss=1.0, accuracy=step / 2, confusion=((1, 0), (0, 1))))
    run_id = only_run_id(store)
    assert store.latest_event(run_id, "started").notes == ("A note.",)
    assert store.latest_event(run_id, "evaluated").accuracy == 1
    assert store.latest_event(run_id, "finished") is store.latest_event(run_id, "evaluated", 1) is None
    assert [1, 2] == [point.step for point in store.curve(run_id, "test_accuracy")]


def test_a_new_attempt_resumes_from_the_checkpoint(store: Store) -> None:
    """The metrics after it are deleted, for every trainer by its own step."""
    recorder = start_run(store, (0, 1))
    record_steps(recorder, range(1, 31))
    record_steps(recorder, range(1, 31), trainer=1)
    recorder.checkpoint(save)
    record_steps(recorder, range(31, 41))
    run_id = only_run_id(store)
    assert [30, 0] == [trainer.checkpoint_step for trainer in store.run(run_id).trainers]
    store.record_worker_exit(run_id, 1, "interrupted", "It was killed.")
    assert "It was killed. It reached step 40 and can resume from step 30." == store.run(run_id).outcome
    assert store.requeue(run_id, 20)
    Recorder(store, *store.start_next())
    assert 30 == store.curve(run_id, "train_loss")[-1].step
    assert [] == store.curve(run_id, "train_loss", 1)


def test_a_worker_that_lost_its_run_writes_nothing_more(store: Store) -> None:
    """Its attempt is over: it writes neither events nor checkpoints nor the end."""
    late = start_run(store)
    record_steps(late, range(1, 3))
    run_id = only_run_id(store)
    store.record_worker_exit(run_id, 1, "interrupted", "")
    store.requeue(run_id, 20)
    for round_number in range(2):
        late.add(step_event(3))
        for write in (late.flush, lambda: late.checkpoint(save), lambda: late.end("finished")):
            with pytest.raises(SupersededError):
                write()
        if round_number == 0:
            Recorder(store, *store.start_next())
    with pytest.raises(SupersededError):
        Recorder(store, run_id, 1)
    assert store.run(run_id).state == "running"
    assert store.weights_path(run_id) is None
    assert [] == list((store.checkpoints / run_id).glob("*"))


def test_a_checkpoint_that_cannot_be_written_leaves_the_previous_one(store: Store) -> None:
    """No part of the new one remains."""
    recorder = start_run(store)
    record_steps(recorder, range(1, 31))
    recorder.checkpoint(save)
    previous = store.weights_path(only_run_id(store))

    def fail(folder: Path) -> dict[int, int]:
        (folder / weights_filename(0)).write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        recorder.checkpoint(fail)
    assert previous == store.weights_path(only_run_id(store))
    assert "weights" == previous.read_text()
    assert [previous.parent] == list(previous.parent.parent.iterdir())


def test_a_trainer_without_finite_weights_keeps_its_last_finite_ones(store: Store) -> None:
    """They are copied into each new checkpoint, with their step."""
    recorder = start_run(store, (0, 1))
    record_steps(recorder, range(1, 31))
    record_steps(recorder, range(1, 31), trainer=1)
    recorder.checkpoint(save)

    def second_only(folder: Path) -> dict[int, int]:
        (folder / weights_filename(1)).write_text("others")
        return {1: 40}

    recorder.checkpoint(second_only)
    run_id = only_run_id(store)
    assert ["weights", "others"] == [store.weights_path(run_id, trainer).read_text() for trainer in (0, 1)]
    assert [30, 40] == [trainer.checkpoint_step for trainer in store.run(run_id).trainers]


def test_another_request_does_not_postpone_the_timeout(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that is clicked every second times out like a single one; another state starts a new timeout."""
    start_run(store)
    run_id, now = only_run_id(store), 1_000.0
    monkeypatch.setattr(module, "time", lambda: now)
    for state, moment, timed_out in (
        ("paused", 1_000.0, []),
        ("cancelled", 1_002.0, []),
        ("cancelled", 1_003.0, []),
        ("cancelled", 1_004.0, [run_id]),
    ):
        now = moment
        assert store.request_state(run_id, state)
        assert timed_out == store.stop_timed_out({"paused": 1.5, "cancelled": 1.5})


def test_only_stray_checkpoints_are_removed(store: Store) -> None:
    """Files with other names than ours stay."""
    recorder = start_run(store)
    record_steps(recorder, range(1, 2))
    recorder.checkpoint(save)
    others = {store.weights_path(only_run_id(store)).parent, store.checkpoints / "holiday", store.checkpoints / "runs"}
    stray = [
        store.checkpoints / "r0123456789ab" / "1-1",
        *(store.checkpoints / only_run_id(store) / n for n in ("0-9", "2-1.part")),
    ]
    for folder in (*others, *stray):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").touch()
    store.remove_stray_files()
    assert all((folder / "file").exists() for folder in others)
    assert not any(folder.exists() for folder in stray)
    assert not stray[0].parent.exists()


def test_the_part_of_a_killed_import_is_removed(store: Store) -> None:
    """Neither a dataset nor the part that another server may be writing is removed."""
    datasets = store.folder / "datasets"
    datasets.mkdir()
    old, young, whole = (datasets / name for name in ("tmpold.part", "tmpyoung.part", "0123456789abcdef.safetensors"))
    for file in (old, young, whole):
        file.touch()
    for file in (old, whole):
        os.utime(file, (time() - STALE_IMPORT_S - 1,) * 2)
    store.remove_stray_files()
    assert sorted(datasets.iterdir()) == sorted([young, whole])


@pytest.mark.slow
def test_memory_does_not_grow_with_the_stored_runs(store: Store) -> None:
    """Reading one run takes the same memory with 5 stored runs as with 200."""

    def memory_to_read(run_id: str) -> int:
        tracemalloc.start()
        store.run(run_id)
        for kind in store.kinds(run_id):
            store.curve(run_id, kind, max_points=50)
        memory, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return memory

    def add_finished(runs: int) -> str:
        for _ in range(runs):
            recorder = start_run(store)
            record_steps(recorder, range(1, 201))
            recorder.end("finished")
        return store.runs()[0].id

    few = memory_to_read(add_finished(5))
    many = memory_to_read(add_finished(195))
    assert 200 == len(store.runs())
    assert many < few + 10_000


def test_a_new_store_can_be_opened_concurrently(tmp_path: Path) -> None:
    """It is created once."""
    opened = []
    threads = [threading.Thread(target=lambda: opened.append(Store(tmp_path / "new"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 8 == len(opened)
    opened[0].add(plan(), "run", "ann", 1, 20)
    assert all(len(store.runs()) == 1 for store in opened)
    for store in opened:
        store.close()


def test_a_folder_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    """The message names the folder and what to do."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="EXPLORER_DATA"):
        Store(tmp_path / "file" / "folder")
    (tmp_path / "runs.sqlite").write_bytes(b"this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    """A later version may have another format."""
    Store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "runs.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path)


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """EXPLORER_DATA names it; without it, it is the platform's folder."""
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path))
    assert tmp_path == data_folder()
    monkeypatch.delenv("EXPLORER_DATA")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert Path("/data/inception-explorer") == data_folder()
    monkeypatch.delenv("XDG_DATA_HOME")
    assert Path.home() / ".local/share/inception-explorer" == data_folder()
    monkeypatch.setattr("sys.platform", "darwin")
    assert Path.home() / "Library/Application Support/inception-explorer" == data_folder()
