"""What the finished runs reached: the best accuracy of each network on each set of images."""

from collections.abc import Mapping

from explorer.config import GoogLeNetConfig
from explorer.runs.store import Store
from explorer.training.events import Finished
from explorer.training.plan import DatasetChoice

Results = Mapping[DatasetChoice, Mapping[GoogLeNetConfig, float]]


def best_results(store: Store) -> Results:
    """Return the best test accuracy by images and by the network as it was trained, over all runs that finished."""
    found: dict[DatasetChoice, dict[GoogLeNetConfig, float]] = {}
    for run in store.runs(("finished",)):
        known = found.setdefault(run.plan.data, {})
        for lane in run.trainers:
            told = store.latest(run.id, "finished", lane.number)
            if isinstance(told, Finished):
                config = run.plan.entrants[run.plan.trainers[lane.number].entrant].config
                known[config] = max(told.accuracy, known.get(config, 0.0))
    return found
