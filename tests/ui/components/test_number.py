"""The number field: what can be read and used is stored, all else stays visible with a reason and changes nothing."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app import type_into


def _page() -> None:
    import streamlit as st

    from explorer.ui.components.number import in_range, number_input, number_setting

    def store(value: float | None) -> None:
        st.session_state["stored"] = value

    in_limits = in_range(-5, 5_000, "Size: write a number from -5 to 5,000.", store)
    number_input(
        "Size",
        "size",
        st.session_state.get("stored", 1),
        lambda value: (store(None) or ()) if value is None else in_limits(value),
        **st.session_state["options"],
    )
    st.markdown(str(number_setting("Seed", "seed", 7, 0, 9)))


def open_page(**options: Any) -> AppTest:
    """Open a page with one field for a number from -5 to 5,000, and a setting from 0 to 9."""
    at = AppTest.from_function(_page)
    at.session_state["options"] = options
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    ("whole", "typed", "value", "shown"),
    [
        (True, "3", 3, "3"),
        (True, "-5", -5, "-5"),
        (True, "1,000", 1_000, "1000"),
        (True, " １２８ ", 128, "128"),
        (False, "2.5", 2.5, "2.5"),
        (False, "1e-3", 0.001, "0.001"),
        (False, "0", 0.0, "0"),
    ],
)
def test_a_valid_number_is_stored_and_shown_in_digits(whole: bool, typed: str, value: float, shown: str) -> None:
    """As an int or a float, as the field says."""
    at = type_into(open_page(whole=whole), "size", typed)
    assert value == at.session_state["stored"]
    assert type(value) is type(at.session_state["stored"])
    assert shown == at.text_input(key="size").value
    assert not at.error


@pytest.mark.parametrize(
    ("whole", "typed", "message"),
    [
        (True, "6000", "Size: write a number from -5 to 5,000."),
        (True, "x", "Size: “x” is not a number. Write a whole number, such as 300."),
        (True, "12a", "Size: “12a” is not a number. Write a whole number, such as 300."),
        (True, "1e9", "Size: “1e9” has an exponent. Write a whole number in digits, such as 300."),
        (True, "1.5", "Size: 1.5 is not a whole number. Write a whole number, such as 300."),
        (True, "1,5", "“1,5” is not a whole number. A comma separates groups of three digits"),
        (True, "", "Size: the field is blank. Enter a whole number."),
        (False, "", "Size: the field is blank. Enter a number."),
        (False, "1,5", "Size: “1,5” can be read in two ways."),
    ],
)
def test_what_is_refused_stays_visible_and_changes_nothing(whole: bool, typed: str, message: str) -> None:
    """With the reason and the value that is still in use, until the next valid number."""
    at = type_into(open_page(whole=whole), "size", typed)
    assert [message in error.value for error in at.error] == [True]
    assert typed == at.text_input(key="size").value
    assert [caption.value for caption in at.caption] == ["Still in use: 1."]
    assert "stored" not in at.session_state
    assert not type_into(at, "size", 2).error
    assert at.session_state["stored"] == 2


def test_a_field_may_allow_blank() -> None:
    """Then blank is stored as None."""
    at = type_into(open_page(blank=True), "size", None)
    assert at.session_state["stored"] is None
    assert not at.error


def test_one_field_keeps_what_was_refused_while_another_changes() -> None:
    """No valid input elsewhere removes a refused one unseen."""
    at = type_into(open_page(), "size", "x")
    type_into(at, "seed", 8)
    assert at.text_input(key="size").value == "x"
    assert len(at.error) == 1


def test_a_setting_is_remembered_and_returned() -> None:
    """A refused one leaves the last valid value in use."""
    at = open_page()
    assert at.markdown[0].value == "7"
    assert type_into(at, "seed", 8).markdown[0].value == "8"
    assert type_into(at, "seed", 10).markdown[0].value == "8"
    assert [error.value for error in at.error] == ["Seed: enter a whole number from 0 to 9."]


def test_a_long_input_is_shown_in_part() -> None:
    """The browser gets at most 400 characters of it back."""
    at = type_into(open_page(), "size", "9" * 5_000)
    assert at.text_input(key="size").value == "9" * 400
    assert len(at.error[0].value) < 200
