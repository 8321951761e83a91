"""The default recipe of a new run, and races that measure what one of its settings does.

The defaults of :class:`explorer.training.plan.Settings` are those of stored plans; a new run has those of RECIPE.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from types import MappingProxyType
from typing import Any, NamedTuple

from explorer.config import GoogLeNetConfig
from explorer.training.plan import MACS_PER_SECOND, Budget, DatasetInfo, NamedNetwork, Plan, Settings, step_macs

RECIPE = Settings(label_smoothing=0.1, precision="auto")
# Without BatchNorm SGD hardly starts in a budget of some hundred steps: Adam, with clipped gradients, does.
PLAIN_RECIPE = RECIPE.replace(optimiser="adam", clip_norm=1.0)
SLOW_STEP_MACS = 20_000_000_000  # about a second on two cores; where a step takes more, the default batch is smaller
MIN_DEFAULT_BATCH = 16
MIN_DEFAULT_STEPS = 60  # a default budget is long enough for these
MAX_DEFAULT_SECONDS = 600.0


class Alternative(NamedTuple):
    """A setting at two values, and the names of the two networks that race with them.

    The race uses the plan's value as the first one, unless that is the second value.
    """

    values: tuple[Any, Any]
    names: tuple[str, str]


def _with_and_without(field: str, on: Any, off: Any) -> Alternative:
    return Alternative((on, off), (f"with_{field}", f"without_{field}"))


# The settings whose effect a race can measure, by field.
ALTERNATIVES: Mapping[str, Alternative] = MappingProxyType(
    {
        "label_smoothing": _with_and_without("label_smoothing", 0.1, 0.0),
        "warm_up": _with_and_without("warm_up", 0.25, 0.0),
        "mirror": _with_and_without("mirror", True, False),
        "augment": _with_and_without("augment", True, False),
        "small_images": _with_and_without("small_images", 0.5, 0.0),
        "averaging": _with_and_without("averaging", 0.1, 0.0),
        "precise_batch_norm": _with_and_without("precise_batch_norm", True, False),
        "clip_norm": _with_and_without("clip_norm", 1.0, None),
        "initialisation": Alternative(("he", "caffe"), ("he", "caffe")),
        "precision": Alternative(("auto", "fp32"), ("bfloat16", "float32")),
    }
)


def default_settings(configs: Sequence[GoogLeNetConfig], dataset: DatasetInfo) -> tuple[Settings, Budget]:
    """Return the default settings and budget of networks that train together.

    The budget is a minute, or longer if the one whose steps need the most MACs would take few steps in it. Where a
    step of 64 images would take it long, the batch is smaller, so that there are enough steps to learn. If one of the
    networks has no BatchNorm, all have the recipe with which it learns.
    """
    config = max(configs, key=lambda config: step_macs(config, RECIPE, dataset))
    settings = RECIPE if all(config.normalisation == "batch_norm" for config in configs) else PLAIN_RECIPE
    while settings.batch_size > MIN_DEFAULT_BATCH and step_macs(config, settings, dataset) > SLOW_STEP_MACS:
        settings = settings.replace(batch_size=settings.batch_size // 2)
    seconds = MIN_DEFAULT_STEPS * step_macs(config, settings, dataset) / MACS_PER_SECOND
    return settings, Budget(amount=min(MAX_DEFAULT_SECONDS, max(Budget().amount, float(ceil(seconds)))))


def setting_race(plan: Plan, field: str, seeds: tuple[int, ...]) -> Plan:
    """Return a race of the plan's first network with itself that differs in one setting, from each seed."""
    first, second = ALTERNATIVES[field].values
    chosen = getattr(plan.settings_of(0), field)
    values = (first if chosen == second else chosen, second)
    networks = tuple(
        NamedNetwork(name=name, config=plan.networks[0].config, settings=plan.settings_of(0).replace(**{field: value}))
        for name, value in zip(ALTERNATIVES[field].names, values, strict=True)
    )
    return plan.replace(networks=networks, seeds=seeds)
