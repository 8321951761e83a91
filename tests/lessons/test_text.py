"""How a lesson's file is read: front matter, text, and the places of the live parts."""

import pytest

from explorer.lessons.text import Block, LessonError, parse, read

GOOD = "---\ntitle: T: a title\ngoal: G\nminutes: 10\n---\nOne.\n\n<!-- live: bars -->\n\nTwo.\n"


def test_text_and_live_parts_in_order() -> None:
    """A place on its own line splits the text; values may hold colons."""
    lesson = parse("x", GOOD)
    assert (lesson.title, lesson.goal, lesson.minutes) == ("T: a title", "G", 10)
    assert lesson.blocks == (Block("text", "One."), Block("live", "bars"), Block("text", "Two."))
    assert lesson.live == ("bars",)


def test_a_wide_part_stands_below_its_text() -> None:
    """Marked by its own word, and listed with the others."""
    lesson = parse("x", GOOD.replace("live", "wide"))
    assert lesson.blocks[1] == Block("wide", "bars")
    assert lesson.live == ("bars",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("One.", "must begin"),
        ("---\ntitle: T\n", "must begin"),
        ("---\ntitle: T\nminutes: 10\n---\n", "lacks goal"),
        ("---\ntitle: T\ngoal: G\nminutes: ten\n---\n", "whole number of minutes"),
        ("---\ntitle: T\ngoal: G\nminutes: 10\n---\n<!-- life: bars -->", "neither <!-- live: name -->"),
    ],
)
def test_a_broken_file_is_explained(text: str, told: str) -> None:
    """What is missing is named."""
    with pytest.raises(LessonError, match=told):
        parse("x", text)


def test_a_missing_file_is_explained() -> None:
    """Its name is told."""
    with pytest.raises(LessonError, match=r"nothing\.md is not there"):
        read("nothing")
