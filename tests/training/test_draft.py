"""From what a reader set to a plan: every network fits, and every change of it is said."""

import pytest

from explorer import PRESETS, summarize
from explorer.config import UnbuildableError
from explorer.training.draft import RunDraft, convert_budget, prepare_plan
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Settings, default_settings, estimate
from explorer.training.races import scaled
from explorer.training.validation import plan_problems

FASHION = DATASETS["fashion_mnist"]
MINI = NamedNetwork(name="mini", config=PRESETS["mini"])
PAPER = NamedNetwork(name="paper", config=PRESETS["paper"])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("data", ["fashion_mnist", "scales"])
def test_every_preset_makes_a_plan(name: str, data: str) -> None:
    """Any network fits any images, and the plan can be run, but for the memory that it may need."""
    made = prepare_plan(
        RunDraft(data=DatasetChoice(name=data)), [NamedNetwork(name=name, config=PRESETS[name])], DATASETS[data]
    )
    assert {problem.field for problem in plan_problems(made.plan, DATASETS[data])} <= {"memory"}


def test_what_is_not_set_is_proposed_for_the_dearest_network() -> None:
    """Settings and budget come from the network whose steps take longest; what is set stays."""
    made = prepare_plan(RunDraft(), [MINI, PAPER], FASHION)
    assert (made.plan.settings, made.plan.budget) == default_settings(made.plan.entrants[1].config, FASHION)
    settings, budget = Settings(batch_size=17), Budget(kind="steps", amount=3.0)
    made = prepare_plan(RunDraft(settings=settings, budget=budget), [MINI, PAPER], FASHION)
    assert (made.plan.settings, made.plan.budget) == (settings, budget)


def test_changes_are_said() -> None:
    """The network that fits as it is has none; the other has a sentence for each."""
    made = prepare_plan(RunDraft(), [MINI, PAPER], FASHION)
    assert made.changes["mini"] == ()
    assert any("Classes: 1,000 → 10" in change for change in made.changes["paper"])
    assert made.plan.entrants[0].config == MINI.config


def test_the_weight_of_the_heads() -> None:
    """Another weight is set in every network, and said; without heads there is nothing to say."""
    bare = NamedNetwork(name="bare", config=MINI.config.replace(aux=MINI.config.aux.replace(taps=())))
    made = prepare_plan(RunDraft(aux_weight=0.1), [MINI, bare], FASHION)
    assert made.plan.entrants[0].config.aux.loss_weight == 0.1
    assert made.changes == {"mini": ("Weight of the auxiliary losses: 0.3 → 0.1.",), "bare": ()}
    assert prepare_plan(RunDraft(aux_weight=0.3), [MINI], FASHION).changes == {"mini": ()}


def test_matched_widths() -> None:
    """The others come within two percent of the first one's parameters, and that is said."""
    half = NamedNetwork(name="half", config=scaled(MINI.config, 0.5))
    made = prepare_plan(RunDraft(matched=True), [MINI, half], FASHION)
    first, other = (summarize(entrant.config).parameters(aux=False) for entrant in made.plan.entrants)
    assert other == pytest.approx(first, rel=0.02)
    assert made.changes["half"][-1].endswith(f"to {other:,} parameters.")


def test_networks_that_cannot_be_matched() -> None:
    """The sentence names the network."""
    tiny = NamedNetwork(name="tiny", config=scaled(MINI.config, 0.02))
    with pytest.raises(UnbuildableError, match="mini: No factor of width"):
        prepare_plan(RunDraft(matched=True), [tiny, MINI], FASHION)


def test_a_network_with_a_bad_cell() -> None:
    """Its own problems are raised."""
    bad = NamedNetwork(name="bad", config=MINI.config.replace(classes=0))
    with pytest.raises(UnbuildableError):
        prepare_plan(RunDraft(), [MINI, bad], FASHION)


@pytest.mark.parametrize("kind", ["seconds", "steps", "epochs", "macs"])
def test_a_budget_in_another_unit_is_about_the_same(kind: str) -> None:
    """Whichever the unit, the estimate of time stays within what two digits and whole steps allow."""
    plan = prepare_plan(RunDraft(budget=Budget(kind="steps", amount=400.0)), [MINI], FASHION).plan
    same = plan.replace(budget=convert_budget(plan, FASHION, kind))
    assert same.budget.kind == kind
    assert estimate(same, FASHION).seconds == pytest.approx(estimate(plan, FASHION).seconds, rel=0.05)
