"""Compare samplers on a benchmark file in seconds: a replayed study reads its results from the file.

A sampler proposes a point, and the trial gets the nearest table of the file that this study has not trained yet, with
its measured accuracies from one of its seeds. The best table by that seed is then evaluated by the others, so that a
lucky training earns nothing. Pruning works as in a study, and all samplers may use the same number of training steps.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, stdev
from typing import NamedTuple

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import TrialState
from scipy.special import stdtrit

from explorer.jobs.job import Progress
from explorer.jobs.replays import Replays, SamplerComparison
from explorer.search.benchmark_file import BUNDLED, Benchmark, BenchmarkError, BenchmarkTable, read_benchmark
from explorer.search.samplers import SAMPLERS, SeededSampler, distribution, make_pruner
from explorer.search.space import Point, column_name, dimensions
from explorer.search.spec import StudySpec
from explorer.training.intervals import LEVEL, Interval

MIN_TABLES = 20
MIN_SEEDS = 2  # of a table: one to choose by, one to judge by
REPLAY_SEEDS = 20


class ReplayPoint(NamedTuple):
    """A trial of a replay: what was used after it, in trials of full length, and the best table until then.

    ``accuracy`` is None for a pruned trial. ``best`` is the best table's accuracy from its other seeds.
    """

    used: float
    table: int
    accuracy: float | None
    best: float


class Pool:
    """The tables of a benchmark file that can be replayed. Raises BenchmarkError when they are too few."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.spec = benchmark.spec
        self.tables = [table for table in benchmark.tables if table.number and len(table.trainings) >= MIN_SEEDS]
        if len(self.tables) < MIN_TABLES:
            raise BenchmarkError(
                f"The benchmark file has {len(self.tables):,} tables with {MIN_SEEDS} trainings or more; a replay "
                f"needs {MIN_TABLES}. Continue it with: python -m explorer search benchmark."
            )
        self._places = np.stack([shape_of(self.spec, table.point) for table in self.tables])

    def nearest(self, point: Point, unused: NDArray[np.bool_]) -> int:
        """Return the index of the nearest unused table."""
        distances = ((self._places - shape_of(self.spec, point)) ** 2).sum(1)
        return int(np.where(unused, distances, np.inf).argmin())


def shape_of(spec: StudySpec, point: Point) -> NDArray[np.float64]:
    """Return a point without the common factor of all widths, which the ceiling determines.

    Its numbers are the exponents of each column in each stage (or module), less their mean.
    """
    found = dimensions(spec.space, spec.network.config)
    columns = [float(point.get(column_name(column), 0.0)) for column in spec.space.columns]
    groups = [float(point.get(one.name, 0.0)) for one in found if one.name.startswith(("stage ", "module "))] or [0.0]
    exponents = np.add.outer(np.array(columns), np.array(groups)).ravel()
    centred: NDArray[np.float64] = exponents - exponents.mean()
    return centred


def replay(pool: Pool, sampler: str, trials: int, seed: int) -> list[ReplayPoint]:
    """Replay a study with a budget of so many trials of full length."""
    spec = pool.spec
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        sampler=SeededSampler(sampler, seed),
        pruner=make_pruner(spec.pruner, spec.first_rung),
    )
    known = {one.name: distribution(one) for one in dimensions(spec.space, spec.network.config)}
    unused = np.ones(len(pool.tables), bool)
    used, best, found = 0, (-1.0, 0.0), list[ReplayPoint]()
    while used < trials * spec.steps and unused.any():
        trial = study.ask(known)
        at = pool.nearest(trial.params, unused)
        unused[at] = False
        table = pool.tables[at]
        chosen_by = sorted(table.trainings)[seed % len(table.trainings)]
        training = table.trainings[chosen_by]
        steps, accuracy = spec.steps, None
        for report in training.reports:
            trial.report(report.accuracy, report.step)
            if trial.should_prune():
                steps = report.step
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            accuracy = training.accuracy
            study.tell(trial, accuracy)
            best = max(best, (accuracy, accuracy_except(table, chosen_by)))
        used += steps
        found.append(ReplayPoint(used / spec.steps, table.number, accuracy, best[1]))
    return found


def accuracy_except(table: BenchmarkTable, except_seed: int) -> float:
    """Return the mean accuracy of a table over its seeds except one."""
    return fmean(one.accuracy for seed, one in table.trainings.items() if seed != except_seed)


def compare_samplers(
    pool: Pool, samplers: Sequence[str], trials: int, replays: int = REPLAY_SEEDS
) -> tuple[SamplerComparison, ...]:
    """Replay each sampler and random search from so many seeds. Random search is always among the results."""
    *_, found = _compare(pool, samplers, trials, replays)
    assert isinstance(found, Replays)
    return found.comparisons


def replay_bundled(changed: float, trials: int) -> Iterator[Progress | Replays]:
    """Replay all samplers on the file of the app. Raises BenchmarkError where it is missing, damaged or too small."""
    del changed  # a part of the request, so that the results of an older file are not given for it
    yield from _compare(Pool(read_benchmark(BUNDLED)), tuple(SAMPLERS), trials, REPLAY_SEEDS)


def _compare(pool: Pool, samplers: Sequence[str], trials: int, replays: int) -> Iterator[Progress | Replays]:
    names = list(dict.fromkeys((*samplers, "random")))
    curves: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    for seed in range(replays):
        yield Progress(done=seed, total=replays, message="replaying each sampler")
        for name in names:
            curves[name].append(_by_trials(replay(pool, name, trials, seed), trials))
    yield Replays(comparisons=tuple(_comparison(name, curves) for name in names))


def _by_trials(points: Sequence[ReplayPoint], trials: int) -> NDArray[np.float64]:
    """Return the best accuracy after 1, 2, … trials of full length."""
    values = np.zeros(trials)
    for point in points:
        values[max(0, min(trials, int(np.ceil(point.used))) - 1) :] = point.best
    first = next((point.best for point in points if point.best), 0.0)
    values[values == 0] = first
    return values


def _comparison(name: str, curves: Mapping[str, Sequence[NDArray[np.float64]]]) -> SamplerComparison:
    own, random = np.stack(curves[name]), np.stack(curves["random"])
    differences = (own[:, -1] - random[:, -1]).tolist()
    mean = fmean(differences)
    spread = stdev(differences) if len(differences) > 1 else 0.0
    reach = float(stdtrit(max(1, len(differences) - 1), 1 - LEVEL / 2)) * spread / len(differences) ** 0.5
    return SamplerComparison(
        name, tuple(own.mean(0).tolist()), len(differences), mean, Interval(mean - reach, mean + reach)
    )
