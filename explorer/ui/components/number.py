"""The number field: it checks each change on the server and keeps a rejected number visible, with the reason below it.

A rejected number changes nothing: the last valid value stays in use.
"""

from collections.abc import Callable
from contextlib import nullcontext
from math import isfinite
from typing import Any, Literal, TypeGuard

import streamlit as st

from explorer.errors import Problem
from explorer.ui import messages, state

Accept = Callable[[Any], tuple[Problem, ...]]  # stores a value, or returns why it does not
_MAX_EXACT = 2**53 - 1  # the largest whole number that a browser holds exactly
_MIN_MESSAGE_WIDTH = 230  # pixels
_BLANK = {True: "{}: the field is blank. Enter a whole number.", False: "{}: the field is blank. Enter a number."}
_NO_NUMBER = {
    True: "{}: “{}” is not a whole number. Enter one, such as 16.",
    False: "{}: “{}” is not a number. Enter one, such as 0.5.",
}


def number_input(
    label: str,
    key: str,
    value: float | None,
    accept: Accept,
    *,
    step: float = 1,
    blank: bool = False,
    width: int | Literal["stretch"] = "stretch",
    shows_problems: bool = True,
    help: str | None = None,
    format: str | None = None,
    placeholder: str | None = None,
) -> None:
    """Show a field for a number. As in Streamlit, an int as ``step`` asks for whole numbers.

    ``accept`` is called with a changed value of that type, or with None where ``blank`` is allowed. The caller calls
    :func:`explorer.ui.messages.show_problems` itself if this one does not show the problems.
    """
    whole, rejected = isinstance(step, int), state.rejected_input(key)
    displayed = rejected.value if rejected and _can_show(rejected.value, whole) else value
    st.session_state[key] = displayed if displayed is None or whole else float(displayed)
    message_width = width if isinstance(width, str) else max(width, _MIN_MESSAGE_WIDTH)
    with st.container(width=message_width, gap="xsmall") if rejected and shows_problems else nullcontext():
        st.number_input(
            label,
            key=key,
            value=None,
            step=step,
            on_change=_changed,
            args=(label, key, accept, whole, blank),
            width=width,
            help=help,
            format=format,
            placeholder=placeholder,
        )
        if shows_problems:
            messages.show_problems(state.rejection(key))


def row_alignment() -> Literal["top", "bottom"]:
    """Return the vertical alignment of a row of fields: at the top while there is a message below one of them."""
    return "top" if state.has_rejected_input() else "bottom"


def in_range(low: float, high: float, problem: str, store: Callable[[Any], None]) -> Accept:
    """Return an ``accept`` that stores numbers from ``low`` to ``high`` and explains any other by ``problem``."""

    def accept(value: float) -> tuple[Problem, ...]:
        if not low <= value <= high:
            return (Problem("number", "", problem),)
        store(value)
        return ()

    return accept


def _changed(label: str, key: str, accept: Accept, whole: bool, blank: bool) -> None:
    value = st.session_state[key]
    if value is None:
        problems = accept(None) if blank else (Problem("number", key, _BLANK[whole].format(label)),)
    elif _is_number(value, whole):
        problems = accept(value if whole else float(value))
    else:
        problems = (Problem("number", key, _NO_NUMBER[whole].format(label, str(value)[:20])),)
    if problems:
        state.reject_input(key, value, problems)
    else:
        state.clear_rejected_input()


def _is_number(value: object, whole: bool) -> TypeGuard[float]:
    """Whether a value is a number of the field's type; a forged message of a browser may hold any value."""
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    try:
        return whole or isfinite(value)
    except OverflowError:  # a whole number beyond any float
        return False


def _can_show(value: object, whole: bool) -> bool:
    return value is None or (_is_number(value, whole) and -_MAX_EXACT <= value <= _MAX_EXACT)
