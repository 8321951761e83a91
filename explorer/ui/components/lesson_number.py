"""Controls of a lesson: whole numbers that are judged when they change, with the reason under a bad one.

A lesson keeps its own frozen value in the session; a bad number leaves it as it was and stays visible with its
message, as in the settings of the network.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import streamlit as st

from explorer.config import Problem
from explorer.ui import state

Take = Callable[[Any], tuple[Problem, ...]]  # takes a value over, or returns why not
_MAX_SHOWN = 2**53 - 1  # the largest whole number a browser holds exactly


def whole_number(
    label: str, key: str, value: int, take: Take, *, width: int | str = 110, help: str | None = None
) -> None:
    """Ask for a whole number; the message of a refused one stands under it."""
    held = state.refused(key)
    shown = held[0] if held and not (isinstance(held[0], int) and abs(held[0]) > _MAX_SHOWN) else value
    st.session_state[key] = shown
    problems = held[1][:2] if held else ()
    with st.container(width=width, gap="xsmall") if problems else nullcontext():
        st.number_input(
            label, key=key, step=1, value=None, on_change=_changed, args=(label, key, take), help=help, width=width
        )
        for problem in problems:
            st.error(problem.message, icon=":material/block:")


def _changed(label: str, key: str, take: Take) -> None:
    value = st.session_state[key]
    if not isinstance(value, int) or isinstance(value, bool):
        shown = "blank" if value is None else f"“{str(value)[:20]}”"
        found = (Problem("lesson", key, f"{label}: {shown} is no whole number. Write one, such as 16."),)
    else:
        found = take(value)
    if found:
        state.refuse(key, value, found)
    else:
        state.accept()
