"""Draft to plan: every network is adapted, and every change is described."""

import pytest

from explorer import PRESETS, summarize
from explorer.errors import UnbuildableError
from explorer.training import draft as draft_module
from explorer.training.draft import RunDraft, convert_budget, prepare_plan
from explorer.training.plan import DATASETS, Budget, DatasetChoice, NamedNetwork, Settings, estimate
from explorer.training.races import scale_widths
from explorer.training.recipe import default_settings
from explorer.training.validation import plan_problems

FASHION = DATASETS["fashion_mnist"]
MINI = NamedNetwork(name="mini", config=PRESETS["mini"])
PAPER = NamedNetwork(name="paper", config=PRESETS["paper"])


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("data", ["fashion_mnist", "scales"])
def test_every_preset_makes_a_plan(name: str, data: str) -> None:
    """Any network can be adapted to any images, and the plan can run, except for the memory that it may need."""
    prepared = prepare_plan(
        RunDraft(data=DatasetChoice(name=data)), [NamedNetwork(name=name, config=PRESETS[name])], DATASETS[data]
    )
    assert {problem.field for problem in prepared.problems} <= {"memory"}


def test_the_problems_come_with_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of the validation, also after the limit of memory has changed."""
    draft = RunDraft(settings=Settings(batch_size=1), budget=Budget(amount=-1.0))
    prepared = prepare_plan(draft, [MINI], FASHION)
    assert [problem.field for problem in prepared.problems] == ["batch_size", "amount"]
    assert prepared.problems == plan_problems(prepared.plan, FASHION)
    assert prepare_plan(RunDraft(), [MINI], FASHION).problems == ()
    monkeypatch.setenv("EXPLORER_TRAIN_MB", "300")
    assert [problem.field for problem in prepare_plan(RunDraft(), [MINI], FASHION).problems] == ["memory"]


def test_a_plan_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A control that checks a draft and the page that shows it do the work once."""
    calls = []
    monkeypatch.setattr(draft_module, "plan_problems", lambda *arguments: calls.append(arguments) or ())
    unseen = RunDraft(seeds=(97,))
    assert prepare_plan(unseen, [MINI], FASHION) == prepare_plan(unseen.replace(), (MINI,), FASHION)
    assert len(calls) == 1


def test_defaults_are_those_of_the_largest_network() -> None:
    """Settings and budget suit the one whose steps take longest, and those without BatchNorm; what is set stays."""
    plan = prepare_plan(RunDraft(), [MINI, PAPER], FASHION).plan
    assert (plan.settings, plan.budget) == default_settings([plan.networks[1].config], FASHION)
    settings, budget = Settings(batch_size=17), Budget(kind="steps", amount=3.0)
    plan = prepare_plan(RunDraft(settings=settings, budget=budget), [MINI, PAPER], FASHION).plan
    assert (plan.settings, plan.budget) == (settings, budget)


def test_changes_are_described() -> None:
    """A network that fits has none; the other has a sentence for each."""
    prepared = prepare_plan(RunDraft(), [MINI, PAPER], FASHION)
    assert prepared.changes["mini"] == ()
    assert any("Classes: 1,000 → 10" in change for change in prepared.changes["paper"])
    assert prepared.plan.networks[0].config == MINI.config


def test_the_weight_of_the_auxiliary_losses() -> None:
    """Another weight is set in every network and described; without heads nothing is described."""
    bare = NamedNetwork(name="bare", config=MINI.config.replace(aux=MINI.config.aux.replace(taps=())))
    prepared = prepare_plan(RunDraft(aux_weight=0.1), [MINI, bare], FASHION)
    assert prepared.plan.networks[0].config.aux.loss_weight == 0.1
    assert prepared.changes == {"mini": ("Weight of the auxiliary losses: 0.3 → 0.1.",), "bare": ()}
    assert prepare_plan(RunDraft(aux_weight=0.3), [MINI], FASHION).changes == {"mini": ()}


def test_equal_parameters() -> None:
    """The others come within two percent of the first one's parameters, and the change is described."""
    half = NamedNetwork(name="half", config=scale_widths(MINI.config, 0.5))
    prepared = prepare_plan(RunDraft(equal_parameters=True), [MINI, half], FASHION)
    first, other = (summarize(network.config).parameters(aux=False) for network in prepared.plan.networks)
    assert other == pytest.approx(first, rel=0.02)
    assert prepared.changes["half"][-1].endswith(f"to {other:,} parameters.")


def test_networks_that_cannot_be_matched() -> None:
    """The sentence names the network."""
    tiny = NamedNetwork(name="tiny", config=scale_widths(MINI.config, 0.02))
    with pytest.raises(UnbuildableError, match="mini: No scaling of its widths"):
        prepare_plan(RunDraft(equal_parameters=True), [tiny, MINI], FASHION)


def test_a_network_with_problems() -> None:
    """Its own problems are raised."""
    bad = NamedNetwork(name="bad", config=MINI.config.replace(classes=0))
    with pytest.raises(UnbuildableError):
        prepare_plan(RunDraft(), [MINI, bad], FASHION)


@pytest.mark.parametrize("kind", ["seconds", "steps", "epochs", "macs"])
def test_a_budget_in_another_unit_is_about_the_same(kind: str) -> None:
    """In every unit, the estimated time stays within what two digits and whole steps allow."""
    plan = prepare_plan(RunDraft(budget=Budget(kind="steps", amount=400.0)), [MINI], FASHION).plan
    same = plan.replace(budget=convert_budget(plan, FASHION, kind))
    assert same.budget.kind == kind
    assert estimate(same, FASHION).seconds == pytest.approx(estimate(plan, FASHION).seconds, rel=0.05)
