"""The page Compare: the selection of networks, their totals side by side, and one view of their differences.

The networks have the letters A to D; A is the base that the others are compared with.
"""

from html import escape

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from explorer.comparison import QUANTITIES
from explorer.errors import Problem
from explorer.paths import ASSETS
from explorer.shelf import MAX_COMPARED, available_names
from explorer.ui import cache, messages, shelf, state
from explorer.ui.components.chart import show_figure
from explorer.ui.components.diagram import diagram
from explorer.ui.components.theme import theme
from explorer.ui.components.variants import comparison_of, title
from explorer.ui.explore.compare import budget, export, timings
from explorer.views import comparison_tables, tables, variant_figures
from explorer.views import formatting as fmt

_AS_BUILT = "position"
_ORDERS = {
    _AS_BUILT: "as in the network",
    "parameters": "largest |Δ parameters|",
    "macs": "largest |Δ MACs|",
}
_STYLE = ASSETS / "compare.css"
_CHOICE, _BASE, _MODULE = "compare_choice", "compare_base", "compare_module"
_VIEW, _VIEW_PARAMETER, _FIRST_VIEW = "compare_view", "view", "Tables"


def select_networks() -> tuple[str, ...]:
    """Let the reader select two to four networks and the base; return their names, the base first."""
    st.html(_STYLE)
    names = state.compared_names()
    rejected = state.rejected_input(_CHOICE)
    st.session_state[_CHOICE] = list(rejected.value if rejected else names)
    st.session_state[_BASE] = names[0]
    titles = {name: title(name) for name in available_names(state.shelf())}
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_choose"):
        st.multiselect(
            f"Compare (2 to {MAX_COMPARED})",
            list(titles),
            key=_CHOICE,
            format_func=titles.__getitem__,
            max_selections=MAX_COMPARED,
            on_change=_select,
        )
        st.selectbox("Base", names, key=_BASE, format_func=titles.__getitem__, on_change=_select_base, width=230)
    messages.show_problems(state.rejection(_CHOICE))
    if not state.shelf().variants and state.current().config == state.current().base_config:
        _show_hint()
    return names


def _show_hint() -> None:
    """Tell how to compare edited networks, while there are none."""
    with st.container(horizontal=True, vertical_alignment="center", key="compare_hint"):
        st.caption(
            "These networks come with the app. To compare your own, edit a cell on the page Network; your network is "
            "then compared with its preset here. **Keep** puts it on the shelf, so that you can edit on.",
            width="stretch",
        )
        st.page_link("pages/explore/network.py", label="Edit the table", icon=":material/table_chart:")


def _select() -> None:
    names = tuple(st.session_state[_CHOICE])
    if 2 <= len(names) <= MAX_COMPARED:
        state.clear_rejected_input(_CHOICE)
        state.set_compared_names(names)
    else:
        message = f"Select 2 to {MAX_COMPARED} networks to compare. The page shows your last selection."
        state.reject_input(_CHOICE, names, (Problem("compare", _CHOICE, message),))


def _select_base() -> None:
    base = st.session_state[_BASE]
    state.clear_rejected_input(_CHOICE)
    state.set_compared_names((base, *(name for name in state.compared_names() if name != base)))


def show_totals(names: tuple[str, ...]) -> None:
    """Show the costs of each network, and their differences from the base."""
    comparison = comparison_of(names)
    st.html(comparison_tables.totals_html(comparison, [title(name) for name in names], theme()))
    if most_different := comparison_tables.most_different_text(comparison, [title(name) for name in names]):
        st.markdown(most_different)
    if comparison.is_same:
        st.info("These networks are the same. Edit one, or select another.", icon=":material/equal:")


def show_details(names: tuple[str, ...]) -> None:
    """Let the reader select one view of the comparison; the address holds it for a reload."""
    requested = st.query_params.get(_VIEW_PARAMETER)
    if state.follows_url() and requested in VIEWS:
        st.session_state[_VIEW] = requested
    st.session_state.setdefault(_VIEW, _FIRST_VIEW)
    view = st.segmented_control(
        "View", list(VIEWS), required=True, key=_VIEW, label_visibility="collapsed", persist_state="session"
    )
    view = view if view in VIEWS else _FIRST_VIEW
    state.write_parameter(_VIEW_PARAMETER, None if view == _FIRST_VIEW else view)
    VIEWS[view](names)


def show_tables(names: tuple[str, ...]) -> None:
    """Show the six columns of all networks with differing cells marked, and the settings that differ."""
    comparison = comparison_of(names)
    st.html(comparison_tables.cells_html(comparison, theme()))
    st.caption(
        "Reading this table: one line for the base A and the networks equal to it; one more for each network that "
        "differs, with the differing cells marked, and in bold what follows from a difference here or upstream. A "
        "dash: no such module."
    )
    settings = comparison_tables.setting_rows(comparison, [title(name) for name in names])
    if settings:
        st.markdown("**Settings that differ from A**")
        st.dataframe(pd.DataFrame(settings), hide_index=True, width="content", placeholder=fmt.NO_VALUE)


def show_layers(names: tuple[str, ...]) -> None:
    """Show the layers aligned by path: those that differ, or all of them."""
    comparison = comparison_of(names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        modules = st.multiselect("Module", comparison.blocks, key="compare_layer_modules", placeholder="all", width=300)
        order = st.selectbox(
            "Order", list(_ORDERS), key="compare_layer_order", format_func=_ORDERS.__getitem__, width=220
        )
        show_all = st.toggle("Show equal layers too", key="compare_layer_all", persist_state="session")
        candidates = comparison.layers if show_all else comparison.differing_layers
        if order in _ORDERS and order != _AS_BUILT:
            candidates = comparison.by_difference(candidates, order)
        layers = [layer for layer in candidates if not modules or layer.module in modules]
        rows = comparison_tables.layer_rows(layers, comparison_tables.LETTERS[: len(names)], comparison.base)
        st.download_button(
            "CSV",
            lambda: tables.to_csv(rows),
            "comparison.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            disabled=not rows,
        )
    if not rows:
        st.info("No layer differs here.", icon=":material/equal:")
        return
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height=440,
        column_config=_layer_columns(rows[0]),
        alt="Layers of the compared networks side by side",
        placeholder=fmt.NO_VALUE,
    )
    differ = len(comparison.differing_layers)
    st.caption(
        f"{differ:,} of {len(comparison.layers):,} layers differ. Output: C × H × W · kernel/stride of one image. "
        f"Δ: difference from {comparison_tables.LETTERS[comparison.base]}; a layer that is missing counts as 0."
    )


def _layer_columns(row: dict[str, object]) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    columns = {name: number(format="localized") for name in row if name.endswith(("parameters", "MACs"))}
    return columns | {"layer": st.column_config.TextColumn(pinned=True)}


def show_diagrams(names: tuple[str, ...]) -> None:
    """Show the same block of every network as a diagram."""
    comparison = comparison_of(names)
    differing = {layer.module for layer in comparison.differing_layers}
    blocks = list(comparison.blocks)
    if st.session_state.get(_MODULE) not in blocks:
        st.session_state[_MODULE] = (*comparison.edited_modules, comparison.modules[0].name)[0]
    st.pills(
        "Block",
        blocks,
        key=_MODULE,
        required=True,
        label_visibility="collapsed",
        format_func=lambda block: f"{block} •" if block in differing else block,
    )
    block = st.session_state[_MODULE]
    columns = [*st.columns(2), *(st.columns(2) if len(names) > 2 else ())]
    for index, (name, column) in enumerate(zip(names, columns, strict=False)):
        with column:
            summary = comparison.summaries[index]
            st.html(f"{comparison_tables.chip(comparison_tables.LETTERS[index], theme())} {escape(title(name))}")
            if block in summary.by_module:
                drawing = cache.drawing(summary.config, block, "none")
                diagram(drawing, key=f"compare_{comparison_tables.LETTERS[index]}", height=430)
            else:
                st.caption(f"There is no {block} in this network.")
    st.caption("• a block that differs between the networks.")


def show_charts(names: tuple[str, ...]) -> None:
    """Show parameters, MACs, activations or receptive field per block, and where they differ from the base."""
    quantity = st.segmented_control(
        "Quantity",
        list(variant_figures.QUANTITIES),
        default="macs",
        required=True,
        format_func=variant_figures.QUANTITIES.__getitem__,
        key="compare_quantity",
        label_visibility="collapsed",
        persist_state="session",
    )
    comparison, titles = comparison_of(names), [title(name) for name in names]
    if quantity in QUANTITIES:
        show_figure(variant_figures.difference_per_block(comparison, titles, quantity, theme()), "compare_differences")
        st.caption(
            "Reading this chart: how much more (up) or less (down) than the base each network has in a block, without "
            "auxiliary heads. Blocks without a difference are left out."
        )
    show_figure(variant_figures.per_block(comparison, titles, quantity, theme()), "compare_chart")
    st.caption(
        "Reading this chart: one group per block, from input to output, and one colour per network, without auxiliary "
        "heads. A gap: the network has no such block."
    )


VIEWS = {
    "Tables": show_tables,
    "Layers": show_layers,
    "Diagrams": show_diagrams,
    "Charts": show_charts,
    "Speed": timings.show_timings,
    "Shelf": shelf.show_shelf,
    "Budget": budget.show_budget,
    "Export": export.show_export,
}
