"""Torchinfo's own summary of the live network, made in the checker's process."""

import streamlit as st

from explorer.ui import cache, state
from explorer.ui.badge import reader


def show_torchinfo() -> None:
    """Show the text, or that it is on its way."""
    pending = isinstance(_text(), tuple)
    st.fragment(_view, run_every=0.6 if pending else None)(pending)


def _text() -> "str | tuple[int, float]":
    return cache.checker().torchinfo(state.present().config, reader())


def _view(was_pending: bool) -> None:
    text = _text()
    if isinstance(text, tuple):
        with st.spinner("torchinfo reads the live network …"):
            st.code(" \n" * 12, language=None)
        return
    if was_pending:
        st.rerun()
    st.code(text, language=None, height=460)
