"""The opening question of each lesson: right by the core, with three different slips."""

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.openings import opening
from explorer.lessons.questions import BANK
from tests.lessons.test_questions import worked_out

PAPER, TORCHVISION = summarize(PRESETS["paper"]), summarize(PRESETS["torchvision"])
RIGHT = {
    "reduction": PAPER.by_path["inception_4b.branch_5x5.reduce"].weights
    + PAPER.by_path["inception_4b.branch_5x5.conv"].weights,
    "auxiliary": round(100 * (PAPER.parameters() - PAPER.parameters(aux=False)) / PAPER.parameters()),
    "which_googlenet": TORCHVISION.parameters(aux=False),
    "receptive_field": PAPER.receptive_field,
}


@pytest.mark.parametrize("topic", BANK)
def test_the_right_option_is_the_cores(topic: str) -> None:
    """One right, four different, each wrong one named, and the formula gives the value."""
    question = opening(topic)
    assert question.value == RIGHT[topic]
    assert len(set(question.options)) == 4
    assert [place for place, mistake in enumerate(question.mistakes) if not mistake] == [question.right]
    assert round(worked_out(question.formula)) == question.value


def test_an_unknown_lesson_has_none() -> None:
    """By name."""
    with pytest.raises(KeyError):
        opening("history")
