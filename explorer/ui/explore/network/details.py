"""What is below the first screen of the network page: one view at a time, so that an edit computes only one."""

import streamlit as st

from explorer.jobs.queue import Pending
from explorer.ui import cache, state
from explorer.ui.components import network_diagram
from explorer.ui.explore.network import charts, layers
from explorer.ui.streamlit_workarounds import fragment, rerun_after


@fragment
def show_torchinfo() -> None:
    """Show torchinfo's own summary of the live network, from the worker process, or that it is on its way."""
    text = cache.check_jobs().torchinfo(state.current().config, state.session_id())
    if isinstance(text, Pending):
        st.info("torchinfo reads the live network in the background …", icon=":material/hourglass_top:")
        rerun_after(text.retry_s, "torchinfo_again")
    else:
        st.code(text, language=None, height=460)


_BLOCK, _NETWORK = "Block", "Whole network"
VIEWS = {
    _BLOCK: network_diagram.show_block,
    _NETWORK: network_diagram.show_overview,
    "Layers": layers.show_layers,
    "Cost": charts.show_cost,
    "Depth": charts.show_depth,
    "Memory": charts.show_memory,
    "torchinfo": show_torchinfo,
}


def show_details() -> None:
    """Let the reader select one view of the current network."""
    with st.container(horizontal=True, vertical_alignment="center", key="details"):
        view = st.segmented_control(
            "View",
            list(VIEWS),
            default=_BLOCK,
            required=True,
            key="view",
            label_visibility="collapsed",
            persist_state="session",
        )
        st.space("stretch")
        config = state.current().config
        if view == _NETWORK:
            network_diagram.expand_control(config)
        if view in (_BLOCK, _NETWORK):
            network_diagram.colour_control(config)
    VIEWS.get(view, network_diagram.show_block)()
