"""What the runs so far show: the best accuracy of each network on each dataset, and the speed of this machine."""

from collections.abc import Iterable, Mapping

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.runs.records import Run
from explorer.runs.store import Store
from explorer.training.events import Finished
from explorer.training.plan import TRAINING_PASSES, DatasetChoice

Results = Mapping[DatasetChoice, Mapping[GoogLeNetConfig, float]]

_MIN_SECONDS, _MIN_STEPS = 2.0, 20  # of a run whose speed counts: the first steps are slow


def best_results(store: Store) -> Results:
    """Return the best test accuracy by dataset and by the network as it was trained, over all finished runs."""
    results: dict[DatasetChoice, dict[GoogLeNetConfig, float]] = {}
    for run in store.runs(("finished",)):
        by_network = results.setdefault(run.plan.data, {})
        for trainer in run.trainers:
            event = store.latest_event(run.id, "finished", trainer.number)
            if isinstance(event, Finished):
                config = run.plan.networks[run.plan.trainers[trainer.number].network].config
                by_network[config] = max(event.accuracy, by_network.get(config, 0.0))
    return results


def macs_per_second(runs: Iterable[Run], device: str) -> float | None:
    """Return the MACs of training per second of the first of these runs that used the device for long enough."""
    for run in runs:
        seconds = sum(trainer.seconds for trainer in run.trainers)
        if seconds < _MIN_SECONDS or run.step < _MIN_STEPS or run.plan.settings.device != device:
            continue
        summaries = [summarize(network.config) for network in run.plan.networks]
        keys = run.plan.trainers
        macs = sum(summaries[keys[trainer.number].network].macs(aux=True) * trainer.images for trainer in run.trainers)
        return TRAINING_PASSES * macs / seconds
    return None
