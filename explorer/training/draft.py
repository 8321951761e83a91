"""What a reader has set for a run before it starts, and the plan that it makes once networks and images are known."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from explorer.analysis import problems, summarize
from explorer.config import Frozen, GoogLeNetConfig, Problem, UnbuildableError
from explorer.training.plan import (
    MACS_PER_SECOND,
    Budget,
    DatasetChoice,
    DatasetInfo,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    default_settings,
    estimate,
    step_macs,
    steps_per_epoch,
)
from explorer.training.races import MatchError, match_parameters


class RunDraft(Frozen):
    """The settings of a run to be. Settings and a budget of None are those that :func:`explorer.training.plan.proposed` gives.

    ``matched``: every network but the first is made as wide as it must be to have the first one's parameters.
    ``aux_weight`` takes the place of the networks' own weight of the auxiliary losses, where it is not None.
    """

    data: DatasetChoice = DatasetChoice()
    settings: Settings | None = None
    budget: Budget | None = None
    seeds: tuple[int, ...] = (0,)
    matched: bool = False
    aux_weight: float | None = None


class PreparedPlan(NamedTuple):
    """A plan, and by the name of each entrant what was changed to make it fit, in sentences."""

    plan: Plan
    changes: dict[str, tuple[str, ...]]


def prepare_plan(draft: RunDraft, networks: Sequence[NamedNetwork], facts: DatasetInfo) -> PreparedPlan:
    """Return the plan of a draft for these networks, each made to fit the images. ``facts`` are those of its images.

    Raises UnbuildableError where a network has problems of its own, fits no size, or cannot be matched. Whether the
    plan can be run is still to be judged by :func:`explorer.training.validation.plan_problems`.
    """
    fitted = [
        adapt_to_dataset(_weighted(network.config, draft.aux_weight), facts.shape, len(facts.classes))
        for network in networks
    ]
    entrants = [
        NamedNetwork(name=network.name, config=fits.config) for network, fits in zip(networks, fitted, strict=True)
    ]
    changes = {
        network.name: (*_weight_said(network.config, draft.aux_weight), *fits.changes)
        for network, fits in zip(networks, fitted, strict=True)
    }
    if draft.matched:
        entrants, changes = _matched(entrants, changes)
    settings, budget = _chosen(draft, entrants, facts)
    plan = Plan(entrants=tuple(entrants), data=draft.data, settings=settings, budget=budget, seeds=draft.seeds)
    return PreparedPlan(plan, changes)


def _weighted(config: GoogLeNetConfig, weight: float | None) -> GoogLeNetConfig:
    return config if weight is None else config.replace(aux=config.aux.replace(loss_weight=weight))


def _weight_said(config: GoogLeNetConfig, weight: float | None) -> tuple[str, ...]:
    if weight is None or weight == config.aux.loss_weight or not config.aux.taps:
        return ()
    return (f"Weight of the auxiliary losses: {config.aux.loss_weight:g} → {weight:g}.",)


def _matched(
    entrants: list[NamedNetwork], changes: dict[str, tuple[str, ...]]
) -> tuple[list[NamedNetwork], dict[str, tuple[str, ...]]]:
    """Widen or narrow all networks but the first until they have its parameters at inference."""
    first, *others = entrants
    goal = summarize(first.config).parameters(aux=False)
    made, said = [first], dict(changes)
    for other in others:
        before = summarize(other.config).parameters(aux=False)
        try:
            config = match_parameters(other.config, goal)
        except MatchError as error:
            raise UnbuildableError((Problem("plan", "matched", f"{other.name}: {error}"),)) from error
        made.append(NamedNetwork(name=other.name, config=config))
        after = summarize(config).parameters(aux=False)
        if after != before:
            said[other.name] += (f"Widths: scaled alike, from {before:,} to {after:,} parameters.",)
    return made, said


def _chosen(draft: RunDraft, entrants: Sequence[NamedNetwork], facts: DatasetInfo) -> tuple[Settings, Budget]:
    """Return what was set, or what suits the network whose steps take the most."""
    settings, budget = draft.settings, draft.budget
    if settings is None or budget is None:
        sound = [entrant.config for entrant in entrants if not problems(entrant.config)]
        dearest = max(sound, key=lambda config: step_macs(config, Settings(), facts))
        for_network, for_clock = default_settings(dearest, facts)
        settings, budget = settings or for_network, budget or for_clock
    return settings, budget


def convert_budget(
    plan: Plan,
    facts: DatasetInfo,
    kind: Literal["seconds", "steps", "epochs", "macs"],
    macs_per_second: float = MACS_PER_SECOND,
) -> Budget:
    """Return about the same budget in another unit, to two digits; the first network's where they differ."""
    first = plan.replace(entrants=plan.entrants[:1], seeds=plan.seeds[:1])
    guess, each = estimate(first, facts, macs_per_second), step_macs(first.entrants[0].config, plan.settings, facts)
    amounts = {
        "seconds": guess.seconds,
        "steps": guess.steps,
        "epochs": guess.steps / steps_per_epoch(plan.settings, facts),
        "macs": guess.steps * each,
    }
    return Budget(kind=kind, amount=max(1.0, float(f"{amounts[kind]:.2g}")))
