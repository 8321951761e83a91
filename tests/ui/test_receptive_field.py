"""The lesson on receptive fields and input sizes, as a student uses it."""

import pytest

from explorer import PRESETS
from tests.ui.lessons import click, open_lesson, run, type_into, words


def _row(text: str, layer: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {layer} |"))
    return [cell.strip(" *") for cell in line.strip("| ").split("|")]


def test_the_doctor_shows_every_rule() -> None:
    """At 224 the paper's sizes, and 55, 27, 13, 6 with plain rounding down."""
    text = words(open_lesson("receptive_field"))
    assert _row(text, "pool1") == ["pool1", "56×56", "56×56", "56×56", "55×55"]
    assert _row(text, "pool4") == ["pool4", "7×7", "7×7", "7×7", "6×6"]


def test_another_size_is_worked_out_and_applied() -> None:
    """Not square and odd; then it is the network's input."""
    at = type_into(open_lesson("receptive_field"), "doctor_height", 97)
    text = words(at)
    assert _row(text, "input")[1] == "97×224"
    assert "At 97×224 this network takes" in text
    at = click(at, "doctor_apply")
    assert at.session_state["history"].present.config.input_shape == (3, 97, 224)


def test_a_size_that_does_not_fit_is_explained_and_not_applied() -> None:
    """The heads' window finds no place: which one, and what would help."""
    at = type_into(type_into(open_lesson("receptive_field"), "doctor_height", 40), "doctor_width", 40)
    assert "At 40×40 this network cannot be built. The auxiliary head on 4a cannot pool" in words(at)
    at = click(at, "doctor_apply")
    assert "cannot pool" in at.error[0].value
    assert at.session_state["history"].present.config == PRESETS["paper"]


@pytest.mark.parametrize(("value", "told"), [(0, "Height: 0 is out of range"), (None, "Height: blank")])
def test_a_bad_size_is_explained_and_the_last_good_one_stays(value: int | None, told: str) -> None:
    """Under the control it was typed into."""
    at = type_into(open_lesson("receptive_field"), "doctor_height", value)
    assert [told in error.value for error in at.error] == [True]
    assert _row(words(at), "input")[1] == "224×224"


def test_the_smallest_inputs_are_told_for_both_stems() -> None:
    """31 without heads, 47 with; far less behind the small stem."""
    text = words(open_lesson("receptive_field"))
    assert "- the network without heads: from **31×31** on" in text
    assert "- with the head on 4a: from **47×47** on" in text
    assert "With a small stem" in text


def test_a_module_that_is_gone_is_not_missed() -> None:
    """The choice falls back to the last module of another network."""
    at = open_lesson("receptive_field")
    at.session_state["field_module"] = "9z"
    run(at)
    assert at.session_state["field_module"] == "5b"
