"""Questions about a network: one correct option and three that result from common, named mistakes.

The same network, topic and seed always give the same questions. Every correct answer is a number of the core, which
``source`` names; the formula in the explanation evaluates to it.
"""

from collections.abc import Iterator
from random import Random

from explorer.lessons import bank_costs as costs
from explorer.lessons import bank_shapes as shapes
from explorer.lessons.drafts import QuestionDraft, QuestionMaker
from explorer.lessons.question import Question
from explorer.summary import NetworkSummary

WRONG = 3  # wrong options of each question
_MAX_DRAFTS = 400  # after so many drafts the network is taken to have no more questions


BANK: dict[str, tuple[QuestionMaker, ...]] = {
    "reduction": (
        costs.conv_weight_count,
        costs.with_the_reduction,
        costs.conv_mac_count,
        costs.without_the_reduction,
        costs.concat_width,
    ),
    "auxiliary": (
        shapes.flattened_length,
        shapes.head_parameters,
        shapes.reachable_module_count,
        shapes.inference_parameters,
    ),
    "which_googlenet": (costs.network_flops, costs.layer_parameters, costs.float_bytes, costs.conv_mac_count),
    "receptive_field": (shapes.widened_field, shapes.pooled_side, shapes.module_jump),
}


def questions(summary: NetworkSummary, topic: str, seed: int | str, count: int) -> tuple[Question, ...]:
    """Return up to ``count`` different questions on a topic; fewer when the network offers no more.

    The kinds of question alternate. Raises KeyError for an unknown topic.
    """
    makers = BANK[topic]
    rng = Random(f"{topic} {seed}")
    found: dict[str, Question] = {}
    for draft in _drafts(summary, makers, rng):
        question = _with_options(topic, draft, rng) if draft.text not in found else None
        if question:
            found[question.text] = question
        if len(found) == count:
            break
    return tuple(found.values())


def _drafts(summary: NetworkSummary, makers: tuple[QuestionMaker, ...], rng: Random) -> Iterator[QuestionDraft]:
    first = rng.randrange(len(makers))
    for turn in range(_MAX_DRAFTS):
        draft = makers[(first + turn) % len(makers)](summary, rng)
        if draft:
            yield draft


def _with_options(topic: str, draft: QuestionDraft, rng: Random) -> Question | None:
    """Add three distractors that differ from the value and from each other; None where there are not enough."""
    misconceptions: dict[int, str] = {}
    for distractor in draft.distractors:
        if distractor.value != draft.value and distractor.value > 0:
            misconceptions.setdefault(distractor.value, distractor.misconception)
    if len(misconceptions) < WRONG:
        return None
    options = [draft.value, *rng.sample(sorted(misconceptions), WRONG)]
    rng.shuffle(options)
    mistakes = tuple(misconceptions.get(option, "") for option in options)
    return Question(
        topic, draft.text, tuple(options), draft.value, draft.unit, draft.formula, draft.why, draft.source, mistakes
    )
