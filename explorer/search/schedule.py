"""What a study does next, as it follows from its record alone."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from explorer.config import GoogLeNetConfig
from explorer.search.ceilings import own_table
from explorer.search.records import Arm, Source, StudyRecord, TrialRecord, ranked
from explorer.search.validation import final_macs
from explorer.training.plan import DatasetInfo


class FinalTraining(NamedTuple):
    """A training at the end of a study."""

    source: Source
    config: GoogLeNetConfig
    seed: int


def macs_used(record: StudyRecord, trial: TrialRecord, dataset: DatasetInfo) -> int:
    """Return the MACs of training that a trial has used, or will use while it runs."""
    if trial.state in ("running", "waiting"):
        return record.spec.training_macs(trial.config, dataset) if trial.config else 0
    return trial.macs


def next_search_arm(record: StudyRecord, arms: Sequence[Arm], dataset: DatasetInfo) -> Arm | None:
    """Return the arm of searched or random trials that continues: the one that has used least. None at the end.

    So the search and its control have used the same MACs at any time, up to a trial.
    """
    for arm in arms:
        if any(trial.state == "waiting" for trial in record.arm(*arm)):
            return arm
    used = {arm: sum(macs_used(record, trial, dataset) for trial in record.arm(*arm)) for arm in arms}
    open_arms = [arm for arm in arms if not _is_used_up(record, arm, used, dataset)]
    # Arms of lower ceilings train cheaper tables: compared by trials of full length, they advance together.
    return min(open_arms, key=lambda arm: (used[arm] / _full(record, arm, dataset), arms.index(arm)), default=None)


def _full(record: StudyRecord, arm: Arm, dataset: DatasetInfo) -> int:
    return max(1, record.spec.training_macs(own_table(record.spec, arm.ceiling), dataset))


def _is_used_up(record: StudyRecord, arm: Arm, used: dict[Arm, int], dataset: DatasetInfo) -> bool:
    budget = record.spec.budget
    match budget.kind:
        case "trials":
            return used[arm] >= budget.amount * _full(record, arm, dataset)
        case "macs":
            return sum(used.values()) >= budget.amount - final_macs(record.spec, dataset)
    ended = [trial for trial in record.trials if trial.macs]
    seconds = sum(trial.seconds_in_all for trial in record.trials)
    speed = sum(trial.macs for trial in ended) / max(1e-9, sum(trial.seconds_in_all for trial in ended))
    reserve = final_macs(record.spec, dataset) / speed if ended else 0.0
    return seconds >= budget.amount - reserve


def final_trainings(record: StudyRecord, arm: Arm) -> tuple[FinalTraining, ...]:
    """Return the trainings at the end of a study, in order, as they follow from its complete trials."""
    spec, ceiling = record.spec, arm.ceiling
    shift = 2 * len(spec.finalist_seeds) * record.round
    if arm.kind == "finalists":
        if spec.finalists < 2:
            return ()
        entries = [*_top(record, ceiling, "search"), *_top(record, ceiling, "random")]
        seeds = spec.finalist_seeds
    else:
        entries = [
            *((source, config) for source in ("search", "random") if (config := winner(record, ceiling, source))),
            ("paper", own_table(spec, ceiling)),
        ]
        seeds = spec.test_seeds
    return tuple(FinalTraining(source, config, seed + shift) for seed in seeds for source, config in entries)


def _top(
    record: StudyRecord, ceiling: int, source: Literal["search", "random"]
) -> list[tuple[Source, GoogLeNetConfig]]:
    configs = dict.fromkeys(trial.config for trial in ranked(record.arm(ceiling, source)) if trial.config)
    return [(source, config) for config in list(configs)[: record.spec.finalists]]


def winner(record: StudyRecord, ceiling: int, source: Literal["search", "random"]) -> GoogLeNetConfig | None:
    """Return the finalist with the best mean accuracy on the validation images over its new seeds; None without one."""
    candidates = _top(record, ceiling, source)
    trained = record.arm(ceiling, "finalists")

    def mean_accuracy(config: GoogLeNetConfig) -> float:
        found = [one.accuracy for one in trained if one.config == config and one.source == source and one.accuracy]
        return sum(found) / len(found) if found else 0.0

    configs = [config for _, config in candidates]
    if record.spec.finalists < 2:
        return configs[0] if configs else None
    return max(configs, key=mean_accuracy, default=None)  # of equally good ones the first
