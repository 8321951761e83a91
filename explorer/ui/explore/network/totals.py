"""The totals at the top: six numbers, each with what it means and its change against the preset."""

import streamlit as st

from explorer.analysis import summarize
from explorer.ui import state
from explorer.views.totals import to_html, totals


def show_totals() -> None:
    """Show the six totals of the current network, in one element so that they arrive together."""
    version = state.current()
    with st.container(key="totals"):
        st.html(to_html(totals(summarize(version.config), summarize(version.base_config))))
