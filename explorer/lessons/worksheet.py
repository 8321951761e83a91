"""A worksheet: numbered questions on chosen lessons, reproducible from the network and a seed."""

from typing import NamedTuple

from explorer.lessons.question import Question
from explorer.lessons.questions import BANK, questions
from explorer.summary import NetworkSummary

MAX_QUESTIONS = 40
MAX_SHEETS = 100  # different ones for a class


class Worksheet(NamedTuple):
    """Questions to print. ``network`` is the title of the network they are about."""

    network: str
    seed: int
    questions: tuple[Question, ...]


def worksheet(summary: NetworkSummary, network: str, topics: tuple[str, ...], seed: int, count: int) -> Worksheet:
    """Return ``count`` questions, divided evenly among the topics; fewer when the network offers fewer.

    Raises KeyError for an unknown topic, and ValueError without topics or for a count out of range.
    """
    if not topics or not 1 <= count <= MAX_QUESTIONS:
        raise ValueError(f"A worksheet has 1 to {MAX_QUESTIONS} questions on at least one lesson.")
    ordered = [topic for topic in BANK if topic in topics]
    if len(ordered) < len(set(topics)):
        raise KeyError(next(topic for topic in topics if topic not in BANK))
    per_topic, remainder = divmod(count, len(ordered))
    found: list[Question] = []
    for index, topic in enumerate(ordered):
        number = per_topic + (index < remainder)
        found += questions(summary, topic, seed, number) if number else ()
    return Worksheet(network, seed, tuple(found))


def worksheets(
    summary: NetworkSummary, network: str, topics: tuple[str, ...], seed: int, count: int, copies: int
) -> tuple[Worksheet, ...]:
    """Return so many different worksheets for a class; the same seed gives the same ones.

    Raises ValueError for a number of copies out of range, and what :func:`worksheet` raises.
    """
    if not 1 <= copies <= MAX_SHEETS:
        raise ValueError(f"A class gets 1 to {MAX_SHEETS} different worksheets.")
    return tuple(worksheet(summary, network, topics, seed + number, count) for number in range(copies))
