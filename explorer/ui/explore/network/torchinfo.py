"""Torchinfo's own summary of the live network, made in the checker's process."""

import streamlit as st

from explorer.jobs.queue import Pending
from explorer.ui import cache, state
from explorer.ui.components.polling import rerun_after
from explorer.ui.explore.network.badge import session_id


@st.fragment
def show_torchinfo() -> None:
    """Show the text, or that it is on its way."""
    text = cache.check_jobs().torchinfo(state.current().config, session_id())
    if isinstance(text, Pending):
        st.info("torchinfo reads the live network in the background …", icon=":material/hourglass_top:")
        rerun_after(text.retry_s, "torchinfo_again")
    else:
        st.code(text, language=None, height=460)
