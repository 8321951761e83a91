"""How fast this machine trains, as the runs so far tell."""

from collections.abc import Iterable

from explorer.analysis import summarize
from explorer.runs.records import Run
from explorer.training.plan import TRAINING_PASSES

_TELLING_S, _TELLING_STEPS = 2.0, 20  # of a run that says something: the first steps are slow


def macs_per_second(runs: Iterable[Run], device: str) -> float | None:
    """Return the MACs of training per second in the first of these runs that was on this device and lasted a while."""
    for run in runs:
        seconds = sum(lane.seconds for lane in run.trainers)
        if seconds < _TELLING_S or run.step < _TELLING_STEPS or run.plan.settings.device != device:
            continue
        summaries = [summarize(entrant.config) for entrant in run.plan.entrants]
        keys = run.plan.trainers
        macs = sum(summaries[keys[lane.number].entrant].macs(aux=True) * lane.images for lane in run.trainers)
        return TRAINING_PASSES * macs / seconds
    return None
