"""Races: questions that are ready to run, networks matched for parameters, and what a result does and does not say.

All networks here are ``mini`` with one thing changed, so that a race takes a minute or two on two cores.
"""

from collections.abc import Mapping
from statistics import mean, stdev
from types import MappingProxyType
from typing import NamedTuple

from explorer.analysis import problems, summarize
from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.errors import UserError
from explorer.presets import PRESETS
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Plan, Settings, adapt_to_dataset

SEEDS = (0, 1, 2)
STEPS = Budget(kind="steps", amount=100.0)
_LEAST, _MOST = 1 / 32, 32.0  # factors of width
_BISECTIONS = 60


class Question(NamedTuple):
    """A question with the race that looks into it. ``asks`` says what differs and what else to keep in mind."""

    title: str
    asks: str
    plan: Plan


class MatchError(UserError, ValueError):
    """Widths that no factor makes match; the message says why."""


def scaled(config: GoogLeNetConfig, factor: float) -> GoogLeNetConfig:
    """Return the network with all widths of stem and table multiplied, at least 1 each; blanks and zeros stay.

    The auxiliary heads stay as they are: they are no part of the network at inference.
    """

    def wide(width: int | None) -> int | None:
        return max(1, round(width * factor)) if width else width

    return config.replace(
        stem=config.stem.replace(
            **{field: wide(getattr(config.stem, field)) for field in ("conv1", "conv2_reduce", "conv2")}
        ),
        modules=tuple(
            module.replace(**{field: wide(getattr(module, field)) for field in HEADINGS}) for module in config.modules
        ),
    )


def match_parameters(config: GoogLeNetConfig, parameters: int) -> GoogLeNetConfig:
    """Return the network with all widths scaled alike until it has so many parameters at inference, within about 1 %.

    Wider is never cheaper, so the factor is found by bisection. Raises MatchError where even the narrowest has more,
    the widest fewer, or widths are so small that a step of one filter is more than 2 %.
    """
    low, high = _LEAST, _MOST
    if _parameters(scaled(config, low)) > parameters or _parameters(scaled(config, high)) < parameters:
        raise MatchError(f"No factor of width gives this network about {parameters:,} parameters.")
    for _ in range(_BISECTIONS):
        middle = (low * high) ** 0.5
        if _parameters(scaled(config, middle)) <= parameters:
            low = middle
        else:
            high = middle
    best = min((scaled(config, low), scaled(config, high)), key=lambda found: abs(_parameters(found) - parameters))
    if abs(_parameters(best) - parameters) > 0.02 * parameters or problems(best):
        raise MatchError(f"No factor of width gives this network about {parameters:,} parameters.")
    return best


def _parameters(config: GoogLeNetConfig) -> int:
    """Count as the closed form does, also beyond the limits of what can be built here."""
    return 10**12 if problems(config) else summarize(config).parameters(aux=False)


class Standing(NamedTuple):
    """How an entrant did over its seeds: mean accuracy, and the sample standard deviation; None with one seed."""

    name: str
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the seeds."""
        return mean(self.accuracies)

    @property
    def spread(self) -> float | None:
        """The sample standard deviation over the seeds; None where there is one seed only."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else None


def standings(plan: Plan, accuracies: Mapping[int, float]) -> tuple[Standing, ...]:
    """Return how each entrant did, the best first. ``accuracies`` has those of the lanes that finished, by number."""
    found: dict[int, list[float]] = {}
    for number, lane in enumerate(plan.trainers):
        if number in accuracies:
            found.setdefault(lane.entrant, []).append(accuracies[number])
    rows = (Standing(plan.entrants[entrant].name, tuple(values)) for entrant, values in found.items())
    return tuple(sorted(rows, key=lambda row: -row.mean))


def within_spread(one: Standing, other: Standing) -> bool | None:
    """Say whether two entrants differ by no more than their spreads together; None where a spread is not known."""
    if one.spread is None or other.spread is None:
        return None
    return abs(one.mean - other.mean) <= one.spread + other.spread


def _race(data: str, **configs: GoogLeNetConfig) -> Plan:
    facts = DATASETS[data]
    entrants = tuple(
        NamedNetwork(name=name, config=adapt_to_dataset(config, facts.shape, len(facts.classes)).config)
        for name, config in configs.items()
    )
    return Plan(entrants=entrants, data=DatasetChoice(name=data), settings=Settings(), budget=STEPS, seeds=SEEDS)


def _every(config: GoogLeNetConfig, **cells: int | None) -> GoogLeNetConfig:
    return config.replace(modules=tuple(module.replace(**cells) for module in config.modules))


def _questions() -> dict[str, Question]:
    mini = PRESETS["mini"]
    no_heads = mini.replace(aux=mini.aux.replace(taps=()))
    no_5x5 = _every(mini, ch5x5=0)
    plain = mini.replace(normalisation="none", conv_bias=True)
    as_large = match_parameters(no_5x5, summarize(mini).parameters(aux=False))
    return {
        "heads": Question(
            "What do the auxiliary heads do?",
            "The same network with and without its two auxiliary classifiers. The paper reports a small effect "
            "(section 5); a few seeds of a short run can show a large one, not rule out a small one.",
            _race("fashion_mnist", with_heads=mini, without_heads=no_heads),
        ),
        "reductions": Question(
            "What do the 1×1 reductions cost?",
            "With and without the 1×1s before the 3×3 and 5×5. Without them a step takes far more MACs: look at "
            "accuracy by step and by time.",
            _race("fashion_mnist", with_1x1=mini, without_1x1=_every(mini, ch3x3_reduce=None, ch5x5_reduce=None)),
        ),
        "scales": Question(
            "Does the 5×5 branch help where sizes vary?",
            "On Scales: the network, the same without its 5×5 branches, and that one widened to as many parameters.",
            _race("scales", with_5x5=mini, without_5x5=no_5x5, without_5x5_wider=as_large),
        ),
        "batch_norm": Question(
            "What does BatchNorm do?",
            "After every convolution, or nowhere. Each network has the learning rate that suits it; without BatchNorm "
            "it is smaller, because larger ones diverge.",
            _race("fashion_mnist", batch_norm=mini, plain=plain),
        ),
        "half": Question(
            "What does half the width cost?",
            "Every width of stem and table halved: about a quarter of the parameters and MACs.",
            _race("fashion_mnist", whole=mini, half=scaled(mini, 0.5)),
        ),
    }


QUESTIONS: Mapping[str, Question] = MappingProxyType(_questions())
