"""How far a study is, and how long it will still take."""

from typing import NamedTuple

from explorer.search.ceilings import own_table
from explorer.search.records import StudyRecord
from explorer.search.schedule import macs_used
from explorer.search.validation import final_macs
from explorer.training.plan import MACS_PER_SECOND, DatasetInfo

CORES_OF_SPEED = 2  # that MACS_PER_SECOND assumes; a worker has one


class Progress(NamedTuple):
    """The fraction that is done, the seconds left (None before a trial has ended), and the trials by state."""

    fraction: float
    seconds_left: float | None
    running: int
    waiting: int
    complete: int
    pruned: int
    failed: int


def study_progress(record: StudyRecord, dataset: DatasetInfo) -> Progress:
    """Return the progress of a study, from the MACs that its trials have used and will use."""
    spec = record.spec
    states = [trial.state for trial in record.trials]
    done = sum(trial.macs for trial in record.trials)
    seconds = sum(trial.seconds_in_all for trial in record.trials if trial.macs)
    speed = done / seconds if seconds else MACS_PER_SECOND / CORES_OF_SPEED
    match spec.budget.kind:
        case "trials":
            full = sum(spec.training_macs(own_table(spec, index), dataset) for index in range(len(spec.ceilings)))
            total = 2 * spec.budget.amount * full + final_macs(spec, dataset)
        case "macs":
            total = spec.budget.amount
        case _:
            total = spec.budget.amount * speed
    used = done + sum(macs_used(record, one, dataset) / 2 for one in record.trials if one.state == "running")
    is_done = record.state == "finished"
    left = max(0.0, total - used) / speed / max(1, record.workers)
    return Progress(
        fraction=1.0 if is_done else min(0.99, used / max(1.0, total)),
        seconds_left=0.0 if is_done else left if seconds else None,
        running=states.count("running"),
        waiting=states.count("waiting"),
        complete=states.count("complete"),
        pruned=states.count("pruned"),
        failed=states.count("failed"),
    )
