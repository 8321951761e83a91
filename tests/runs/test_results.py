"""The best accuracy of each network on each dataset, and the speed of this machine."""

from pathlib import Path

import pytest

from explorer import PRESETS, summarize
from explorer.runs.records import Run, TrainerProgress
from explorer.runs.results import best_results, macs_per_second
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
    results = best_results(store)
    assert {data.name: sorted(by_network.values()) for data, by_network in results.items()} == {
        "fashion_mnist": [0.6, 0.85],
        "scales": [0.4],
    }
    assert results[race.data][race.networks[0].config] == 0.85
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
