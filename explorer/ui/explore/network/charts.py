"""Charts of the whole network, each with a sentence on how to read it, its data, and a download."""

from collections.abc import Mapping
from typing import Literal, TypeVar

import streamlit as st

from explorer.analysis import summarize
from explorer.ui import state
from explorer.ui.components.chart import show_plotly_chart
from explorer.ui.components.theme import theme
from explorer.views import figures

T = TypeVar("T", bound=str)
Kind = Literal["bars", "sunburst", "treemap", "cumulative"]
_KINDS: dict[Kind, str] = {"bars": "bars", "sunburst": "sunburst", "treemap": "treemap", "cumulative": "cumulative"}


def show_cost() -> None:
    """Show the cost of the network and where it arises: per block, as a hierarchy, or cumulative."""
    summary = summarize(state.current().config)
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = _control("As", _KINDS, "cost_kind")
        quantity = "macs" if kind == "cumulative" else _control("Cost in", figures.QUANTITIES, "cost_quantity")
    if kind == "cumulative":
        show_plotly_chart(figures.cumulative(summary, theme()), "cumulative")
    elif kind == "bars":
        show_plotly_chart(figures.bars(summary, quantity), "cost")
    else:
        show_plotly_chart(figures.hierarchy(summary, quantity, kind=kind), kind)


def show_depth() -> None:
    """Show how size, channels and memory change from the image to the classifier."""
    show_plotly_chart(figures.depth_profile(summarize(state.current().config), theme()), "depth")


def show_memory() -> None:
    """Show what needs memory in training."""
    show_plotly_chart(figures.training_memory(summarize(state.current().config), theme()), "memory")


def _control(label: str, options: Mapping[T, str], key: str) -> T:
    return st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        required=True,
        format_func=options.__getitem__,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )
