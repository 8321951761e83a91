"""Results grouped by seed and compared, the best accuracy on each dataset, and the speed of this machine."""

import shutil
from pathlib import Path

import pytest

from explorer import PRESETS, summarize
from explorer.runs.records import Run, TrainerProgress
from explorer.runs.results import best_results, compare, group_by_seed, macs_per_second, results_of_run
from explorer.runs.store import Store
from explorer.training.plan import TRAINING_PASSES, NamedNetwork, Plan, Settings
from tests.stored_runs import make_plan, store_run

MACS_PER_IMAGE = TRAINING_PASSES * summarize(PRESETS["mini"]).macs(aux=True)


def test_the_best_of_all_finished_trainers(tmp_path: Path) -> None:
    """By dataset and by the network as it was trained; unfinished runs do not count."""
    store = Store(tmp_path)
    store_run(store, make_plan("mini"), accuracies=(0.8,))
    race = make_plan("mini", "half", seeds=(0, 1))
    store_run(store, race, accuracies=(0.7, 0.85, 0.6, 0.5))
    store_run(store, make_plan("mini", data="scales"), accuracies=(0.4,))
    store_run(store, make_plan("mini"), "cancelled", accuracies=(0.99,))
    found = {
        data.name: sorted(best.accuracy for best in results.values()) for data, results in best_results(store).items()
    }
    assert found == {"fashion_mnist": [0.6, 0.85], "scales": [0.4]}
    assert best_results(store)[race.data][race.networks[0].config] == (1_700, 2_000, 3)
    store.close()


def test_runs_that_differ_only_by_seed_are_one_group(tmp_path: Path) -> None:
    """Of single runs and of races; another budget, dataset or network makes another group."""
    store = Store(tmp_path)
    race = make_plan("mini", "half", seeds=(0, 1))
    store_run(store, make_plan("mini", seeds=(3,)).replace(settings=race.settings), accuracies=(0.8,))
    store_run(store, race, accuracies=(0.81, 0.83, 0.7, 0.72))
    store_run(store, make_plan("mini", steps=200), accuracies=(0.9,))
    store_run(store, make_plan("mini", data="scales"), accuracies=(0.4,))
    store_run(store, make_plan("mini", seeds=(5,)), "cancelled")
    groups = {(*group.results, group.training.budget.amount): group for group in group_by_seed(store, store.runs())}
    assert set(groups) == {(0, 1, 3, 100), (0, 1, 100), (0, 200), (0, 100)}
    mini = groups[0, 1, 3, 100]
    assert (mini.name, mini.accuracies, mini.mean) == ("mini", (0.81, 0.83, 0.8), pytest.approx(0.8133, abs=1e-4))
    assert mini.seed_interval
    assert mini.seed_interval.contains(mini.mean)
    assert groups[0, 1, 100].seed_interval is None  # two seeds: over images only
    assert groups[0, 1, 100].interval == pytest.approx((0.690, 0.730), abs=2e-3)
    store.close()


def test_a_repeated_seed_counts_once(tmp_path: Path) -> None:
    """The latest run of it."""
    store = Store(tmp_path)
    for accuracy in (0.7, 0.8):
        store_run(store, make_plan("mini"), accuracies=(accuracy,))
    (group,) = group_by_seed(store, store.runs())
    assert group.accuracies == (0.8,)
    store.close()


def test_equal_networks_of_a_race_stay_apart(tmp_path: Path) -> None:
    """Their groups are by the number in the plan, and they are compared like any two."""
    store = Store(tmp_path)
    plan = make_plan("mini", seeds=(0, 1, 2))
    twice = plan.replace(networks=(*plan.networks, plan.networks[0].replace(name="again")))
    run = store_run(store, twice, accuracies=(0.8, 0.81, 0.82, 0.9, 0.91, 0.92))
    found = results_of_run(store, run)
    assert {number: group.name for number, group in found.items()} == {0: "mini", 1: "again"}
    (pair,) = compare(tuple(found.values())).pairs
    assert pair.is_significant
    assert pair.difference == pytest.approx(-0.1)
    store.close()


def test_a_run_of_an_older_version_has_no_comparison(tmp_path: Path) -> None:
    """It did not store which images were classified correctly; its accuracy and its interval are there."""
    shutil.copytree(Path(__file__).parents[1] / "compatibility" / "run_store", tmp_path / "store")
    store = Store(tmp_path / "store")
    (run,) = [run for run in store.runs() if run.name == "done"]
    (group,) = group_by_seed(store, [run])
    assert len(group.results) == 2
    assert group.seed_interval is None
    assert group.interval.contains(group.mean)
    assert compare([group, group]).obstacle == "not_stored"
    store.close()


def run_of_mini(step: int, seconds: float, device: str = "auto") -> Run:
    """Return a run of mini that has taken so many steps of 64 images."""
    plan = Plan(networks=(NamedNetwork(name="mini", config=PRESETS["mini"]),), settings=Settings(device=device))
    trainer = TrainerProgress(0, step, seconds, 64 * step, 0.5, 0, "")
    return Run("r0", "mini", "", plan.model_dump_json(), "finished", "", 0.0, 0.0, 1.0, (trainer,))


def test_the_speed_is_that_of_the_latest_long_run() -> None:
    """MACs of all its images by its seconds; a run of a few steps does not count."""
    runs = [run_of_mini(3, 9.0), run_of_mini(100, 10.0), run_of_mini(100, 1_000.0)]
    assert macs_per_second(runs, "auto") == pytest.approx(640 * MACS_PER_IMAGE)


def test_the_speed_of_another_device_does_not_count() -> None:
    """A run on the GPU says nothing about the CPU."""
    assert macs_per_second([run_of_mini(100, 10.0, "cuda")], "cpu") is None
    assert macs_per_second([], "auto") is None
