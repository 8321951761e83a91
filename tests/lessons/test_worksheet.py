"""Worksheets: reproducible from their seed, with questions divided among the lessons."""

import pytest

from explorer import PRESETS, summarize
from explorer.lessons.questions import BANK
from explorer.lessons.worksheet import MAX_SHEETS, worksheet, worksheets
from explorer.views.worksheet import LETTERS, class_html

PAPER = summarize(PRESETS["paper"])


def test_it_is_reproducible_from_its_seed() -> None:
    """The same seed gives the same worksheet, so that its answer key can be printed later."""
    assert worksheet(PAPER, "paper", ("reduction",), 7, 6) == worksheet(PAPER, "paper", ("reduction",), 7, 6)
    assert worksheet(PAPER, "paper", ("reduction",), 7, 6) != worksheet(PAPER, "paper", ("reduction",), 8, 6)


def test_lessons_share_the_questions() -> None:
    """They are in the order of the lessons, and the first lessons get the remainder."""
    sheet = worksheet(PAPER, "paper", ("receptive_field", "reduction", "auxiliary"), 1, 11)
    topics = [question.topic for question in sheet.questions]
    assert topics == ["reduction"] * 4 + ["auxiliary"] * 4 + ["receptive_field"] * 3


@pytest.mark.parametrize(("topics", "count"), [((), 5), (("reduction",), 0), (("reduction",), 41)])
def test_an_invalid_worksheet_is_refused(topics: tuple[str, ...], count: int) -> None:
    """There are no lessons, no questions, or too many."""
    with pytest.raises(ValueError, match="1 to 40"):
        worksheet(PAPER, "paper", topics, 1, count)


def test_an_unknown_lesson_is_refused() -> None:
    """The error names it."""
    with pytest.raises(KeyError, match="history"):
        worksheet(PAPER, "paper", ("reduction", "history"), 1, 3)


def test_a_class_gets_different_sheets_with_one_key() -> None:
    """The first is the one that the seed alone gives; the key has a row for each, with its letters."""
    topics = tuple(BANK)
    found = worksheets(PAPER, "paper", topics, 5, 8, 12)
    assert found[0] == worksheet(PAPER, "paper", topics, 5, 8)
    assert len({sheet.questions for sheet in found}) == 12
    key = class_html(found, key=True)
    for number, sheet in enumerate(found, start=1):
        letters = "".join(f"<td>{LETTERS[question.correct_index]}</td>" for question in sheet.questions)
        assert f"<tr><th>{number}</th>{letters}</tr>" in key
    printed = class_html(found, key=False)
    assert printed.count("<section>") == 12
    assert "Seed" not in printed
    for copies in (0, MAX_SHEETS + 1):
        with pytest.raises(ValueError, match="different worksheets"):
            worksheets(PAPER, "paper", topics, 5, 8, copies)
