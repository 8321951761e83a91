"""The number field: a text field that the server reads, because a browser's own number field drops characters unseen.

What cannot be read or used stays visible, with the reason below it, and changes nothing: the last valid value stays in
use.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.errors import Problem
from explorer.typed_numbers import Unreadable, excerpt, read_number, read_whole, unreadable_message
from explorer.ui import state
from explorer.ui.components.field import field_container
from explorer.ui.state import SessionValue, Width

Accept = Callable[[Any], tuple[Problem, ...]]  # stores a value, or returns why it does not
_MAX_SHOWN = 400  # characters of a rejected input
_BLANK = {True: "{}: the field is blank. Enter a whole number.", False: "{}: the field is blank. Enter a number."}


def number_input(
    label: str,
    key: str,
    value: float | None,
    accept: Accept,
    *,
    whole: bool = True,
    blank: bool = False,
    of_network: bool = False,
    width: Width = "stretch",
    help: str | None = None,
    placeholder: str | None = None,
) -> None:
    """Show a field for a number, ``whole`` or a fraction.

    ``accept`` is called with a changed value of that type, or with None where ``blank`` is allowed. ``of_network`` says
    that it is for the current network: a rejection then marks the network on the page as the last valid one.
    """
    rejected = state.rejected_input(key)
    st.session_state[key] = excerpt(rejected.value, _MAX_SHOWN) if rejected else number_text(value)
    with field_container(key, width, number_text(value)):
        st.text_input(
            label,
            key=key,
            on_change=_changed,
            args=(label, key, accept, whole, blank, of_network),
            help=help,
            placeholder=placeholder,
            autocomplete="off",
        )


def number_setting(
    label: str,
    key: str,
    default: int,
    low: int,
    high: int,
    *,
    width: Width = "stretch",
    help: str | None = None,
) -> int:
    """Show a field for a whole number that the session remembers under ``key``, and return its last valid value."""
    valid = SessionValue(f"{key}_value", default)
    valid.set(min(max(valid.get(), low), high))
    problem = f"{label}: enter a whole number from {low:,} to {high:,}."
    number_input(label, key, valid.get(), in_range(low, high, problem, valid.set), width=width, help=help)
    return valid.get()


def number_text(value: float | None) -> str:
    """Return a number as a field shows it; empty for None."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.12g}"


def in_range(low: float, high: float, problem: str, store: Callable[[Any], None]) -> Accept:
    """Return an ``accept`` that stores numbers from ``low`` to ``high`` and explains any other by ``problem``."""

    def accept(value: float) -> tuple[Problem, ...]:
        if not low <= value <= high:
            return (Problem("number", "", problem),)
        store(value)
        return ()

    return accept


def _changed(label: str, key: str, accept: Accept, whole: bool, blank: bool, of_network: bool) -> None:
    typed = st.session_state[key]
    number = read_whole(typed) if whole else read_number(typed)
    if isinstance(number, Unreadable):
        problems: tuple[Problem, ...] = (Problem("number", key, unreadable_message(label, number, whole=whole)),)
    elif number is None and not blank:
        problems = (Problem("number", key, _BLANK[whole].format(label)),)
    else:
        problems = accept(number)
    if problems:
        state.reject_input(key, typed, problems, of_network=of_network)
    else:
        state.clear_rejected_input(key)
