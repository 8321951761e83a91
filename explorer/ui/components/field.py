"""The place of a control and of the reason why its input was rejected.

The message lies over what is below the control (``assets/style.css``), so no other control moves.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from explorer.ui import messages, state
from explorer.ui.state import Width


@contextmanager
def field_container(key: str, width: Width = "stretch", value: str | None = None) -> Iterator[None]:
    """Hold the control ``key``; below it comes why its last input was rejected, and the ``value`` still in use.

    The container is there without a message too: otherwise the browser would draw the control again for one, and the
    keyboard would lose it.
    """
    with st.container(key=f"field_{key}", width=width, gap=None):
        yield
        if problems := state.rejection(key):
            with st.container(key=f"rejected_{key}", gap="xsmall"):
                messages.show_problems(problems)
                if value is not None:
                    st.caption(f"Still in use: {value or 'blank'}.")
