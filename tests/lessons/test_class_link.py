"""A link for a class leaves parts out: those it names, under old names too, and always the class tools."""

import pytest

from explorer.lessons.class_link import COMMON, OLD_NAMES, TEACHER, parse, to_text
from explorer.lessons.questions import BANK
from explorer.lessons.text import read


def test_it_can_be_read_again() -> None:
    """What was written is what is left out."""
    parts = frozenset({"quiz", "timing", TEACHER})
    assert parse(to_text(parts)) == parts
    assert parse(to_text(frozenset())) == {TEACHER}


def test_a_link_of_an_earlier_version_hides_the_same_parts() -> None:
    """Parts have other names now: the bench is the cost, the slips are the mistakes. The class tools were optional."""
    assert parse("bench,slips") == {"cost", "mistakes", TEACHER}


@pytest.mark.parametrize("part", OLD_NAMES.values())
def test_every_old_name_leads_to_a_part(part: str) -> None:
    """One of a lesson."""
    assert part in {name for lesson in BANK for name in read(lesson).live}


@pytest.mark.parametrize("text", ["", "<script>", "a" * 50, "../quiz", "QUIZ"])
def test_what_cannot_be_a_name_is_dropped(text: str) -> None:
    """Only the class tools are left out then."""
    assert parse(text) == {TEACHER}


def test_a_long_text_is_cut() -> None:
    """A link has no more than a few names."""
    assert len(parse(",".join(f"{chr(97 + n % 26)}{'a' * (n // 26)}" for n in range(5_000)))) < 200


def test_the_class_tools_are_a_part_of_every_lesson() -> None:
    """Their name is one of the common ones."""
    assert TEACHER in COMMON
