"""The network as a picture on a page: the overview, and the chosen block with the chosen layer's formulas."""

import streamlit as st

from explorer.analysis import NetworkSummary
from explorer.ui import cache, state
from explorer.ui.diagram import diagram
from explorer.views import diagrams, formulas
from explorer.views import formatting as fmt
from explorer.views.layer_table import KINDS, kernel
from explorer.views.measures import COLOURINGS, TIME

_OFFERED = {name: title for name, title in COLOURINGS.items() if name != TIME}


def show_overview() -> None:
    """Show the whole network across the page; a click on a box chooses it."""
    summary = cache.summary(state.present().config)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**The network** :small[choose a box to see inside it]", width="content")
        st.space("stretch")
        colour_control()
    drawing = cache.drawing(summary.config, None, colouring())
    diagram(drawing, key="overview", chosen=chosen_block(summary), on_choose=state.choose, height=350)


def show_block() -> None:
    """Show the chosen block layer by layer, and beside it the formulas of the chosen layer."""
    summary = cache.summary(state.present().config)
    with st.container(key="inside"):
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            show_drawing(summary, chosen_module(summary), key="block")
        with right:
            show_formulas(summary)


def show_drawing(summary: NetworkSummary, block: str, key: str, height: int = 520) -> None:
    """Show one block of a network; a click on a layer chooses it."""
    drawing = cache.drawing(summary.config, block, colouring())
    diagram(drawing, key=key, chosen=state.chosen(), on_choose=state.choose, height=height)


def colouring() -> str:
    """Return what the pictures are coloured by."""
    name = st.session_state.get("colour_by", "none")
    return name if name in _OFFERED else "none"


def colour_control() -> None:
    """Let the reader colour the pictures by a cost; all pages share the choice."""
    st.selectbox(
        "Colour by",
        list(_OFFERED),
        key="colour_by",
        format_func=lambda name: f"colour: {_OFFERED[name]}",
        width=250,
        persist_state="session",
        label_visibility="collapsed",
    )


def chosen_block(summary: NetworkSummary) -> str:
    """Return the overview's box in which the chosen node lies, or the first when it is gone."""
    return diagrams.block_id(chosen_module(summary))


def chosen_module(summary: NetworkSummary) -> str:
    """Return the block of the chosen node: ``stem``, ``4a``, ``aux_4a`` …; the first module when it is gone."""
    block = state.chosen().split(".")[0].removeprefix("inception_")
    return block if block in summary.by_module else summary.config.modules[0].name


def show_formulas(summary: NetworkSummary, block: str | None = None) -> None:
    """Fill a layer's numbers into the formulas, with a button to copy them.

    It is the chosen layer; where another block than ``block`` (by default the chosen one) has it, the dearest there.
    """
    inside = [row for row in summary.rows if row.module == (block or chosen_module(summary))]
    row = summary.by_path.get(state.chosen())
    if row not in inside:
        row = max(inside, key=lambda row: row.macs)
    made = formulas.steps(summary, row)
    shapes = f"{fmt.shape(row.in_shape)} → {fmt.shape(row.out_shape)}"
    with st.container(gap="xsmall", key="formulas"):
        st.markdown(f"**{row.path}**  \n:small[{KINDS[row.kind]} {kernel(row)} · {shapes}]")
        st.code(formulas.text(made), language=None, wrap_lines=True)
        st.caption(" · ".join(f"{symbol} {meaning}" for symbol, meaning in formulas.symbols(made).items()))
