"""The default recipe of a new run, and the race that measures one of its settings."""

import pytest

from explorer import PRESETS
from explorer.training.plan import (
    DATASETS,
    Budget,
    NamedNetwork,
    Plan,
    Settings,
    adapt_to_dataset,
    estimate,
)
from explorer.training.recipe import ALTERNATIVES, PLAIN_RECIPE, RECIPE, default_settings, setting_race
from explorer.training.validation import plan_problems

CLOTHES = DATASETS["fashion_mnist"]
PLAN = Plan(networks=(NamedNetwork(name="mini", config=PRESETS["mini"]),), settings=RECIPE)


@pytest.mark.parametrize("name", PRESETS)
def test_the_defaults_give_enough_steps(name: str) -> None:
    """Small networks get a minute and whole batches; large ones smaller batches, then more time, up to ten minutes."""
    config = adapt_to_dataset(PRESETS[name], CLOTHES.shape, 10).config
    chosen, budget = default_settings([config], CLOTHES)
    plan = Plan(networks=(NamedNetwork(name=name, config=config),), settings=chosen, budget=budget)
    assert () == plan_problems(plan, CLOTHES)
    assert estimate(plan, CLOTHES).steps >= 60
    assert 60 <= budget.amount <= 600
    if name in {"mini", "half"}:
        recipe = RECIPE if config.normalisation == "batch_norm" else PLAIN_RECIPE
        assert (recipe, Budget()) == (chosen, budget)


def test_one_network_without_batch_norm_decides_for_all() -> None:
    """Networks that race have the same settings, with which each of them learns."""
    plain = PRESETS["mini"].replace(normalisation="none", conv_bias=True)
    assert default_settings([PRESETS["mini"], plain], CLOTHES)[0] == PLAIN_RECIPE
    assert PLAIN_RECIPE.optimiser == "adam"


@pytest.mark.parametrize("field", ALTERNATIVES)
def test_a_race_changes_one_setting(field: str) -> None:
    """The same network from the same seeds, at two values; one of them is the plan's."""
    race = setting_race(PLAN, field, (0, 1))
    assert () == plan_problems(race, CLOTHES)
    first, second = (race.settings_of(number) for number in (0, 1))
    assert {field} == {name for name, value in first if value != getattr(second, name)}
    assert getattr(RECIPE, field) in {getattr(first, field), getattr(second, field)}
    assert {PRESETS["mini"]} == {network.config for network in race.networks}
    assert (0, 1) == race.seeds


def test_a_chosen_value_is_the_one_that_is_measured() -> None:
    """If the plan has a setting off, the race turns it on at its usual value."""
    chosen = PLAN.replace(settings=RECIPE.replace(label_smoothing=0.3))
    race = setting_race(chosen, "label_smoothing", (0,))
    assert [0.3, 0.0] == [race.settings_of(number).label_smoothing for number in (0, 1)]
    race = setting_race(PLAN.replace(settings=Settings()), "label_smoothing", (0,))
    assert [0.1, 0.0] == [race.settings_of(number).label_smoothing for number in (0, 1)]
