"""Number fields that are judged when they change: a refused number stays to be mended, with its message below."""

from collections.abc import Callable
from math import isfinite
from typing import Any

import streamlit as st

from explorer.config import Problem
from explorer.ui import messages, state

_MAX_SHOWN = 2**53 - 1  # the largest whole number a browser holds exactly

Number = int | float
Good = Callable[[Number], bool]


def number(
    label: str, key: str, value: Number, take: Callable[[Number], None], good: Good, reason: str, **more: Any
) -> None:
    """Ask for a number. ``take`` is called with one that is ``good``; of any other ``reason`` says what would be."""

    def changed() -> None:
        given = st.session_state[key]
        known = isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given)
        if not known or not good(given):
            state.refuse(key, given, (Problem("look", key, reason),))
            return
        state.accept()
        take(given)

    held = state.refused(key)
    st.session_state[key] = held[0] if held and _can_be_shown(held[0]) else value
    with st.container(width=more.pop("width", "stretch"), gap="xsmall"):
        st.number_input(label, key=key, value=None, on_change=changed, **more)
        messages.show_problems(held[1] if held else ())


def _can_be_shown(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and abs(value) <= _MAX_SHOWN)
