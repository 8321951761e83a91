"""Charts of the whole network, each with a sentence on how to read it and its data beside it."""

import streamlit as st

from explorer.ui import cache, state


def show_cost() -> None:
    """Show what each block costs, split by branch."""
    from explorer.views import figures

    summary = cache.summary(state.present().config)
    with st.container(horizontal=True, vertical_alignment="center"):
        quantity = st.segmented_control(
            "Cost in",
            list(figures.QUANTITIES),
            default="macs",
            required=True,
            format_func=figures.QUANTITIES.get,
            key="cost_quantity",
            label_visibility="collapsed",
            persist_state="session",
        )
        heads = st.toggle("with auxiliary heads", key="cost_heads", persist_state="session")
    st.plotly_chart(figures.cost_per_module(summary, quantity, aux=heads), key="cost")
    st.caption(
        "How to read this: one bar per block in the order the image passes them, split by branch. "
        "A reduction counts to the branch it stands in."
    )


def show_depth() -> None:
    """Show how the picture and the channels change from the image to the classifier."""
    from explorer.views import figures

    st.plotly_chart(figures.depth_profile(cache.summary(state.present().config)), key="depth")
    st.caption(
        "How to read this: each step is the output of a block. The vertical scale is logarithmic, so halving the side "
        "and doubling the channels are steps of the same height."
    )
