"""A run is followed from outside: an update for each change, until it ends."""

from pathlib import Path

from explorer.runs.follow import follow
from explorer.runs.store import Store
from tests.stored_runs import make_plan, store_run


def test_an_ended_run_has_one_update(tmp_path: Path) -> None:
    """With the newest point of each trainer's curves."""
    store = Store(tmp_path)
    run = store_run(store, make_plan("mini", "half"))
    (update,) = follow(store, run.id, 0.0)
    assert update.run == run
    found = {(trainer, kind): point for trainer, kind, point in update.measured}
    assert {(trainer, kind) for trainer in (0, 1) for kind in ("train_loss", "test_accuracy")} == set(found)
    for (trainer, kind), point in found.items():
        assert store.curve(run.id, kind, trainer)[-1] == point


def test_a_deleted_run_ends_it(tmp_path: Path) -> None:
    """Without an update."""
    assert [] == list(follow(Store(tmp_path), "r000000000000", 0.0))
