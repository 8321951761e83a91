"""Ready-made questions, widths matched for parameters, and what a difference says."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from explorer import PRESETS, problems, summarize
from explorer.config import HEADINGS
from explorer.diff import changes
from explorer.training.plan import DATASETS, Plan, estimate
from explorer.training.races import (
    QUESTIONS,
    MatchError,
    Standing,
    match_parameters,
    scale_widths,
    standings,
    within_spread,
)
from explorer.training.validation import plan_problems
from tests.strategies import examples, networks

MINI = PRESETS["mini"]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_can_be_run(name: str) -> None:
    """Its plan has no problem, several seeds, and takes a few minutes by the usual speed."""
    question = QUESTIONS[name]
    facts = DATASETS[question.plan.data.name]
    assert () == plan_problems(question.plan, facts)
    assert len(question.plan.seeds) >= 3
    assert estimate(question.plan, facts).seconds < 400
    assert question.title.endswith("?")
    assert question.description.endswith(".")


def differing(name: str, one: int, other: int) -> set[str]:
    """Return the fields in which two entrants of a question differ."""
    entrants = QUESTIONS[name].plan.networks
    return {change.field for change in changes(entrants[one].config, entrants[other].config)}


def test_each_question_changes_one_thing() -> None:
    """And what it says it changes."""
    assert {"taps"} == differing("heads", 0, 1)
    assert {"ch3x3_reduce", "ch5x5_reduce"} == differing("reductions", 0, 1)
    assert {"ch5x5"} == differing("scales", 0, 1)
    assert {"normalisation", "conv_bias"} == differing("batch_norm", 0, 1)
    whole, half = (summarize(entrant.config).parameters(aux=False) for entrant in QUESTIONS["half"].plan.networks)
    assert whole / 5 < half < whole / 3


def test_the_wider_network_of_scales_is_as_large() -> None:
    """The third entrant has the parameters of the first, and no 5×5."""
    first, _, third = (entrant.config for entrant in QUESTIONS["scales"].plan.networks)
    counts = [summarize(config).parameters(aux=False) for config in (first, third)]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)
    assert {0} == {module.ch5x5 for module in third.modules}


@pytest.mark.parametrize("factor", [0.3, 0.7, 1.0, 1.8])
@pytest.mark.parametrize("name", ["paper", "mini", "naive"])
def test_widths_match_within_a_hundredth(name: str, factor: float) -> None:
    """For a network that is changed in shape and must have so many parameters."""
    wanted = round(factor * summarize(PRESETS[name]).parameters(aux=False))
    found = match_parameters(PRESETS[name], wanted)
    assert wanted == pytest.approx(summarize(found).parameters(aux=False), rel=0.01)
    assert PRESETS[name].aux == found.aux


def test_a_network_that_matches_already_stays() -> None:
    """Factor 1 is the network itself."""
    assert MINI == match_parameters(MINI, summarize(MINI).parameters(aux=False)) == scale_widths(MINI, 1.0)


@examples(30)
@given(networks(), st.floats(0.5, 3.0))
def test_scaling_keeps_blanks_and_zeros(config: object, factor: float) -> None:
    """A branch that is not there does not come to be; one that is there keeps a filter; wider is never cheaper."""
    found = scale_widths(config, factor)
    assume(not problems(found))
    for old, new in zip(config.modules, found.modules, strict=True):
        for field in HEADINGS:
            was, is_now = getattr(old, field), getattr(new, field)
            assert (was is None, was == 0) == (is_now is None, is_now == 0)
    ratio = summarize(found).parameters(aux=False) - summarize(config).parameters(aux=False)
    assert ratio * (factor - 1) >= 0


@pytest.mark.parametrize("parameters", [1, 400, 10**11])
def test_what_cannot_match_is_told(parameters: int) -> None:
    """Too few, and more than can be built."""
    with pytest.raises(MatchError, match=f"{parameters:,}"):
        match_parameters(MINI, parameters)


def test_standings_have_the_best_first() -> None:
    """With mean and spread over the seeds of the lanes that finished."""
    plan: Plan = QUESTIONS["heads"].plan
    first, second = standings(plan, {0: 0.5, 1: 0.6, 3: 0.8, 4: 0.7, 5: 0.9})
    assert Standing("without_heads", (0.8, 0.7, 0.9)) == first
    assert (0.8, 0.1) == (pytest.approx(first.mean), pytest.approx(first.spread))
    assert ("with_heads", (0.5, 0.6)) == second
    assert () == standings(plan, {})


def test_a_difference_is_held_against_the_spread() -> None:
    """Within it, beyond it, and unknown with one seed."""
    low, high = Standing("a", (0.80, 0.84)), Standing("b", (0.83, 0.87))
    assert within_spread(low, high)
    assert not within_spread(low, Standing("c", (0.95, 0.96)))
    assert within_spread(low, Standing("d", (0.9,))) is None
    assert Standing("d", (0.9,)).spread is None
