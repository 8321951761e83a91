"""Samplers and pruners by name. Each trial has a sampler of its own, seeded with the study's seed and its own index.

So the proposal of a trial depends only on that seed and on the trials before it: a study that was killed and resumed
proposes what it would have proposed.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from explorer.search.space import MAX_EXPONENT, Dimension

STARTUP_TRIALS = 10  # random ones, before TPE has a model
POPULATION = 16  # of a generation
# Optuna's attributes of a trial that repeats another: the number of the first one, and of all that it repeats.
ORIGIN, HISTORY = "failed_trial", "retry_history"
REDUCTION = 2  # of the trials at a rung, one in so many continues


class Choice(NamedTuple):
    """A sampler or pruner for the reader: its title and a sentence."""

    title: str
    description: str


SAMPLERS: Mapping[str, Choice] = MappingProxyType(
    {
        "tpe": Choice("TPE", "Models where good tables are and proposes from there (Bergstra et al. 2011)."),
        "evolutionary": Choice("Evolutionary", "Crosses and mutates the best tables (NSGA-II with one objective)."),
        "random": Choice("Random", "Proposes at random: the control that the others have to beat."),
    }
)
PRUNERS: Mapping[str, Choice] = MappingProxyType(
    {
        "halving": Choice("Successive halving", "At a quarter and at half of the steps, the better half continues."),
        "none": Choice("None", "Every trial is trained to its end."),
    }
)


def make_sampler(name: str, seed: int) -> BaseSampler:
    """Return a sampler. Raises KeyError for an unknown name."""
    makers: dict[str, Callable[[], BaseSampler]] = {
        "tpe": lambda: TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
        "evolutionary": lambda: NSGAIISampler(seed=seed, population_size=POPULATION),
        "random": lambda: RandomSampler(seed=seed),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return makers[name]()


def make_pruner(name: str, first_rung: int) -> BasePruner:
    """Return a pruner whose first rung is at a step. Raises KeyError for an unknown name."""
    makers: dict[str, Callable[[], BasePruner]] = {
        "halving": lambda: SuccessiveHalvingPruner(min_resource=first_rung, reduction_factor=REDUCTION),
        "none": NopPruner,
    }
    return makers[name]()


def distribution(dimension: Dimension) -> BaseDistribution:
    """Return a dimension as Optuna describes it."""
    if dimension.choices:
        return CategoricalDistribution(dimension.choices)
    return FloatDistribution(-MAX_EXPONENT, MAX_EXPONENT)


class SeededSampler(BaseSampler):
    """A sampler that is made for each trial, from a seed and the trial's place among those that repeat no other."""

    def __init__(self, name: str, seed: int) -> None:
        self._name, self._seed = name, seed
        self._made: tuple[int, BaseSampler] | None = None

    def _for(self, study: Study, trial: FrozenTrial) -> BaseSampler:
        if self._made is None or self._made[0] != trial.number:
            first = int(trial.system_attrs.get(ORIGIN, trial.number))
            place = sum(one.number < first and ORIGIN not in one.system_attrs for one in study.get_trials(False))
            self._made = trial.number, make_sampler(self._name, _mix(self._seed, place))
        return self._made[1]

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See Optuna."""
        return self._for(study, trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See Optuna."""
        return self._for(study, trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See Optuna."""
        return self._for(study, trial).sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """See Optuna."""
        self._for(study, trial).before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """See Optuna."""
        self._for(study, trial).after_trial(study, trial, state, values)


def _mix(seed: int, place: int) -> int:
    return (seed * 1_000_003 + place) % 2**32
