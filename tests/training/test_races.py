"""Ready-made questions, widths matched for parameters."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig, problems, summarize
from explorer.config import HEADINGS
from explorer.diff import find_changes
from explorer.training.plan import DATASETS, estimate
from explorer.training.races import (
    QUESTIONS,
    MatchError,
    match_parameters,
    scale_widths,
)
from explorer.training.validation import plan_problems
from tests.strategies import examples, networks

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_can_run(name: str) -> None:
    """Its plan has no problem, several seeds, and takes a few minutes at the default speed."""
    question = QUESTIONS[name]
    dataset = DATASETS[question.plan.data.name]
    assert () == plan_problems(question.plan, dataset)
    assert len(question.plan.seeds) >= 3
    assert estimate(question.plan, dataset).seconds < 400
    assert question.title.endswith("?")
    assert question.description.endswith(".")


def differences(name: str, one: int, other: int) -> set[str]:
    """Return the fields in which two networks of a question differ."""
    networks = QUESTIONS[name].plan.networks
    return {change.field for change in find_changes(networks[one].config, networks[other].config)}


def test_each_question_changes_one_thing() -> None:
    """It is the thing in its title."""
    assert {"taps"} == differences("heads", 0, 1)
    assert {"ch3x3_reduce", "ch5x5_reduce"} == differences("reductions", 0, 1)
    assert {"ch5x5"} == differences("scales", 0, 1)
    assert {"normalisation", "conv_bias"} == differences("batch_norm", 0, 1)
    whole, half = (summarize(network.config).parameters(aux=False) for network in QUESTIONS["half"].plan.networks)
    assert whole / 5 < half < whole / 3


def test_the_wider_network_of_scales_is_as_large() -> None:
    """The third network has as many parameters as the first, and no 5×5."""
    first, _, third = (network.config for network in QUESTIONS["scales"].plan.networks)
    counts = [summarize(config).parameters(aux=False) for config in (first, third)]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)
    assert {0} == {module.ch5x5 for module in third.modules}


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.0, 1.8])
@pytest.mark.parametrize("name", ["paper", "mini", "naive"])
def test_widths_match_within_a_hundredth(name: str, factor: float) -> None:
    """The auxiliary heads do not change."""
    goal = round(factor * summarize(PRESETS[name]).parameters(aux=False))
    matched = match_parameters(PRESETS[name], goal)
    assert goal == pytest.approx(summarize(matched).parameters(aux=False), rel=0.01)
    assert PRESETS[name].aux == matched.aux


def test_a_network_that_matches_does_not_change() -> None:
    """Factor 1 gives the network itself."""
    assert MINI == match_parameters(MINI, summarize(MINI).parameters(aux=False)) == scale_widths(MINI, 1.0)


@examples(30)
@given(networks(), st.floats(0.5, 3.0))
def test_scaling_keeps_blanks_and_zeros(config: GoogLeNetConfig, factor: float) -> None:
    """No branch appears, every branch keeps a filter, and a wider network never has fewer parameters."""
    scaled = scale_widths(config, factor)
    assume(not problems(scaled))
    for old, new in zip(config.modules, scaled.modules, strict=True):
        for field in HEADINGS:
            before, after = getattr(old, field), getattr(new, field)
            assert (before is None, before == 0) == (after is None, after == 0)
    difference = summarize(scaled).parameters(aux=False) - summarize(config).parameters(aux=False)
    assert difference * (factor - 1) >= 0


@pytest.mark.parametrize("parameters", [1, 400, 10**11])
def test_numbers_that_cannot_be_matched_are_refused(parameters: int) -> None:
    """Too few, and more than can be built."""
    with pytest.raises(MatchError, match=f"{parameters:,}"):
        match_parameters(MINI, parameters)
