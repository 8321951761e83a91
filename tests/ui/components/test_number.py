"""The number field: valid numbers are stored, all others stay visible with a reason and change nothing."""

from math import inf, nan
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.components import number
from tests.ui.app import type_into


def _page() -> None:
    import streamlit as st

    from explorer.ui.components.number import in_range, number_input

    def store(value: float | None) -> None:
        st.session_state["stored"] = value

    in_limits = in_range(-5, 5, "Size: enter a number from -5 to 5.", store)
    number_input(
        "Size",
        "size",
        st.session_state.get("stored", 1),
        lambda value: (store(None) or ()) if value is None else in_limits(value),
        **st.session_state["options"],
    )


def open_page(**options: Any) -> AppTest:
    """Open a page with one field for a number from -5 to 5."""
    at = AppTest.from_function(_page)
    at.session_state["options"] = options
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize(("step", "value"), [(1, 3), (1, -5), (0.5, 2.5), (0.5, 0.0)])
def test_a_valid_number_is_stored(step: float, value: float) -> None:
    """As an int or a float, as the step says."""
    at = type_into(open_page(step=step), "size", value)
    assert at.session_state["stored"] == value
    assert type(at.session_state["stored"]) is type(value)
    assert not at.error


def test_a_number_out_of_range_stays_visible_and_changes_nothing() -> None:
    """With the reason, until the next valid one."""
    at = type_into(open_page(), "size", 6)
    assert [error.value for error in at.error] == ["Size: enter a number from -5 to 5."]
    assert at.number_input(key="size").value == 6
    assert "stored" not in at.session_state
    assert not type_into(at, "size", 2).error
    assert at.session_state["stored"] == 2


@pytest.mark.parametrize(
    ("step", "message"),
    [(1, "Size: the field is blank. Enter a whole number."), (0.5, "Size: the field is blank. Enter a number.")],
)
def test_a_blank_field_is_rejected(step: float, message: str) -> None:
    """It stays blank."""
    at = type_into(open_page(step=step), "size", None)
    assert [error.value for error in at.error] == [message]
    assert at.number_input(key="size").value is None


def test_a_field_may_allow_blank() -> None:
    """Then blank is stored as None."""
    at = type_into(open_page(blank=True), "size", None)
    assert at.session_state["stored"] is None
    assert not at.error


def test_a_number_beyond_what_a_browser_holds_is_not_sent_back() -> None:
    """The field then shows the last valid number."""
    assert number._can_show(2**53 - 1, whole=True)
    assert not number._can_show(2**53, whole=True)
    assert not number._can_show("abc", whole=True)
    assert number._can_show(None, whole=True)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("value", ["abc", True, [1], {}, nan, inf, -inf, 10**400])
def test_what_is_no_number_is_recognized(value: Any, whole: bool) -> None:
    """A forged message may hold anything; a whole number may be of any size, and its limits are checked later."""
    assert number._is_number(value, whole) == (whole and value == 10**400)


@pytest.mark.parametrize(("value", "whole", "expected"), [(1, True, True), (1.5, True, False), (1, False, True)])
def test_a_fraction_is_no_whole_number(value: float, whole: bool, expected: bool) -> None:
    """A whole number may stand for a fraction."""
    assert number._is_number(value, whole) is expected


def test_the_caller_may_show_the_problems() -> None:
    """Where there is more room."""
    at = type_into(open_page(shows_problems=False), "size", 6)
    assert not at.error
    assert "size" in at.session_state["rejected_input"]
