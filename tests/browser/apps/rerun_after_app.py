"""Two pages that each look again all the time, and count it."""

import streamlit as st

from explorer.ui.streamlit_workarounds import rerun_after, reset_drawing_context


@st.fragment
def looks(name: str) -> None:
    """Say how often it looked."""
    st.session_state[name] = st.session_state.get(name, 0) + 1
    st.write(f"{name}: look {st.session_state[name]}")
    rerun_after(0.02, name)


def first() -> None:
    """The page that is there at first."""
    looks("First")


def second() -> None:
    """The other one."""
    looks("Second")


reset_drawing_context()
st.navigation([st.Page(first, title="First"), st.Page(second, title="Second")], position="top").run()
