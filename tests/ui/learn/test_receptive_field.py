"""The lesson on receptive fields and input sizes, as a student uses it."""

import pytest

from explorer import PRESETS
from tests.ui.app import click, open_lesson, page_text, run, type_into


def _row(text: str, layer: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {layer} |"))
    return [cell.strip(" *") for cell in line.strip("| ").split("|")]


def test_the_sizes_are_shown_for_every_rule() -> None:
    """At 224 the paper's sizes, and 55, 27, 13, 6 with plain rounding down."""
    text = page_text(open_lesson("receptive_field"))
    assert _row(text, "pool1") == ["pool1", "56×56", "56×56", "56×56", "55×55"]
    assert _row(text, "pool4") == ["pool4", "7×7", "7×7", "7×7", "6×6"]


def test_another_size_is_computed_and_applied() -> None:
    """Not square and odd; then it is the network's input."""
    at = type_into(open_lesson("receptive_field"), "input_size_height", 97)
    text = page_text(at)
    assert _row(text, "input")[1] == "97×224"
    assert "At 97×224 this network takes" in text
    at = click(at, "input_size_apply")
    assert at.session_state["history"].present.config.input_shape == (3, 97, 224)


def test_a_size_that_does_not_fit_is_explained_and_not_applied() -> None:
    """The pooling window of the heads does not fit: which one, and what would help."""
    at = type_into(type_into(open_lesson("receptive_field"), "input_size_height", 40), "input_size_width", 40)
    assert "At 40×40 this network cannot be built. The auxiliary head at 4a cannot pool" in page_text(at)
    at = click(at, "input_size_apply")
    assert "cannot pool" in at.error[0].value
    assert at.session_state["history"].present.config == PRESETS["paper"]


@pytest.mark.parametrize(
    ("value", "message"),
    [(0, "Height: enter a whole number from 1 to"), (None, "Height: the field is blank")],
)
def test_an_invalid_size_is_explained_and_the_last_valid_one_stays(value: int | None, message: str) -> None:
    """Below its control."""
    at = type_into(open_lesson("receptive_field"), "input_size_height", value)
    assert [message in error.value for error in at.error] == [True]
    assert _row(page_text(at), "input")[1] == "224×224"


def test_the_smallest_inputs_are_shown_for_both_stems() -> None:
    """31 without heads, 47 with; far smaller with the small stem."""
    text = page_text(open_lesson("receptive_field"))
    assert "- the network without heads: at least **31×31**" in text
    assert "- with the head at 4a: at least **47×47**" in text
    assert "With a small stem" in text


def test_the_selected_module_may_be_missing() -> None:
    """The selection falls back to the last module of another network."""
    at = open_lesson("receptive_field")
    at.session_state["field_module"] = "9z"
    run(at)
    assert at.session_state["field_module"] == "5b"


def test_a_layer_of_googlenet_sets_all_controls() -> None:
    """And a control that leaves it marks none of them."""
    at = open_lesson("receptive_field")
    at.pills(key="layer_name").set_value("3×3/2 pool")
    text = page_text(run(at))
    assert "⌈(8 + 2·0 − 3) / 2⌉ + 1 = 4" in text
    assert "The dashed edge" not in text
    at.toggle(key="layer_round_up").set_value(False)
    text = page_text(run(at))
    assert "⌊(8 + 2·0 − 3) / 2⌋ + 1 = 3" in text
    assert "1 row and column are read by no window." in text
    assert at.session_state["layer_name"] is None
