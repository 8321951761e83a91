"""Samplers and pruners by name. Each trial has a sampler of its own, seeded with the study's seed and its own index.

So the proposal of a trial depends only on that seed and on the trials before it: a study that was killed and resumed
proposes what it would have proposed.
"""

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, NSGAIISampler, RandomSampler, TPESampler

from explorer.search.space import MAX_EXPONENT, Dimension

STARTUP_TRIALS = 10  # random ones, before TPE has a model
POPULATION = 16  # of a generation
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
