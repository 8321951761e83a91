"""The settings of a run before it starts, and the plan that they give for some networks and a dataset."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

from explorer.analysis import problems, summarize
from explorer.config import Frozen, GoogLeNetConfig
from explorer.errors import Problem, UnbuildableError
from explorer.training.plan import (
    MACS_PER_SECOND,
    Budget,
    DatasetChoice,
    DatasetInfo,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    estimate,
    step_macs,
    steps_per_epoch,
)
from explorer.training.races import MatchError, match_parameters
from explorer.training.recipe import default_settings
from explorer.training.validation import memory_limit, plan_problems


class RunDraft(Frozen):
    """The settings of a run that has not started. :func:`default_settings` replaces settings and a budget of None.

    ``equal_parameters``: scale the widths of every network but the first until it has the first one's parameters.
    ``aux_weight`` replaces the networks' own weight of the auxiliary losses, unless it is None.
    """

    data: DatasetChoice = DatasetChoice()
    settings: Settings | None = None
    budget: Budget | None = None
    seeds: tuple[int, ...] = (0,)
    equal_parameters: bool = False
    aux_weight: float | None = None


class PreparedPlan(NamedTuple):
    """A plan, by network name the changes that adapt it, as sentences, and why the plan cannot run, if it cannot."""

    plan: Plan
    changes: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]


def prepare_plan(draft: RunDraft, networks: Sequence[NamedNetwork], dataset: DatasetInfo) -> PreparedPlan:
    """Return the plan of a draft for these networks, each adapted to the dataset, and the problems of the plan.

    Raises UnbuildableError where a network has problems of its own, no size fits it, or its parameters cannot be
    matched.
    """
    return _prepare_plan(draft, tuple(networks), dataset, memory_limit())


# A control checks a draft, and the page that is drawn next needs the same plan.
@lru_cache(maxsize=16)
def _prepare_plan(
    draft: RunDraft, networks: tuple[NamedNetwork, ...], dataset: DatasetInfo, memory_limit_bytes: int
) -> PreparedPlan:
    adapted = [
        adapt_to_dataset(_with_aux_weight(network.config, draft.aux_weight), dataset.shape, len(dataset.classes))
        for network in networks
    ]
    changes = {
        network.name: (*_describe_aux_weight(network.config, draft.aux_weight), *result.changes)
        for network, result in zip(networks, adapted, strict=True)
    }
    trained = [
        NamedNetwork(name=network.name, config=result.config) for network, result in zip(networks, adapted, strict=True)
    ]
    if draft.equal_parameters:
        trained, changes = _equalize_parameters(trained, changes)
    settings, budget = _settings_and_budget(draft, trained, dataset)
    plan = Plan(networks=tuple(trained), data=draft.data, settings=settings, budget=budget, seeds=draft.seeds)
    return PreparedPlan(plan, MappingProxyType(changes), plan_problems(plan, dataset, memory_limit_bytes))


def _with_aux_weight(config: GoogLeNetConfig, weight: float | None) -> GoogLeNetConfig:
    return config if weight is None else config.replace(aux=config.aux.replace(loss_weight=weight))


def _describe_aux_weight(config: GoogLeNetConfig, weight: float | None) -> tuple[str, ...]:
    if weight is None or weight == config.aux.loss_weight or not config.aux.taps:
        return ()
    return (f"Weight of the auxiliary losses: {config.aux.loss_weight:g} → {weight:g}.",)


def _equalize_parameters(
    networks: list[NamedNetwork], changes: dict[str, tuple[str, ...]]
) -> tuple[list[NamedNetwork], dict[str, tuple[str, ...]]]:
    """Scale the widths of all networks but the first until they have its parameters at inference."""
    first, *others = networks
    goal = summarize(first.config).parameters(aux=False)
    scaled, described = [first], dict(changes)
    for other in others:
        before = summarize(other.config).parameters(aux=False)
        try:
            config = match_parameters(other.config, goal)
        except MatchError as error:
            raise UnbuildableError((Problem("plan", "equal_parameters", f"{other.name}: {error}"),)) from error
        scaled.append(NamedNetwork(name=other.name, config=config))
        after = summarize(config).parameters(aux=False)
        if after != before:
            described[other.name] += (f"Widths: all scaled by one factor, from {before:,} to {after:,} parameters.",)
    return scaled, described


def _settings_and_budget(
    draft: RunDraft, networks: Sequence[NamedNetwork], dataset: DatasetInfo
) -> tuple[Settings, Budget]:
    """Return the draft's settings and budget, or the defaults for these networks."""
    settings, budget = draft.settings, draft.budget
    if settings is None or budget is None:
        buildable = [network.config for network in networks if not problems(network.config)]
        default, default_budget = default_settings(buildable, dataset)
        settings, budget = settings or default, budget or default_budget
    return settings, budget


def convert_budget(
    plan: Plan,
    dataset: DatasetInfo,
    kind: Literal["seconds", "steps", "epochs", "macs"],
    macs_per_second: float = MACS_PER_SECOND,
) -> Budget:
    """Return about the same budget in another unit, rounded to two digits, for the first network and one seed."""
    first = plan.replace(networks=plan.networks[:1], seeds=plan.seeds[:1])
    estimated = estimate(first, dataset, macs_per_second)
    amounts = {
        "seconds": estimated.seconds,
        "steps": estimated.steps,
        "epochs": estimated.steps / steps_per_epoch(plan.settings, dataset),
        "macs": estimated.steps * step_macs(first.networks[0].config, plan.settings, dataset),
    }
    return Budget(kind=kind, amount=max(1.0, float(f"{amounts[kind]:.2g}")))
