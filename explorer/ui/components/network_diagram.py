"""The network as a diagram: the overview, and the selected block with the formulas of the selected layer."""

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.config import GoogLeNetConfig
from explorer.jobs.requests import LayerTiming
from explorer.summary import LayerRow
from explorer.ui import cache, state
from explorer.ui.components import layer_times
from explorer.ui.components.diagram import diagram
from explorer.ui.components.one_number_link import link_to_one_number
from explorer.ui.components.width import PAGE, PHONE, is_narrow
from explorer.ui.state import SessionValue
from explorer.unit_graph import PASSING_KINDS
from explorer.views import diagrams, formulas
from explorer.views import formatting as fmt
from explorer.views.canvas import COLOURINGS, TIME
from explorer.views.labels import KINDS
from explorer.views.layer_table import kernel

_FRAME_HEIGHT = 40  # pixels of the view beside its diagram: buttons and margins
_NARROW_HEIGHT = 1100  # pixels, at most, of a block on a phone: its text is read there, and the page scrolls
_COLOUR = SessionValue("colour_by", "none")
_EXPANDED = SessionValue[tuple[str, ...]]("expanded_modules", ())
_EXPANDED_PILLS = "expanded_choice"


def show_overview() -> None:
    """Show the whole network, as large as the page. A click on a box selects it; a double click expands it in place."""
    config = state.current().config
    summary = summarize(config)
    drawing = cache.overview(config, *colouring(config), frozenset(_expanded(config)), overview_direction())
    selected = state.selected_node() if state.selected_node() in drawing.hover else selected_block(summary)
    diagram(
        drawing,
        key="overview",
        selected=selected,
        on_select=state.select_node,
        on_expand=_toggle_expanded,
        height=350,
        max_height=diagrams.panel_height(len(_expanded(config))) + _FRAME_HEIGHT,
        narrow_below=(PAGE, PHONE),
    )
    show_timing_text(config)


def overview_direction() -> diagrams.Direction:
    """Return the layout of the whole network for the width of the page."""
    if is_narrow(PHONE):
        return "narrow"
    return "wrapped" if is_narrow() else "across"


def expand_control(config: GoogLeNetConfig) -> None:
    """Offer to open modules in the diagram of the whole network."""
    names = [module.name for module in config.modules]
    st.session_state[_EXPANDED_PILLS] = _expanded(config)
    with st.popover("Open", icon=":material/unfold_more:"):
        st.pills(
            "Modules to open in the diagram",
            names,
            selection_mode="multi",
            key=_EXPANDED_PILLS,
            on_change=lambda: _set_expanded(st.session_state[_EXPANDED_PILLS]),
        )
        with st.container(horizontal=True):
            st.button("All", on_click=_set_expanded, args=(names,), key="expand_all")
            st.button("None", on_click=_set_expanded, args=([],), key="expand_none")
        st.caption("Or double-click a module. With the keyboard: Shift and Enter.")


def _expanded(config: GoogLeNetConfig) -> list[str]:
    """Return the modules that are expanded in the overview, without those that no longer exist."""
    names = _EXPANDED.get()
    return [module.name for module in config.modules if module.name in names]


def _set_expanded(names: list[str]) -> None:
    _EXPANDED.set(tuple(names))


def _toggle_expanded(node: str) -> None:
    """Expand the module of a node, or collapse it. Other blocks cannot be expanded."""
    config = state.current().config
    name, names = diagrams.block_of(node), _expanded(config)
    if name in names:
        names.remove(name)
    elif name in [module.name for module in config.modules]:
        names.append(name)
    _set_expanded(names)


def show_block() -> None:
    """Show the selected block layer by layer, and beside it the formulas of the selected layer."""
    summary = summarize(state.current().config)
    with st.container(key="inside"):
        left, right = st.columns([1.5, 1], gap="medium")
        with left:
            show_drawing(summary, selected_module(summary), key="block")
        with right:
            show_formulas(summary)
    show_timing_text(summary.config)


def show_drawing(summary: NetworkSummary, block: str, key: str, scale_end: float = 0) -> None:
    """Show one block of a network; a click on a layer selects it. The colour scale ends at ``scale_end`` or later.

    The layer whose formulas are shown is marked.
    """
    drawing = cache.drawing(summary.config, block, *colouring(summary.config), scale_end, narrow=is_narrow(PHONE))
    selected = state.selected_node() if state.selected_node() in drawing.hover else layer_in_view(summary, block).path
    diagram(
        drawing,
        key=key,
        selected=selected,
        on_select=state.select_node,
        height=500,
        max_height=_NARROW_HEIGHT if is_narrow(PHONE) else 620,
        narrow_below=(PHONE,),
    )


def colouring(config: GoogLeNetConfig) -> tuple[str, LayerTiming | None]:
    """Return what colours the diagrams of a network, with its times if that is the measured time.

    A network that was not measured is not coloured by time.
    """
    name = _COLOUR.get()
    timing = layer_times.timing_of(config) if name == TIME else None
    is_known = name in COLOURINGS and (timing is not None or name != TIME)
    return (name, timing) if is_known else ("none", None)


def colour_control(*configs: GoogLeNetConfig) -> None:
    """Show controls to colour the diagrams of these networks by a cost, and to measure their time.

    All pages share the colour.
    """
    if layer_times.pop_new_result():
        _COLOUR.set(TIME)  # show what was just measured
    options = [name for name in COLOURINGS if name != TIME or layer_times.has_any_timing()]
    st.selectbox(
        "Colour by",
        options,
        key=_COLOUR.key,
        format_func=lambda name: f"colour: {COLOURINGS[name]}",
        width=230,
        persist_state="session",
        label_visibility="collapsed",
    )
    with st.container(width="content"):
        layer_times.measure_control(*configs)


def show_timing_text(config: GoogLeNetConfig) -> None:
    """Show what was measured, if time is to colour the diagrams."""
    if _COLOUR.get() == TIME:
        st.caption(layer_times.timing_text(config))


def selected_block(summary: NetworkSummary) -> str:
    """Return the overview's box that holds the selected node, or the first module's if the node no longer exists."""
    return diagrams.block_id(selected_module(summary))


def selected_module(summary: NetworkSummary) -> str:
    """Return the block of the selected node: ``stem``, ``4a``, ``aux_4a`` …; the first module if it does not exist."""
    block = diagrams.block_of(state.selected_node())
    return block if block in summary.by_module else summary.config.modules[0].name


def layer_in_view(summary: NetworkSummary, block: str) -> LayerRow:
    """Return the selected layer, or the most expensive one of the block if that does not hold the selected layer."""
    inside = [row for row in summary.rows if row.module == block]
    row = summary.by_path.get(state.selected_node())
    return row if row and row in inside else max(inside, key=lambda row: row.macs)


def show_formulas(summary: NetworkSummary, block: str | None = None) -> None:
    """Show the formulas of a layer with its numbers, and a button to copy them.

    It is the one in view of ``block`` (default: the selected block).
    """
    row = layer_in_view(summary, block or selected_module(summary))
    steps = formulas.steps(summary, row)
    shapes = f"{fmt.shape(row.in_shape)} → {fmt.shape(row.out_shape)}"
    with st.container(gap="xsmall", key="formulas"):
        st.markdown(f"**{row.path}**  \n:small[{KINDS[row.kind]} {kernel(row)} · {shapes}]")
        st.code(formulas.text(steps), language=None, wrap_lines=True)
        st.caption(" · ".join(f"{symbol} {meaning}" for symbol, meaning in formulas.symbols(steps).items()))
        if summary.config == state.current().config and row.kind not in PASSING_KINDS:
            link_to_one_number(row.path)
