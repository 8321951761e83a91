"""Charts of the whole network, each with a sentence on how to read it, its data and a download beside it."""

import pandas as pd
import streamlit as st

from explorer.ui import cache, state
from explorer.ui.components.variants import theme
from explorer.views import figures
from explorer.views.figures import Chart

_KINDS = {"bars": "bars", "sunburst": "sunburst", "treemap": "treemap", "cumulative": "so far"}


def show_cost() -> None:
    """Show what the network costs and where: per block, as a hierarchy, or summed up along the way."""
    summary = cache.summary(state.current().config)
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = _control("As", _KINDS, "cost_kind")
        quantity = "macs" if kind == "cumulative" else _control("Cost in", figures.QUANTITIES, "cost_quantity")
    if kind == "cumulative":
        show_chart(figures.cumulative(summary, theme()), "cumulative")
    elif kind == "bars":
        show_chart(figures.bars(summary, quantity), "cost")
    else:
        show_chart(figures.hierarchy(summary, quantity, kind=kind), kind)


def show_depth() -> None:
    """Show how the picture, the channels and the memory change from the image to the classifier."""
    show_chart(figures.depth_profile(cache.summary(state.current().config), theme()), "depth")


def show_memory() -> None:
    """Show where the memory goes while training."""
    show_chart(figures.training_memory(cache.summary(state.current().config), theme()), "memory")


def _control(label: str, options: dict[str, str], key: str) -> str:
    return st.segmented_control(
        label,
        list(options),
        default=next(iter(options)),
        required=True,
        format_func=options.get,
        key=key,
        label_visibility="collapsed",
        persist_state="session",
    )


def show_chart(chart: Chart, key: str) -> None:
    """Show a chart, and under it how to read it, its numbers, and the chart as a page to take away."""
    st.plotly_chart(chart.figure, key=f"chart_{key}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"How to read this: {chart.reading}", width="stretch")
        with st.popover("Data", icon=":material/table_view:"):
            st.dataframe(pd.DataFrame(chart.data), hide_index=True, height=320)
        st.download_button(
            "HTML",
            lambda: chart.figure.to_html(include_plotlyjs=True),
            f"{key}.html",
            "text/html",
            icon=":material/download:",
            on_click="ignore",
            help="A page of its own that needs no internet. The camera on the chart saves a PNG.",
        )
