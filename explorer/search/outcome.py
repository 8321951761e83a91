"""What a study found: the claim with its controls, what mattered, and how well cheap predictors would have done."""

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.exceptions import ExperimentalWarning

from explorer.config import GoogLeNetConfig
from explorer.runs.significance import Correct, PairedDifference, accuracy_interval, paired_differences, paired_p
from explorer.search.ceilings import cost_of, own_table
from explorer.search.records import Source, StudyRecord, TrialRecord, ranked
from explorer.search.samplers import distribution
from explorer.search.space import dimensions, mean_table
from explorer.training.intervals import Interval

SOURCES: tuple[Source, ...] = ("search", "random", "paper")
MIN_FOR_IMPORTANCE = 10  # trials; with fewer it would be noise
MIN_FOR_CORRELATION = 8
MIN_BEST = 3  # tables, of which the best tenth has at least so many


class FinalAccuracy(NamedTuple):
    """The accuracy of a table on the test images: the mean over its seeds, with its 95 % interval over both."""

    source: Source
    config: GoogLeNetConfig
    cost: int
    accuracies: Mapping[int, float]
    interval: Interval | None

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return sum(self.accuracies.values()) / len(self.accuracies)


class Claim(NamedTuple):
    """The searched table against a control: the difference of mean test accuracies, its interval, and its p-value.

    Interval and p hold for both controls at once.
    """

    control: Source
    difference: PairedDifference
    p: float | None


class Outcome(NamedTuple):
    """The end of a study at a ceiling. ``images`` counts the test images; ``looks`` how often they were evaluated."""

    ceiling: int
    finals: tuple[FinalAccuracy, ...]
    claims: tuple[Claim, ...]
    images: int
    looks: int

    def final(self, source: Source) -> FinalAccuracy | None:
        """Return the result of a table; None before it is trained."""
        return next((one for one in self.finals if one.source == source), None)


def outcome(record: StudyRecord, ceiling: int) -> Outcome:
    """Return what is known on the test images until now."""
    finals, correct = [], dict[Source, dict[int, Correct]]()
    for source in SOURCES:
        trials = [one for one in record.arm(ceiling, "test") if one.source == source and one.results]
        if not trials or trials[0].config is None:
            continue
        correct[source] = {one.seed: np.array(one.results.correct, bool) for one in trials if one.results}
        accuracies = {seed: float(values.mean()) for seed, values in correct[source].items()}
        cost = cost_of(trials[0].config, record.spec.quantity)
        finals.append(FinalAccuracy(source, trials[0].config, cost, accuracies, accuracy_interval(correct[source])))
    images = max((len(values) for by_seed in correct.values() for values in by_seed.values()), default=0)
    return Outcome(ceiling, tuple(finals), _claims(correct), images, record.round + 1)


def _claims(correct: Mapping[Source, Mapping[int, Correct]]) -> tuple[Claim, ...]:
    sources = [source for source in SOURCES if source in correct]
    if "search" not in sources:
        return ()
    claims: list[Claim] = []
    for source in sources[1:]:
        # Two claims are made, so each is made at half of the level: the interval of one pair among two.
        pairs = paired_differences([correct["search"], correct[source]], pairs=len(sources) - 1)
        p = paired_p(correct["search"], correct[source], len(sources) - 1)
        claims += [Claim(source, pair, p) for pair in pairs]
    return tuple(claims)


class Correlation(NamedTuple):
    """Spearman's rank correlation of a predictor with the final accuracy over so many ``trials``, with its interval."""

    predictor: str
    trials: int
    value: float
    interval: Interval


def predictor_correlations(trials: Sequence[TrialRecord]) -> tuple[Correlation, ...]:
    """Return how well each cheap predictor ranks complete trials; empty with too few of them."""
    complete = [one for one in ranked(trials) if one.config]
    predictors: dict[str, list[float | None]] = {
        "synflow": [one.synflow for one in complete],
        "gradient_norm": [one.gradient_norm for one in complete],
        "parameters": [one.costs.get("parameters") for one in complete],
        "early_accuracy": [one.reports[0].accuracy if one.reports else None for one in complete],
    }
    return correlations(predictors, [one.accuracy or 0.0 for one in complete])


def correlations(
    predictors: Mapping[str, Sequence[float | None]], accuracies: Sequence[float]
) -> tuple[Correlation, ...]:
    """Return the rank correlation of each predictor with the accuracies; missing values are left out."""
    found = []
    for name, values in predictors.items():
        pairs = [(value, one) for value, one in zip(values, accuracies, strict=True) if value is not None]
        pairs = [pair for pair in pairs if np.isfinite(pair[0])]
        if len(pairs) >= MIN_FOR_CORRELATION:
            value = spearman([pair[0] for pair in pairs], [pair[1] for pair in pairs])
            found.append(Correlation(name, len(pairs), value, _fisher(value, len(pairs))))
    return tuple(found)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the rank correlation; 0 where all values of one are equal."""
    one, other = _ranks(first), _ranks(second)
    one, other = one - one.mean(), other - other.mean()
    length = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / length if length else 0.0


def _ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """Return the ranks; equal values share their mean rank."""
    array = np.asarray(values, np.float64)
    below: NDArray[np.float64] = (array[None, :] < array[:, None]).sum(1).astype(np.float64)
    equal: NDArray[np.float64] = (array[None, :] == array[:, None]).sum(1).astype(np.float64)
    return below + (equal - 1) / 2


def _fisher(value: float, count: int) -> Interval:
    """Return the 95 % interval of a rank correlation (Bonett & Wright, Psychometrika 65, 2000)."""
    centre = float(np.arctanh(np.clip(value, -0.9999, 0.9999)))
    reach = 1.96 * float(np.sqrt((1 + value**2 / 2) / (count - 3)))
    return Interval(float(np.tanh(centre - reach)), float(np.tanh(centre + reach)))


def importances(record: StudyRecord, ceiling: int) -> dict[str, float]:
    """Return the importance of each dimension, in all 1, the largest first; empty with too few trials.

    PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255): how far the best trials differ from all in each dimension.
    """
    spec = record.spec
    known = {one.name: distribution(one) for one in dimensions(spec.space, spec.network.config)}
    trials = [
        one
        for kind in ("search", "random")
        for one in ranked(record.arm(ceiling, kind))
        if set(one.point) == set(known)
    ]
    if len(trials) < MIN_FOR_IMPORTANCE or len({one.accuracy for one in trials}) < 2:
        return {}
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [optuna.create_trial(value=one.accuracy, params=dict(one.point), distributions=known) for one in trials]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


class Learnt(NamedTuple):
    """The mean table of the best ``trials``, by module and field, and the paper's table at the same cost."""

    trials: int
    mean: Mapping[str, Mapping[str, float | None]]
    paper: GoogLeNetConfig


def best_tenth(record: StudyRecord, ceiling: int) -> Learnt | None:
    """Return the mean table of the best tenth of the searched trials; None before there are enough of them."""
    best = [one.config for one in ranked(record.arm(ceiling, "search")) if one.config]
    if len(best) < MIN_BEST:
        return None
    count = max(MIN_BEST, round(len(best) / 10))
    return Learnt(count, mean_table(best[:count]), own_table(record.spec, ceiling))


class FrontPoint(NamedTuple):
    """A trial that no other beats at the same or a lower cost."""

    cost: int
    accuracy: float
    trial: TrialRecord


def front(record: StudyRecord) -> tuple[FrontPoint, ...]:
    """Return the front of accuracy on the validation images against cost, over all ceilings, the cheapest first."""
    points = sorted(
        (
            FrontPoint(one.costs[record.spec.quantity], one.accuracy, one)
            for one in record.trials
            if one.arm.kind in ("search", "random") and one.accuracy is not None and one.config
        ),
        key=lambda point: (point.cost, -point.accuracy),
    )
    best: list[FrontPoint] = []
    for point in points:
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return tuple(best)
