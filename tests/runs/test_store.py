"""The run store: what it keeps, how it thins, and what it refuses to open."""

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
from explorer.runs.recorder import Recorder, SupersededError, numbers
from explorer.runs.store import IMPORT_S, Store, StoreError
from explorer.settings import data_folder
from explorer.training.checkpoints import weights_name
from explorer.training.events import Evaluated, Started, Stepped
from tests.runs.stage import plan


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    store = Store(tmp_path)
    yield store
    store.close()


def begun(store: Store, seeds: tuple[int, ...] = (0,)) -> Recorder:
    """Return the recorder of a run that has just been started."""
    assert store.add(plan(seeds=seeds), "run", "ann", 10**9, 20)
    return Recorder(store, *store.start_next())


def stepped(step: int, lane: int = 0, loss: float = 1.0, **more: dict[str, float]) -> Stepped:
    """Return the event of a step."""
    place = {"lane": lane, "step": step, "seconds": step / 10, "images": step * 64, "share": step / 100_000}
    rest = {"aux_losses": {}, "gradients": {}} | more
    return Stepped(**place, loss=loss, accuracy=0.5, learning_rate=0.1, **rest)


def record(recorder: Recorder, steps: range, lane: int = 0) -> None:
    """Record steps whose loss is the number of the step."""
    for step in steps:
        recorder.add(stepped(step, lane, float(step)))
    recorder.flush()


def save(folder: Path) -> dict[int, int]:
    """Save the first lane at step 30."""
    (folder / weights_name(0)).write_text("weights")
    return {0: 30}


def the_run(store: Store) -> str:
    """Return the id of the only run."""
    (run,) = store.runs()
    return run.id


def test_a_curve_comes_back_as_it_was_recorded(store: Store) -> None:
    """Each curve for itself, and only what is new where that is asked for."""
    recorder = begun(store, (0, 1))
    record(recorder, range(1, 51))
    recorder.add(stepped(51, aux_losses={"4a": 2.5}, gradients={"stem": 0.5}))
    record(recorder, range(1, 4), lane=1)
    run_id = the_run(store)
    assert ("aux_loss/4a", "gradient/stem", "learning_rate", "train_accuracy", "train_loss") == store.kinds(run_id)
    assert ("learning_rate", "train_accuracy", "train_loss") == store.kinds(run_id, 1)
    points = store.curve(run_id, "train_loss", after_step=40)
    assert [41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51] == [point.step for point in points]
    assert (41, 4.1, 41 * 64, 41.0) == points[0]
    assert [1, 2, 3] == [point.value for point in store.curve(run_id, "train_loss", 1)]
    assert [] == store.curve(run_id, "no such curve") == store.curve("no such run", "train_loss")


@pytest.mark.parametrize("most", [1, 7, 100, 999])
def test_a_long_curve_is_thinned_to_means(store: Store, most: int) -> None:
    """Into as many stretches as asked for, equally long but for one step; the mean and the last step stay."""
    record(begun(store), range(1, 1_001))
    points = store.curve(the_run(store), "train_loss", most=most)
    assert most == len(points)
    assert 1_000 == points[-1].step
    lengths = [after.step - before.step for before, after in pairwise(points)]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    whole = sum(p.value * n for p, n in zip(points, [points[0].step, *lengths], strict=True)) / 1_000
    assert whole == pytest.approx(500.5)


def test_a_long_run_stays_small() -> None:
    """Of late steps only some make points, the same ones in every run; early ones all do."""
    kept = [step for step in range(1, 100_000) if list(numbers(stepped(step)))]
    assert kept[:8_191] == list(range(1, 8_192))
    assert len(kept) < 25_000
    assert {16} == {after - before for before, after in pairwise(kept[-1_000:])}


def test_numbers_that_are_none_make_no_points(store: Store) -> None:
    """An infinite gradient is left out; the step counts."""
    recorder = begun(store)
    recorder.add(stepped(1, gradients={"stem": float("inf"), "3a": 1.0}))
    recorder.flush()
    assert "gradient/stem" not in store.kinds(the_run(store))
    assert "gradient/3a" in store.kinds(the_run(store))


def test_what_was_told_last_is_known(store: Store) -> None:
    """One event of each kind and lane, the latest."""
    recorder = begun(store)
    place = {"lane": 0, "seconds": 1.0, "images": 64, "share": 0.1}
    recorder.add(Started(**place, step=0, device="CPU", learning_rate=0.1, parameters=5, notes=("A note.",)))
    for step in (1, 2):
        recorder.add(Evaluated(**place, step=step, loss=1.0, accuracy=step / 2, confusion=((1, 0), (0, 1))))
    run_id = the_run(store)
    assert store.latest(run_id, "started").notes == ("A note.",)
    assert store.latest(run_id, "evaluated").accuracy == 1
    assert store.latest(run_id, "finished") is store.latest(run_id, "evaluated", 1) is None
    assert [1, 2] == [point.step for point in store.curve(run_id, "test_accuracy")]


def test_a_new_attempt_goes_on_from_the_checkpoint(store: Store) -> None:
    """What came after it is taken back, in every lane for itself."""
    recorder = begun(store, (0, 1))
    record(recorder, range(1, 31))
    record(recorder, range(1, 31), lane=1)
    recorder.checkpoint(save)
    record(recorder, range(31, 41))
    run_id = the_run(store)
    assert [30, 0] == [lane.checkpoint_step for lane in store.run(run_id).trainers]
    store.give_up(run_id, 1, "interrupted", "It was killed.")
    assert "It was killed. It had come to step 40 and can go on from step 30." == store.run(run_id).account
    assert store.requeue(run_id, 20)
    Recorder(store, *store.start_next())
    assert 30 == store.curve(run_id, "train_loss")[-1].step
    assert [] == store.curve(run_id, "train_loss", 1)


def test_a_worker_that_was_given_up_writes_nothing_more(store: Store) -> None:
    """Its attempt is over: neither events nor checkpoints nor an end of it count."""
    late = begun(store)
    record(late, range(1, 3))
    run_id = the_run(store)
    store.give_up(run_id, 1, "interrupted", "")
    store.requeue(run_id, 20)
    for ways in range(2):
        late.add(stepped(3))
        for write in (late.flush, lambda: late.checkpoint(save), lambda: late.end("finished")):
            with pytest.raises(SupersededError):
                write()
        if ways == 0:
            Recorder(store, *store.start_next())
    with pytest.raises(SupersededError):
        Recorder(store, run_id, 1)
    assert store.run(run_id).state == "running"
    assert store.weights_path(run_id) is None
    assert [] == list((store.checkpoints / run_id).glob("*"))


def test_a_checkpoint_that_cannot_be_written_leaves_the_older_one(store: Store) -> None:
    """And no part of the new one."""
    recorder = begun(store)
    record(recorder, range(1, 31))
    recorder.checkpoint(save)
    good = store.weights_path(the_run(store))

    def full(folder: Path) -> dict[int, int]:
        (folder / weights_name(0)).write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        recorder.checkpoint(full)
    assert good == store.weights_path(the_run(store))
    assert "weights" == good.read_text()
    assert [good.parent] == list(good.parent.parent.iterdir())


def test_a_lane_without_good_weights_keeps_its_last_good_ones(store: Store) -> None:
    """They are taken over into each new checkpoint, with the step that they are of."""
    recorder = begun(store, (0, 1))
    record(recorder, range(1, 31))
    record(recorder, range(1, 31), lane=1)
    recorder.checkpoint(save)

    def second_only(folder: Path) -> dict[int, int]:
        (folder / weights_name(1)).write_text("others")
        return {1: 40}

    recorder.checkpoint(second_only)
    run_id = the_run(store)
    assert ["weights", "others"] == [store.weights_path(run_id, lane).read_text() for lane in (0, 1)]
    assert [30, 40] == [lane.checkpoint_step for lane in store.run(run_id).trainers]


def test_asking_again_does_not_postpone_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that is clicked every second is overdue as if it had been clicked once; another wish begins anew."""
    begun(store)
    run_id, now = the_run(store), 1_000.0
    monkeypatch.setattr(module, "time", lambda: now)
    for wish, moment, overdue in (
        ("paused", 1_000.0, []),
        ("cancelled", 1_002.0, []),
        ("cancelled", 1_003.0, []),
        ("cancelled", 1_004.0, [run_id]),
    ):
        now = moment
        assert store.request_state(run_id, wish)
        assert overdue == store.stop_timed_out({"paused": 1.5, "cancelled": 1.5})


def test_only_files_of_ours_are_swept(store: Store) -> None:
    """What somebody else has put into the folder stays."""
    recorder = begun(store)
    record(recorder, range(1, 2))
    recorder.checkpoint(save)
    kept = {store.weights_path(the_run(store)).parent, store.checkpoints / "holiday", store.checkpoints / "runs"}
    stray = [
        store.checkpoints / "r0123456789ab" / "1-1",
        *(store.checkpoints / the_run(store) / n for n in ("0-9", "2-1.part")),
    ]
    for folder in (*kept, *stray):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").touch()
    store.sweep()
    assert all((folder / "file").exists() for folder in kept)
    assert not any(folder.exists() for folder in stray)
    assert not stray[0].parent.exists()


def test_what_a_killed_import_left_is_swept(store: Store) -> None:
    """A part that nobody can be writing any more; not a set of images, and not what another server brings just now."""
    datasets = store.folder / "datasets"
    datasets.mkdir()
    old, young, whole = (datasets / name for name in ("tmpold.part", "tmpyoung.part", "0123456789abcdef.safetensors"))
    for file in (old, young, whole):
        file.touch()
    for file in (old, whole):
        os.utime(file, (time() - IMPORT_S - 1,) * 2)
    store.sweep()
    assert sorted(datasets.iterdir()) == sorted([young, whole])


def test_the_store_does_not_grow_with_the_runs_it_holds(store: Store) -> None:
    """A page that looks at one run costs the server the same beside 5 finished runs as beside 200."""

    def looked_at(run_id: str) -> int:
        tracemalloc.start()
        store.run(run_id)
        for kind in store.kinds(run_id):
            store.curve(run_id, kind, most=50)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return held

    def finished(runs: int) -> str:
        for _ in range(runs):
            recorder = begun(store)
            record(recorder, range(1, 201))
            recorder.end("finished")
        return store.runs()[0].id

    few = looked_at(finished(5))
    many = looked_at(finished(195))
    assert 200 == len(store.runs())
    assert many < few + 10_000


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    """It is made once, by whoever comes first."""
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


def test_a_folder_that_cannot_be_used_is_explained(tmp_path: Path) -> None:
    """The message names the folder and the way out."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="EXPLORER_DATA"):
        Store(tmp_path / "file" / "folder")
    (tmp_path / "runs.sqlite").write_bytes(b"this is no database, but long enough to be taken for one" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path)


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    """What a later version wrote is not read wrongly."""
    Store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "runs.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        Store(tmp_path)


def test_the_data_folder_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """EXPLORER_DATA names it; without it, it is the platform's."""
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
