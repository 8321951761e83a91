"""The network as a picture on a page: the overview, and the chosen block with the chosen layer's formulas."""

import streamlit as st

from explorer.analysis import NetworkSummary
from explorer.config import GoogLeNetConfig
from explorer.jobs.requests import LayerTiming
from explorer.ui import cache, state
from explorer.ui.components import layer_times
from explorer.ui.components.diagram import diagram, is_narrow
from explorer.views import diagrams, formulas
from explorer.views import formatting as fmt
from explorer.views.layer_table import KINDS, kernel
from explorer.views.measures import COLOURINGS, TIME

_COLOUR, _OPEN, _OPEN_CHOICE = "colour_by", "open_modules", "open_choice"


def show_overview() -> None:
    """Show the whole network across the page; a click on a box chooses it, a double click opens it where it stands."""
    config = state.current().config
    summary = cache.summary(config)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**The network** :small[choose a box to see inside it]", width="content")
        st.space("stretch")
        _open_control(config)
        colour_control(config)
    opened = frozenset(_opened(config))
    shape = "wrapped" if is_narrow() else "across"
    drawing = cache.overview(config, *colouring(config), opened, shape)
    chosen = state.chosen() if state.chosen() in drawing.hover else chosen_block(summary)
    diagram(
        drawing,
        key="overview",
        chosen=chosen,
        on_choose=state.choose,
        on_open=_open_or_close,
        height=350,
        tallest=760,
        adapts=True,
    )
    time_note(config)


def _open_control(config: GoogLeNetConfig) -> None:
    names = [module.name for module in config.modules]
    st.session_state[_OPEN_CHOICE] = _opened(config)
    with st.popover("Open", icon=":material/unfold_more:"):
        st.pills(
            "Modules to open in the picture",
            names,
            selection_mode="multi",
            key=_OPEN_CHOICE,
            on_change=lambda: _keep_open(st.session_state[_OPEN_CHOICE]),
        )
        with st.container(horizontal=True):
            st.button("All", on_click=_keep_open, args=(names,), key="open_all")
            st.button("None", on_click=_keep_open, args=([],), key="open_none")
        st.caption("Or double-click a module; with the keyboard Shift and Enter.")


def _opened(config: GoogLeNetConfig) -> list[str]:
    """The modules that are open in the overview, as long as they exist."""
    kept = st.session_state.get(_OPEN, ())
    return [module.name for module in config.modules if module.name in kept]


def _keep_open(names: list[str]) -> None:
    st.session_state[_OPEN] = tuple(names)


def _open_or_close(node: str) -> None:
    """Open the module of a node, or close it if it is open. Other blocks have no inside here."""
    config = state.current().config
    name, kept = diagrams.block_of(node), _opened(config)
    if name in kept:
        kept.remove(name)
    elif name in [module.name for module in config.modules]:
        kept.append(name)
    _keep_open(kept)


def show_block() -> None:
    """Show the chosen block layer by layer, and beside it the formulas of the chosen layer."""
    summary = cache.summary(state.current().config)
    with st.container(key="inside"):
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            show_drawing(summary, chosen_module(summary), key="block")
        with right:
            show_formulas(summary)


def show_drawing(summary: NetworkSummary, block: str, key: str, least: float = 0) -> None:
    """Show one block of a network; a click on a layer chooses it. Its colours end at ``least`` or later."""
    drawing = cache.drawing(summary.config, block, *colouring(summary.config), least)
    diagram(drawing, key=key, chosen=state.chosen(), on_choose=state.choose, height=500, tallest=620)


def colouring(config: GoogLeNetConfig) -> tuple[str, LayerTiming | None]:
    """Return what the pictures of a network are coloured by, with its times where that is the measured time.

    A network that was not measured is not coloured by time.
    """
    name = st.session_state.get(_COLOUR, "none")
    timing = layer_times.times(config) if name == TIME else None
    known = name in COLOURINGS and (timing is not None or name != TIME)
    return (name, timing) if known else ("none", None)


def colour_control(*configs: GoogLeNetConfig) -> None:
    """Let the reader colour the pictures of these networks by a cost, and measure their time; all pages share it."""
    if layer_times.take_fresh():
        st.session_state[_COLOUR] = TIME  # whoever measures wants to see it
    offered = [name for name in COLOURINGS if name != TIME or layer_times.any_known()]
    st.selectbox(
        "Colour by",
        offered,
        key=_COLOUR,
        format_func=lambda name: f"colour: {COLOURINGS[name]}",
        width=230,
        persist_state="session",
        label_visibility="collapsed",
    )
    with st.container(width="content"):
        layer_times.measure_control(*configs)


def time_note(config: GoogLeNetConfig) -> None:
    """Say what was measured, where the pictures are to be coloured by time."""
    if st.session_state.get(_COLOUR) == TIME:
        st.caption(layer_times.said(config))


def chosen_block(summary: NetworkSummary) -> str:
    """Return the overview's box in which the chosen node lies, or the first when it is gone."""
    return diagrams.block_id(chosen_module(summary))


def chosen_module(summary: NetworkSummary) -> str:
    """Return the block of the chosen node: ``stem``, ``4a``, ``aux_4a`` …; the first module when it is gone."""
    block = diagrams.block_of(state.chosen())
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
