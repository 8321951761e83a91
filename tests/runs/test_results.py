"""The best accuracy of each network on each set of images."""

from pathlib import Path

from explorer.runs.results import best_results
from explorer.runs.store import Store
from tests.ui.training import plan, put


def test_the_best_of_all_finished_lanes(tmp_path: Path) -> None:
    """By images and by the network as it was trained; what did not finish counts for nothing."""
    store = Store(tmp_path)
    put(store, plan("mini"), accuracies=(0.8,))
    race = plan("mini", "half", seeds=(0, 1))
    put(store, race, accuracies=(0.7, 0.85, 0.6, 0.5))
    put(store, plan("mini", data="scales"), accuracies=(0.4,))
    put(store, plan("mini"), "cancelled", accuracies=(0.99,))
    found = best_results(store)
    assert {data.name: sorted(known.values()) for data, known in found.items()} == {
        "fashion_mnist": [0.6, 0.85],
        "scales": [0.4],
    }
    assert found[race.data][race.entrants[0].config] == 0.85
    store.close()
