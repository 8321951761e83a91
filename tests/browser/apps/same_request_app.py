"""A page that repeats a text and counts its runs, and a fragment on it that looks again all the time."""

import streamlit as st

from explorer.ui.streamlit_workarounds import fragment, rerun_after


@fragment
def looks() -> None:
    """Look, and count it."""
    st.session_state.looks = st.session_state.get("looks", 0) + 1
    st.write(f"look {st.session_state.looks}")
    rerun_after(0.02, "again")


st.session_state.runs = st.session_state.get("runs", 0) + 1
st.write(f"run {st.session_state.runs}")
st.write(f"The page has {st.text_input('Text', 'nothing')}.")
looks()
