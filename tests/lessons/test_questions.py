"""Generated questions: four different options, exactly one correct, and its value from the core."""

from collections.abc import Iterator

import pytest

from explorer import PRESETS, NetworkSummary, summarize
from explorer.lessons.auxiliary import reachable_blocks
from explorer.lessons.question import Question
from explorer.lessons.questions import BANK, questions
from explorer.lessons.reduction import branch_case
from explorer.reduction import direct_path, reduction_path

SUMMARIES = {name: summarize(config) for name, config in PRESETS.items()}


def core_number(summary: NetworkSummary, source: tuple[str, str]) -> int:
    """Return the number that a question's source names, from the core alone."""
    where, field = source
    if where == "network":
        inference = summary.parameters(aux=False)
        return {"flops": 2 * summary.macs(), "parameters": inference, "bytes": 4 * inference}[field]
    if field in ("direct", "reduced"):
        module, branch = where.split("/")
        case = branch_case(summary, module, branch, biases=False, default_reduction=1)
        return {"direct": direct_path, "reduced": reduction_path}[field](case).parameters
    if field == "reached":
        return sum(block != "stem" for block in reachable_blocks(summary.config, where))
    row = summary.by_path[where]
    shapes = {"channels": row.out_shape[0], "inputs": row.in_shape[0], "height": row.out_shape[1:2]}
    if field == "height":
        return shapes["height"][0]
    return shapes[field] if field in shapes else getattr(row, field)


def evaluate(formula: str) -> float:
    """Evaluate a formula, which contains only numbers, operators and brackets."""
    python = formula.replace(",", "").replace("·", "*").replace("−", "-").replace("÷", "/")
    assert set(python) <= set("0123456789 +-*/()")
    return eval(python)


def generated() -> Iterator[tuple[NetworkSummary, Question]]:
    """Yield at least 500 questions over presets, topics and seeds."""
    for summary in SUMMARIES.values():
        for topic in BANK:
            for seed in range(4):
                yield from ((summary, question) for question in questions(summary, topic, seed, 5))


def test_five_hundred_questions() -> None:
    """Options are distinct, one equals the core's number and the formula, and each other one has its mistake."""
    count = 0
    for summary, question in generated():
        count += 1
        assert len(set(question.options)) == len(question.options) == 4
        assert question.options.count(question.value) == 1
        assert question.options[question.correct_index] == question.value
        assert core_number(summary, question.source) == question.value, question.text
        assert evaluate(question.formula) == question.value, question.text
        assert [index for index, mistake in enumerate(question.mistakes) if not mistake] == [question.correct_index]
        assert question.text.endswith("?")
        assert question.why
        assert question.unit
    assert count >= 500


@pytest.mark.parametrize("topic", BANK)
def test_the_same_seed_gives_the_same_questions(topic: str) -> None:
    """Another seed gives others, and no set contains a question twice."""
    paper = SUMMARIES["paper"]
    first, again, other = (questions(paper, topic, seed, 5) for seed in (1, 1, 2))
    assert first == again != other
    assert len({question.text for question in first}) == len(first) == 5


def test_the_correct_option_has_no_fixed_position() -> None:
    """It is at each of the four positions about equally often."""
    sets = [questions(SUMMARIES["paper"], topic, seed, 3) for topic in BANK for seed in range(100)]
    places = [question.correct_index for found in sets for question in found]
    assert all(places.count(place) > len(places) / 5 for place in range(4))


def test_questions_follow_the_network() -> None:
    """An edited cell changes the values, not only their order."""
    paper = PRESETS["paper"]
    edited = paper.replace(modules=tuple(module.replace(ch5x5=module.ch5x5 + 7) for module in paper.modules))
    before = {question.value for question in questions(summarize(paper), "reduction", 5, 5)}
    after = {question.value for question in questions(summarize(edited), "reduction", 5, 5)}
    assert before != after


def test_a_network_without_heads_has_no_questions_about_them() -> None:
    """An empty set, not an error; the other lessons still have theirs."""
    paper = PRESETS["paper"]
    no_heads = summarize(paper.replace(aux=paper.aux.replace(taps=())))
    assert questions(no_heads, "auxiliary", 1, 5) == ()
    assert len(questions(no_heads, "reduction", 1, 5)) == 5


def test_an_unknown_topic_is_refused() -> None:
    """With a KeyError."""
    with pytest.raises(KeyError):
        questions(SUMMARIES["paper"], "history", 1, 5)
