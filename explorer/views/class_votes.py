"""A vote as bars: each answer with its share of each round, and the mistake behind a wrong one."""

from collections.abc import Sequence
from html import escape

from explorer.lessons.question import Question
from explorer.views import formatting as fmt

_ROUNDS = ("First vote", "Second vote")


def option_text(question: Question, option: int) -> str:
    """Return an answer with its unit."""
    return f"{fmt.exact(question.options[option])} {question.unit}"


def vote_bars(question: Question, counts: Sequence[Sequence[int]]) -> str:
    """Return the bars as HTML: ``counts`` has the counts of the options for each round. The correct one is marked."""
    options = "".join(_option(question, option, counts) for option in range(len(question.options)))
    return f"<div class='votes'>{options}</div>"


def _option(question: Question, option: int, counts: Sequence[Sequence[int]]) -> str:
    is_correct = option == question.correct_index
    mark = "✓ correct" if is_correct else f"✗ {question.mistakes[option]}"
    bars = "".join(_bar(name, votes[option], sum(votes)) for name, votes in zip(_ROUNDS, counts, strict=False))
    return (
        f"<div class='option{' correct' if is_correct else ''}'>"
        f"<p><b>{escape(option_text(question, option))}</b> <span>{escape(mark)}</span></p>{bars}</div>"
    )


def _bar(name: str, votes: int, total: int) -> str:
    percent = round(100 * votes / total) if total else 0
    text = f"{votes} of {total} ({percent} %)"
    return (
        f"<div class='bar' role='img' aria-label='{name}: {text}'><i>{name}</i>"
        f"<span class='track'><span style='width:{percent}%'></span></span><em>{text}</em></div>"
    )
