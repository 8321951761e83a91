"""What lies below the first screen of the network page: one view at a time, so that an edit pays for one only."""

import streamlit as st

from explorer.ui.components import network_diagram
from explorer.ui.explore.network import charts, layers, torchinfo

VIEWS = {
    "Block": network_diagram.show_block,
    "Layers": layers.show_layers,
    "Cost": charts.show_cost,
    "Depth": charts.show_depth,
    "Memory": charts.show_memory,
    "torchinfo": torchinfo.show_torchinfo,
}


def show_details() -> None:
    """Let the reader choose one view of the present network."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Block",
        required=True,
        key="view",
        label_visibility="collapsed",
        persist_state="session",
    )
    VIEWS.get(view, network_diagram.show_block)()
