"""Torchinfo's own summary of the live network, made in the checker's process."""

import streamlit as st

from explorer.jobs.queue import Pending
from explorer.ui import cache, state
from explorer.ui.components.polling import look_again
from explorer.ui.explore.network.badge import reader


@st.fragment
def show_torchinfo() -> None:
    """Show the text, or that it is on its way."""

    text = cache.checker().torchinfo(state.present().config, reader())
    if isinstance(text, Pending):
        st.info("torchinfo reads the live network in the background …", icon=":material/hourglass_top:")
        look_again(text.retry_s, "torchinfo_again")
    else:
        st.code(text, language=None, height=460)
