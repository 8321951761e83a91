"""Reading a lesson's file: front matter, text, and placeholders for live parts."""

import pytest

from explorer.lessons.text import Block, LessonError, parse, read

GOOD = "---\ntitle: T: a title\ngoal: G\nminutes: 10\n---\nOne.\n\n<!-- live: bars -->\n\nTwo.\n"


def test_text_and_live_parts_in_order() -> None:
    """A placeholder on its own line splits the text; values may contain colons."""
    lesson = parse("x", GOOD)
    assert (lesson.title, lesson.goal, lesson.minutes) == ("T: a title", "G", 10)
    assert lesson.blocks == (Block("text", "One."), Block("live", "bars"), Block("text", "Two."))
    assert lesson.live == ("bars",)


def test_a_wide_part_has_its_own_kind() -> None:
    """It is listed with the other live parts."""
    lesson = parse("x", GOOD.replace("live", "wide"))
    assert lesson.blocks[1] == Block("wide", "bars")
    assert lesson.live == ("bars",)


def test_the_opening_ends_with_the_question() -> None:
    """What follows the part ``predict`` is not in it; without that part it is everything."""
    asking = parse("x", f"{GOOD}\n<!-- live: predict -->\n\nThe answer.")
    assert asking.opening == asking.blocks[:-1]
    assert asking.opening[-1] == Block("live", "predict")
    assert parse("x", GOOD).opening == parse("x", GOOD).blocks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("One.", "must begin"),
        ("---\ntitle: T\n", "must begin"),
        ("---\ntitle: T\nminutes: 10\n---\n", "has no goal"),
        ("---\ntitle: T\ngoal: G\nminutes: ten\n---\n", "whole number of minutes"),
        ("---\ntitle: T\ngoal: G\nminutes: 10\n---\n<!-- life: bars -->", "neither <!-- live: name -->"),
    ],
)
def test_a_broken_file_is_explained(text: str, message: str) -> None:
    """The message names the missing field or the wrong placeholder."""
    with pytest.raises(LessonError, match=message):
        parse("x", text)


def test_a_missing_file_is_explained() -> None:
    """The message names it."""
    with pytest.raises(LessonError, match=r"nothing\.md does not exist"):
        read("nothing")
