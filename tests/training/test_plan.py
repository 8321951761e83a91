"""Plans: fitted in words, estimated in closed form, and kept as JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError, problems, summarize
from explorer.diff import changes
from explorer.memory import activation_memory
from explorer.training.plan import (
    DATASETS,
    Budget,
    DatasetChoice,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    default_settings,
    effective_learning_rate,
    estimate,
    learning_rate_at,
    memory_bytes,
    step_macs,
    steps_per_epoch,
    trainer_steps,
)
from explorer.training.validation import plan_problems
from tests.strategies import examples, networks

CLOTHES, SCALES = DATASETS["fashion_mnist"], DATASETS["scales"]
MINI = NamedNetwork(name="mini", config=PRESETS["mini"])
PLAN = Plan(networks=(MINI,))


def test_a_plan_survives_json() -> None:
    """Every part of a plan is there again, and an unknown part is refused."""
    plan = PLAN.replace(
        entrants=(MINI, MINI.replace(name="half")),
        data=DatasetChoice(name="own", upload="ab12", seed=3),
        settings=Settings(optimiser="adam", learning_rate=1e-3, schedule="paper", precision="bf16"),
        budget=Budget(kind="macs", amount=1e12),
        seeds=(1, 2),
    )
    assert plan == Plan.model_validate_json(plan.model_dump_json())
    with pytest.raises(ValueError, match="extra"):
        Plan.model_validate_json(plan.model_dump_json().replace('"seeds"', '"seedz"'))


def test_lanes_are_entrants_with_seeds() -> None:
    """All seeds of the first entrant come first."""
    plan = PLAN.replace(entrants=(MINI, MINI.replace(name="b")), seeds=(4, 2))
    assert ((0, 4), (0, 2), (1, 4), (1, 2)) == plan.trainers


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("facts", [CLOTHES, SCALES], ids=["clothes", "scales"])
def test_every_preset_fits_and_says_what_changed(name: str, facts: Any) -> None:
    """What fits takes the images as they are; each setting that changed has its sentence, and no other has one."""
    config, said = adapt_to_dataset(PRESETS[name], facts.shape, len(facts.classes))
    assert () == problems(config)
    assert (facts.shape, len(facts.classes), "small") == (config.input_shape, config.classes, config.stem.kind)
    changed = {change.label.split()[0].lower() for change in changes(PRESETS[name], config)}
    assert changed == {sentence.split(":")[0].split()[0].lower() for sentence in said}


def test_what_fits_already_is_left_alone() -> None:
    """Nothing is changed, so nothing is said; fitting again changes nothing."""
    assert (PRESETS["mini"], ()) == adapt_to_dataset(PRESETS["mini"], CLOTHES.shape, 10)
    once = adapt_to_dataset(PRESETS["paper"], SCALES.shape, 8)
    assert (once.config, ()) == adapt_to_dataset(once.config, SCALES.shape, 8)


@examples(60)
@given(networks(), st.integers(1, 4), st.integers(3, 80), st.integers(3, 80), st.integers(2, 20))
def test_any_network_fits_any_images(config: GoogLeNetConfig, channels: int, height: int, width: int, n: int) -> None:
    """A network that can be built can be trained on images of any size, by keeping its table."""
    fitted = adapt_to_dataset(config, (channels, height, width), n)
    assert () == problems(fitted.config)
    assert (channels, n) == (fitted.config.input_shape[0], fitted.config.classes)
    assert config.modules == fitted.config.modules
    assert set(fitted.config.aux.taps) <= set(config.aux.taps)
    ratio = fitted.config.input_shape[1] / height
    assert fitted.config.input_shape[2] / width == ratio
    assert ratio in {1, 2, 4, 8, 16, 32, 64}
    assert bool(fitted.changes) == (fitted.config != config)


def test_heads_without_room_are_left_out_in_words() -> None:
    """A head whose pooling does not fit goes, and only that one."""
    paper = PRESETS["paper"]
    config, said = adapt_to_dataset(
        paper.replace(aux=paper.aux.replace(taps=("3a", "5a"), pool="floor")), (1, 28, 28), 10
    )
    assert ("3a",) == config.aux.taps
    assert ["Auxiliary head on 5a: left out, as its pooling finds no room."] == [s for s in said if "head" in s]


def test_images_are_enlarged_for_a_network_that_would_shrink_them_away() -> None:
    """Six stages need more than 28 pixels where pools do not round up; the sentence says so."""
    rows = [PRESETS["mini"].module("3a").replace(name=f"{stage}a") for stage in range(3, 8)]
    deep = PRESETS["mini"].replace(modules=tuple(rows), aux=PRESETS["mini"].aux.replace(taps=()), pooling="floor")
    big = deep.replace(input_shape=(1, 112, 112))
    config, said = adapt_to_dataset(big, (1, 28, 28), 10)
    assert (1, 112, 112) == config.input_shape
    config, said = adapt_to_dataset(big.replace(input_shape=(1, 200, 200)), (1, 28, 28), 10)
    assert "28×28 are enlarged" in said[0]


def test_a_network_with_problems_is_not_fitted() -> None:
    """Its problems are told instead."""
    with pytest.raises(UnbuildableError):
        adapt_to_dataset(PRESETS["mini"].replace(modules=()), (1, 28, 28), 10)


def test_memory_grows_with_lanes_batch_and_optimiser() -> None:
    """By exactly what is kept: weights, gradients and averages per lane, activations per image, once for all lanes."""
    summary, base = summarize(PRESETS["mini"]), memory_bytes(PLAN, CLOTHES)
    lane = 12 * summary.whole.parameters
    assert lane == memory_bytes(PLAN.replace(seeds=(0, 1)), CLOTHES) - base
    assert lane // 3 == memory_bytes(PLAN.replace(settings=Settings(optimiser="adam")), CLOTHES) - base
    doubled = memory_bytes(PLAN.replace(settings=Settings(batch_size=128)), CLOTHES) - base
    assert doubled == 64 * (sum(activation_memory(summary)) + activation_memory(summary).outputs)
    assert memory_bytes(PLAN, CLOTHES.replace(train=11_000)) - base == 1_000 * 28 * 28


def test_a_mini_run_stays_under_a_gigabyte() -> None:
    """As it must on a small machine."""
    assert memory_bytes(PLAN, CLOTHES) < 1_000_000_000


@pytest.mark.parametrize(("kind", "amount", "steps"), [("steps", 7.0, 7), ("epochs", 2.0, 312), ("epochs", 0.5, 78)])
def test_steps_of_a_counted_budget(kind: str, amount: float, steps: int) -> None:
    """10,000 images give 156 whole batches of 64."""
    plan = PLAN.replace(budget=Budget(kind=kind, amount=amount))
    assert steps == trainer_steps(plan, 0, CLOTHES)
    assert 156 == steps_per_epoch(plan.settings, CLOTHES)


def test_equal_macs_give_a_narrow_network_more_steps() -> None:
    """As many as its steps are cheaper; and 3 passes of 64 images are what a step takes."""
    config = PRESETS["mini"]
    dear = config.replace(stem=config.stem.replace(conv2_reduce=64, conv2=96))
    plan = PLAN.replace(
        entrants=(MINI, NamedNetwork(name="dear", config=dear)), budget=Budget(kind="macs", amount=1e12)
    )
    assert 3 * 64 * summarize(config).macs(aux=True) == step_macs(config, plan.settings, CLOTHES)
    for number, entrant in enumerate(plan.networks):
        spent = trainer_steps(plan, number, CLOTHES) * step_macs(entrant.config, plan.settings, CLOTHES)
        assert 0 <= 1e12 - spent < step_macs(entrant.config, plan.settings, CLOTHES)
    assert trainer_steps(plan, 0, CLOTHES) > trainer_steps(plan, 1, CLOTHES)


def test_the_clock_decides_the_steps_of_a_timed_budget() -> None:
    """Estimated from the speed; the time is the budget's, for every lane."""
    plan = PLAN.replace(budget=Budget(amount=30.0), seeds=(0, 1))
    assert trainer_steps(plan, 0, CLOTHES) is None
    slow, fast = estimate(plan, CLOTHES, 1e10), estimate(plan, CLOTHES, 2e10)
    assert 60 == slow.seconds == fast.seconds
    assert slow.steps == pytest.approx(fast.steps / 2, abs=2)
    counted = estimate(plan.replace(budget=Budget(kind="steps", amount=10.0)), CLOTHES, 1e10)
    assert 20 == counted.steps
    assert 20 * step_macs(MINI.config, plan.settings, CLOTHES) / 1e10 == pytest.approx(counted.seconds)


def test_a_learning_rate_is_chosen_by_optimiser_and_normalisation() -> None:
    """One that is set is kept; without BatchNorm smaller steps are taken."""
    plain = PRESETS["mini"].replace(normalisation="none", conv_bias=True)
    assert 0.2 == effective_learning_rate(Settings(learning_rate=0.2), plain)
    for optimiser in ("sgd", "adam"):
        chosen = Settings(optimiser=optimiser)
        assert effective_learning_rate(chosen, plain) < effective_learning_rate(chosen, PRESETS["mini"])


def test_the_chosen_rate_grows_with_the_batch() -> None:
    """In proportion for SGD, as the root for Adam, and not without end."""
    rates = {
        (optimiser, batch): effective_learning_rate(Settings(optimiser=optimiser, batch_size=batch), PRESETS["mini"])
        for optimiser in ("sgd", "adam")
        for batch in (16, 64, 256, 1_024)
    }
    assert [0.25, 1, 4, 4] == pytest.approx([rates["sgd", n] / rates["sgd", 64] for n in (16, 64, 256, 1_024)])
    assert [0.5, 1, 2, 2] == pytest.approx([rates["adam", n] / rates["adam", 64] for n in (16, 64, 256, 1_024)])


@pytest.mark.parametrize("name", PRESETS)
def test_a_proposal_gives_enough_steps(name: str) -> None:
    """Small networks get a minute and whole batches; large ones smaller batches, then more time, up to ten minutes."""
    config = adapt_to_dataset(PRESETS[name], CLOTHES.shape, 10).config
    chosen, budget = default_settings(config, CLOTHES)
    plan = Plan(networks=(NamedNetwork(name=name, config=config),), settings=chosen, budget=budget)
    assert () == plan_problems(plan, CLOTHES)
    assert estimate(plan, CLOTHES).steps >= 60
    assert 60 <= budget.amount <= 600
    if name in {"mini", "half"}:
        assert (Settings(), Budget()) == (chosen, budget)


def test_one_cycle_rises_then_falls_to_nothing() -> None:
    """From 4 % of the learning rate to all of it at a quarter of the budget, and down to none at its end."""
    rates = [learning_rate_at(Settings(), 0.2, share / 100, 0.0) for share in range(101)]
    assert 0.2 * 0.04 == pytest.approx(rates[0])
    assert 0.2 == pytest.approx(rates[25]) == max(rates)
    assert 0 == pytest.approx(rates[100])
    assert sorted(rates[:26]) == rates[:26]
    assert sorted(rates[25:], reverse=True) == rates[25:]


def test_the_papers_schedule_takes_4_percent_off_every_8_epochs() -> None:
    """In steps, whatever the share of the budget; constant stays."""
    paper = Settings(schedule="paper")
    rates = [learning_rate_at(paper, 1.0, 0.5, epochs) for epochs in (0.0, 7.9, 8.0, 16.5)]
    assert [1, 1, 0.96, 0.96**2] == pytest.approx(rates)
    assert 0.3 == learning_rate_at(Settings(schedule="constant"), 0.3, 0.9, 100.0)
