"""Questions made from a network: one right option and three that come of real, named mistakes.

The same network, topic and seed always give the same questions. Every right answer is a number of the core, named by
``source``; the formula in the explanation can be worked out to it.
"""

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.lessons import bank_costs as costs
from explorer.lessons import bank_shapes as shapes
from explorer.lessons.drafts import Maker, QuestionDraft

WRONG = 3  # wrong options of each question
_TRIES = 400  # draws after which a network is found to offer no more questions


class Question(NamedTuple):
    """A question with four different options, one of them right.

    ``formula`` is arithmetic over whole numbers with ·, +, −, ÷ and brackets that gives ``value``; ``why`` is the
    sentence before it. ``source`` names the number in the core: a path (or block, or ``network``) and a field.
    ``mistakes`` says of each option which slip leads there; empty for the right one.
    """

    topic: str
    text: str
    options: tuple[int, ...]
    value: int
    unit: str
    formula: str
    why: str
    source: tuple[str, str]
    mistakes: tuple[str, ...]

    @property
    def right(self) -> int:
        """The position of the right option."""
        return self.options.index(self.value)


BANK: dict[str, tuple[Maker, ...]] = {
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
        shapes.reached_blocks,
        shapes.inference_parameters,
    ),
    "which_googlenet": (costs.network_flops, costs.layer_parameters, costs.float_bytes, costs.conv_mac_count),
    "receptive_field": (shapes.widened_field, shapes.pooled_side, shapes.module_jump),
}


def questions(summary: NetworkSummary, topic: str, seed: int | str, count: int) -> tuple[Question, ...]:
    """Return up to ``count`` different questions on a topic; fewer when the network offers no more.

    The kinds of question take turns. Raises KeyError for an unknown topic.
    """
    makers = BANK[topic]
    rng = Random(f"{topic} {seed}")
    found: dict[str, Question] = {}
    for draft in _drafts(summary, makers, rng):
        question = _settled(topic, draft, rng) if draft.text not in found else None
        if question:
            found[question.text] = question
        if len(found) == count:
            break
    return tuple(found.values())


def _drafts(summary: NetworkSummary, makers: tuple[Maker, ...], rng: Random) -> Iterator[QuestionDraft]:
    first = rng.randrange(len(makers))
    for turn in range(_TRIES):
        draft = makers[(first + turn) % len(makers)](summary, rng)
        if draft:
            yield draft


def _settled(topic: str, draft: QuestionDraft, rng: Random) -> Question | None:
    """Choose three slips that differ from the right value and from each other; None where there are not enough."""
    slips: dict[int, str] = {}
    for slip in draft.distractors:
        if slip.value != draft.value and slip.value > 0:
            slips.setdefault(slip.value, slip.misconception)
    if len(slips) < WRONG:
        return None
    chosen = rng.sample(sorted(slips), WRONG)
    options = [draft.value, *chosen]
    rng.shuffle(options)
    mistakes = tuple(slips.get(option, "") for option in options)
    return Question(
        topic, draft.text, tuple(options), draft.value, draft.unit, draft.formula, draft.why, draft.source, mistakes
    )
