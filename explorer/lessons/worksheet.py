"""A worksheet: numbered questions on chosen lessons, the same again from the same network and seed."""

from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.lessons.questions import BANK, Question, questions

MAX_QUESTIONS = 40


class Worksheet(NamedTuple):
    """Questions to be printed. ``network`` says in words which network they are about."""

    network: str
    seed: int
    questions: tuple[Question, ...]


def worksheet(summary: NetworkSummary, network: str, topics: tuple[str, ...], seed: int, count: int) -> Worksheet:
    """Return ``count`` questions, shared out evenly over the topics in order; fewer when the network offers fewer.

    Raises KeyError for an unknown topic, and ValueError without topics or for a count out of range.
    """
    if not topics or not 1 <= count <= MAX_QUESTIONS:
        raise ValueError(f"A worksheet has 1 to {MAX_QUESTIONS} questions on at least one lesson.")
    ordered = [topic for topic in BANK if topic in topics]
    if len(ordered) < len(set(topics)):
        raise KeyError(next(topic for topic in topics if topic not in BANK))
    share, more = divmod(count, len(ordered))
    found: list[Question] = []
    for place, topic in enumerate(ordered):
        found += questions(summary, topic, seed, share + (place < more)) if share + (place < more) else ()
    return Worksheet(network, seed, tuple(found))
