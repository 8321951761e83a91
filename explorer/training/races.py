"""Races: ready-made questions, and networks matched for parameters.

All networks here are ``mini`` with one thing changed, so that a race takes a minute or two on two cores.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from explorer.analysis import problems, summarize
from explorer.config import HEADINGS, GoogLeNetConfig
from explorer.errors import UserError
from explorer.presets import PRESETS
from explorer.training.plan import (
    DATASETS,
    Budget,
    DataName,
    DatasetChoice,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
)

SEEDS = (0, 1, 2)
STEPS = Budget(kind="steps", amount=100.0)
_MIN_FACTOR, _MAX_FACTOR = 1 / 32, 32.0  # of the widths
_BISECTIONS = 60


class Question(NamedTuple):
    """A question and the race that investigates it. ``description`` says what differs and what to consider."""

    title: str
    description: str
    plan: Plan


class MatchError(UserError, ValueError):
    """No scaling of the widths gives the number of parameters; the message says why."""


def scale_widths(config: GoogLeNetConfig, factor: float) -> GoogLeNetConfig:
    """Return the network with all widths of stem and table multiplied, at least 1 each; blanks and zeros stay.

    The auxiliary heads do not change, because they are not part of the network at inference.
    """

    def scale(width: int | None) -> int | None:
        return max(1, round(width * factor)) if width else width

    return config.replace(
        stem=config.stem.replace(
            **{field: scale(getattr(config.stem, field)) for field in ("conv1", "conv2_reduce", "conv2")}
        ),
        modules=tuple(
            module.replace(**{field: scale(getattr(module, field)) for field in HEADINGS}) for module in config.modules
        ),
    )


def match_parameters(config: GoogLeNetConfig, parameters: int) -> GoogLeNetConfig:
    """Return the network with all widths scaled by one factor, with ``parameters`` at inference within about 1 %.

    A wider network never has fewer parameters, so bisection finds the factor. Raises MatchError where even the
    narrowest has more parameters, the widest fewer, or the widths are so small that one filter is more than 2 %.
    """
    low, high = _MIN_FACTOR, _MAX_FACTOR
    if _parameters(scale_widths(config, low)) > parameters or _parameters(scale_widths(config, high)) < parameters:
        raise MatchError(f"No scaling of its widths gives this network about {parameters:,} parameters.")
    for _ in range(_BISECTIONS):
        middle = (low * high) ** 0.5
        if _parameters(scale_widths(config, middle)) <= parameters:
            low = middle
        else:
            high = middle
    best = min(
        (scale_widths(config, low), scale_widths(config, high)),
        key=lambda candidate: abs(_parameters(candidate) - parameters),
    )
    if abs(_parameters(best) - parameters) > 0.02 * parameters or problems(best):
        raise MatchError(f"No scaling of its widths gives this network about {parameters:,} parameters.")
    return best


def _parameters(config: GoogLeNetConfig) -> int:
    """Return the parameters at inference, or a huge number for a network beyond the limits of what can be built."""
    return 10**12 if problems(config) else summarize(config).parameters(aux=False)


def _race(data: DataName, configs: Mapping[str, GoogLeNetConfig]) -> Plan:
    dataset = DATASETS[data]
    networks = tuple(
        NamedNetwork(name=name, config=adapt_to_dataset(config, dataset.shape, len(dataset.classes)).config)
        for name, config in configs.items()
    )
    return Plan(networks=networks, data=DatasetChoice(name=data), settings=Settings(), budget=STEPS, seeds=SEEDS)


def _in_all_modules(config: GoogLeNetConfig, **cells: int | None) -> GoogLeNetConfig:
    return config.replace(modules=tuple(module.replace(**cells) for module in config.modules))


def _questions() -> dict[str, Question]:
    mini = PRESETS["mini"]
    no_heads = mini.replace(aux=mini.aux.replace(taps=()))
    no_5x5 = _in_all_modules(mini, ch5x5=0)
    plain = mini.replace(normalisation="none", conv_bias=True)
    no_5x5_wider = match_parameters(no_5x5, summarize(mini).parameters(aux=False))
    return {
        "heads": Question(
            "What do the auxiliary heads do?",
            "The same network with and without its two auxiliary classifiers. The paper reports a small effect "
            "(section 5); a few seeds of a short run can show a large effect but cannot rule out a small one.",
            _race("fashion_mnist", {"mini with heads": mini, "mini without heads": no_heads}),
        ),
        "reductions": Question(
            "What do the 1×1 reductions cost?",
            "With and without the 1×1 convolutions before the 3×3 and 5×5. Without them a step takes far more MACs: "
            "compare the accuracy by step and by time.",
            _race(
                "fashion_mnist",
                {
                    "mini with reductions": mini,
                    "mini without reductions": _in_all_modules(mini, ch3x3_reduce=None, ch5x5_reduce=None),
                },
            ),
        ),
        "scales": Question(
            "Does the 5×5 branch help where sizes vary?",
            "On Scales: the network, the same without its 5×5 branches, and the latter widened to the same number of "
            "parameters.",
            _race("scales", {"mini with 5×5": mini, "mini without 5×5": no_5x5, "wider, without 5×5": no_5x5_wider}),
        ),
        "batch_norm": Question(
            "What does BatchNorm do?",
            "BatchNorm after every convolution, or nowhere. Each network has its own learning rate; without BatchNorm "
            "it is smaller, because larger ones diverge.",
            _race("fashion_mnist", {"mini with BatchNorm": mini, "mini without BatchNorm": plain}),
        ),
        "half": Question(
            "What does half the width cost?",
            "Every width of stem and table halved: about a quarter of the parameters and MACs.",
            _race("fashion_mnist", {"mini": mini, "mini with half the width": scale_widths(mini, 0.5)}),
        ),
    }


QUESTIONS: Mapping[str, Question] = MappingProxyType(_questions())
