"""Plans: adapted networks with described changes, estimates in closed form, JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, UnbuildableError, problems, summarize
from explorer.diff import find_changes
from explorer.memory import activation_memory
from explorer.training.plan import (
    DATASETS,
    Budget,
    DatasetChoice,
    DatasetInfo,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    effective_learning_rate,
    estimate,
    learning_rate_at,
    memory_bytes,
    step_macs,
    steps_per_epoch,
    trainer_steps,
)
from tests.strategies import examples, networks

CLOTHES, SCALES = DATASETS["fashion_mnist"], DATASETS["scales"]
MINI = NamedNetwork(name="mini", config=PRESETS["mini"])
PLAN = Plan(networks=(MINI,))


def test_a_plan_survives_json() -> None:
    """Every field of a plan comes back, and an unknown field is refused."""
    plan = PLAN.replace(
        networks=(MINI, MINI.replace(name="half")),
        data=DatasetChoice(name="own", upload="ab12", seed=3),
        settings=Settings(optimiser="adam", learning_rate=1e-3, schedule="paper", precision="bf16"),
        budget=Budget(kind="macs", amount=1e12),
        seeds=(1, 2),
    )
    assert plan == Plan.model_validate_json(plan.model_dump_json())
    with pytest.raises(ValueError, match="extra"):
        Plan.model_validate_json(plan.model_dump_json().replace('"seeds"', '"seedz"'))


def test_a_plan_has_its_stored_names() -> None:
    """A run store of an older version has ``entrants``; today's name is read as well."""
    document = json.loads(PLAN.model_dump_json())
    assert [network["name"] for network in document["entrants"]] == ["mini"]
    assert "networks" not in document
    document["networks"] = document.pop("entrants")
    assert PLAN == Plan.model_validate_json(json.dumps(document))


def test_there_is_a_trainer_for_each_network_and_seed() -> None:
    """All seeds of the first network come first."""
    plan = PLAN.replace(networks=(MINI, MINI.replace(name="b")), seeds=(4, 2))
    assert ((0, 4), (0, 2), (1, 4), (1, 2)) == plan.trainers


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dataset", [CLOTHES, SCALES], ids=["clothes", "scales"])
def test_every_preset_is_adapted_with_described_changes(name: str, dataset: DatasetInfo) -> None:
    """The network takes the images as they are; each changed setting has a sentence, and no other has one."""
    config, sentences = adapt_to_dataset(PRESETS[name], dataset.shape, len(dataset.classes))
    assert () == problems(config)
    assert (dataset.shape, len(dataset.classes), "small") == (config.input_shape, config.classes, config.stem.kind)
    changed = {change.label.split()[0].lower() for change in find_changes(PRESETS[name], config)}
    assert changed == {sentence.split(":")[0].split()[0].lower() for sentence in sentences}


def test_a_network_that_fits_does_not_change() -> None:
    """Nothing changes, so nothing is described; adapting twice changes nothing more."""
    assert (PRESETS["mini"], ()) == adapt_to_dataset(PRESETS["mini"], CLOTHES.shape, 10)
    once = adapt_to_dataset(PRESETS["paper"], SCALES.shape, 8)
    assert (once.config, ()) == adapt_to_dataset(once.config, SCALES.shape, 8)


@examples(60)
@given(networks(), st.integers(1, 4), st.integers(3, 80), st.integers(3, 80), st.integers(2, 20))
def test_any_network_fits_any_images(config: GoogLeNetConfig, channels: int, height: int, width: int, n: int) -> None:
    """A network that can be built can be trained on images of any size, with an unchanged table."""
    adapted = adapt_to_dataset(config, (channels, height, width), n)
    assert () == problems(adapted.config)
    assert (channels, n) == (adapted.config.input_shape[0], adapted.config.classes)
    assert config.modules == adapted.config.modules
    assert set(adapted.config.aux.taps) <= set(config.aux.taps)
    ratio = adapted.config.input_shape[1] / height
    assert adapted.config.input_shape[2] / width == ratio
    assert ratio in {1, 2, 4, 8, 16, 32, 64}
    assert bool(adapted.changes) == (adapted.config != config)


def test_heads_that_do_not_fit_are_removed() -> None:
    """A head whose pooling does not fit is removed, no other, and the change is described."""
    paper = PRESETS["paper"]
    config, sentences = adapt_to_dataset(
        paper.replace(aux=paper.aux.replace(taps=("3a", "5a"), pool="floor")), (1, 28, 28), 10
    )
    assert ("3a",) == config.aux.taps
    assert ["Auxiliary head at 5a: removed, because its pooling does not fit."] == [s for s in sentences if "head" in s]


def test_images_are_enlarged_for_a_deep_network() -> None:
    """Six stages need more than 28 pixels where pools do not round up; the sentence says so."""
    rows = [PRESETS["mini"].module("3a").replace(name=f"{stage}a") for stage in range(3, 8)]
    deep = PRESETS["mini"].replace(modules=tuple(rows), aux=PRESETS["mini"].aux.replace(taps=()), pooling="floor")
    big = deep.replace(input_shape=(1, 112, 112))
    config, _ = adapt_to_dataset(big, (1, 28, 28), 10)
    assert (1, 112, 112) == config.input_shape
    _, sentences = adapt_to_dataset(big.replace(input_shape=(1, 200, 200)), (1, 28, 28), 10)
    assert "28×28 are enlarged" in sentences[0]


def test_a_network_with_problems_is_refused() -> None:
    """Its problems are raised."""
    with pytest.raises(UnbuildableError):
        adapt_to_dataset(PRESETS["mini"].replace(modules=()), (1, 28, 28), 10)


def test_memory_grows_with_trainers_batch_and_optimiser() -> None:
    """By weights, gradients and averages per trainer, and once for all trainers by activations per image."""
    summary, base = summarize(PRESETS["mini"]), memory_bytes(PLAN, CLOTHES)
    trainer = 12 * summary.training_totals.parameters
    assert trainer == memory_bytes(PLAN.replace(seeds=(0, 1)), CLOTHES) - base
    assert trainer // 3 == memory_bytes(PLAN.replace(settings=Settings(optimiser="adam")), CLOTHES) - base
    doubled = memory_bytes(PLAN.replace(settings=Settings(batch_size=128)), CLOTHES) - base
    assert doubled == 64 * (sum(activation_memory(summary)) + activation_memory(summary).outputs)
    assert memory_bytes(PLAN, CLOTHES.replace(train=11_000)) - base == 1_000 * 28 * 28


def test_a_mini_run_stays_under_a_gigabyte() -> None:
    """A small machine has no more."""
    assert memory_bytes(PLAN, CLOTHES) < 1_000_000_000


@pytest.mark.parametrize(("kind", "amount", "steps"), [("steps", 7.0, 7), ("epochs", 2.0, 312), ("epochs", 0.5, 78)])
def test_steps_of_a_counted_budget(kind: str, amount: float, steps: int) -> None:
    """10,000 images give 156 whole batches of 64."""
    plan = PLAN.replace(budget=Budget(kind=kind, amount=amount))
    assert steps == trainer_steps(plan, 0, CLOTHES)
    assert 156 == steps_per_epoch(plan.settings, CLOTHES)


def test_equal_macs_give_a_narrow_network_more_steps() -> None:
    """In inverse proportion to the MACs of a step; a step takes 3 passes of 64 images."""
    config = PRESETS["mini"]
    wide = config.replace(stem=config.stem.replace(conv2_reduce=64, conv2=96))
    plan = PLAN.replace(
        networks=(MINI, NamedNetwork(name="wide", config=wide)), budget=Budget(kind="macs", amount=1e12)
    )
    assert 3 * 64 * summarize(config).macs(aux=True) == step_macs(config, plan.settings, CLOTHES)
    for index, network in enumerate(plan.networks):
        spent = trainer_steps(plan, index, CLOTHES) * step_macs(network.config, plan.settings, CLOTHES)
        assert 0 <= 1e12 - spent < step_macs(network.config, plan.settings, CLOTHES)
    assert trainer_steps(plan, 0, CLOTHES) > trainer_steps(plan, 1, CLOTHES)


def test_the_steps_of_a_timed_budget_depend_on_the_speed() -> None:
    """They are estimated; every trainer has the time of the budget."""
    plan = PLAN.replace(budget=Budget(amount=30.0), seeds=(0, 1))
    assert trainer_steps(plan, 0, CLOTHES) is None
    slow, fast = estimate(plan, CLOTHES, 1e10), estimate(plan, CLOTHES, 2e10)
    assert 60 == slow.seconds == fast.seconds
    assert slow.steps == pytest.approx(fast.steps / 2, abs=2)
    counted = estimate(plan.replace(budget=Budget(kind="steps", amount=10.0)), CLOTHES, 1e10)
    assert 20 == counted.steps
    assert 20 * step_macs(MINI.config, plan.settings, CLOTHES) / 1e10 == pytest.approx(counted.seconds)


def test_the_learning_rate_depends_on_optimiser_and_normalisation() -> None:
    """One that is set is used; without BatchNorm the default is smaller."""
    plain = PRESETS["mini"].replace(normalisation="none", conv_bias=True)
    assert 0.2 == effective_learning_rate(Settings(learning_rate=0.2), plain)
    for optimiser in ("sgd", "adam"):
        chosen = Settings(optimiser=optimiser)
        assert effective_learning_rate(chosen, plain) < effective_learning_rate(chosen, PRESETS["mini"])


def test_the_default_learning_rate_grows_with_the_batch() -> None:
    """In proportion for SGD, with the square root for Adam, up to a limit."""
    rates = {
        (optimiser, batch): effective_learning_rate(Settings(optimiser=optimiser, batch_size=batch), PRESETS["mini"])
        for optimiser in ("sgd", "adam")
        for batch in (16, 64, 256, 1_024)
    }
    assert [0.25, 1, 4, 4] == pytest.approx([rates["sgd", n] / rates["sgd", 64] for n in (16, 64, 256, 1_024)])
    assert [0.5, 1, 2, 2] == pytest.approx([rates["adam", n] / rates["adam", 64] for n in (16, 64, 256, 1_024)])


def test_one_cycle_rises_then_falls_to_zero() -> None:
    """From 4 % of the learning rate to all of it at a quarter of the budget, and to 0 at its end."""
    rates = [learning_rate_at(Settings(), 0.2, percent / 100, 0.0) for percent in range(101)]
    assert 0.2 * 0.04 == pytest.approx(rates[0])
    assert 0.2 == pytest.approx(rates[25]) == max(rates)
    assert 0 == pytest.approx(rates[100])
    assert sorted(rates[:26]) == rates[:26]
    assert sorted(rates[25:], reverse=True) == rates[25:]


def test_the_papers_schedule_falls_by_4_percent_every_8_epochs() -> None:
    """In steps, independent of the fraction of the budget; the constant schedule does not change."""
    paper = Settings(schedule="paper")
    rates = [learning_rate_at(paper, 1.0, 0.5, epochs) for epochs in (0.0, 7.9, 8.0, 16.5)]
    assert [1, 1, 0.96, 0.96**2] == pytest.approx(rates)
    assert 0.3 == learning_rate_at(Settings(schedule="constant"), 0.3, 0.9, 100.0)
