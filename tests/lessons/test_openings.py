"""The opening question of each lesson: correct by the core, with three different mistakes."""

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.openings import opening_question
from explorer.lessons.questions import BANK
from tests.lessons.test_questions import evaluate

PAPER, TORCHVISION = summarize(PRESETS["paper"]), summarize(PRESETS["torchvision"])
CORRECT = {
    "reduction": PAPER.by_path["inception_4b.branch_5x5.reduce"].weights
    + PAPER.by_path["inception_4b.branch_5x5.conv"].weights,
    "auxiliary": round(100 * (PAPER.parameters() - PAPER.parameters(aux=False)) / PAPER.parameters()),
    "which_googlenet": TORCHVISION.parameters(aux=False),
    "receptive_field": PAPER.receptive_field,
}


@pytest.mark.parametrize("topic", BANK)
def test_the_correct_option_is_the_cores(topic: str) -> None:
    """Four different options, a mistake for each wrong one, and a formula that gives the value."""
    question = opening_question(topic)
    assert question.value == CORRECT[topic]
    assert len(set(question.options)) == 4
    assert [index for index, mistake in enumerate(question.mistakes) if not mistake] == [question.correct_index]
    assert round(evaluate(question.formula)) == question.value


def test_an_unknown_lesson_is_refused() -> None:
    """With a KeyError."""
    with pytest.raises(KeyError):
        opening_question("history")


def test_whose_kernels_is_named() -> None:
    """The explanation of a wrong answer speaks of two networks, so each is named."""
    question = opening_question("which_googlenet")
    assert "torchvision's “5×5” branch" in question.why
    assert not any(" its " in mistake for mistake in question.mistakes)
