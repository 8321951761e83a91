"""The compare page: which networks, their totals side by side, and one view of their differences at a time.

The networks go by the letters A to D; A is the base that the others are held against.
"""

from html import escape

import pandas as pd
import streamlit as st

from explorer.comparison import MAX_COMPARED
from explorer.config import Problem
from explorer.settings import ASSETS
from explorer.shelf import available
from explorer.ui import messages, shelf, state
from explorer.ui.components.diagram import diagram
from explorer.ui.components.variants import compared, theme, title
from explorer.ui.explore.compare import budget, export, timings
from explorer.views import comparison_tables, diagrams, tables, variant_figures

_STYLE = ASSETS / "compare.css"
_CHOICE, _BASE, _MODULE = "compare_choice", "compare_base", "compare_module"


def choose() -> tuple[str, ...]:
    """Let the reader choose two to four networks and the base; return their names, the base first."""
    st.html(_STYLE)
    names = state.compared()
    held = state.refused(_CHOICE)
    st.session_state[_CHOICE] = list(held[0] if held else names)
    st.session_state[_BASE] = names[0]
    titles = {name: title(name) for name in available(state.shelf())}
    with st.container(horizontal=True, vertical_alignment="bottom", key="compare_choose"):
        st.multiselect(
            f"Compare (2 to {MAX_COMPARED})",
            list(titles),
            key=_CHOICE,
            format_func=titles.get,
            max_selections=MAX_COMPARED,
            on_change=_chosen,
        )
        st.selectbox("Against", names, key=_BASE, format_func=titles.get, on_change=_based, width=230)
    messages.show_problems(held[1] if held else ())
    if not state.shelf().variants and state.current().config == state.current().base_config:
        _show_how()
    return names


def _show_how() -> None:
    """Say how networks of one's own come here, while there are none."""
    with st.container(horizontal=True, vertical_alignment="center", key="compare_how"):
        st.caption(
            "These are networks that come with the app. To compare your own: edit a cell on the Network page; it is "
            "then held against its preset here. **Keep** puts it on the shelf, and you can edit on.",
            width="stretch",
        )
        st.page_link("pages/explore/network.py", label="Edit the table", icon=":material/table_chart:")


def _chosen() -> None:
    names = tuple(st.session_state[_CHOICE])
    if 2 <= len(names) <= MAX_COMPARED:
        state.accept()
        state.compare(names)
    else:
        told = f"Choose 2 to {MAX_COMPARED} networks to compare; those shown are the last choice."
        state.refuse(_CHOICE, names, (Problem("compare", _CHOICE, told),))


def _based() -> None:
    base = st.session_state[_BASE]
    state.accept()
    state.compare((base, *(name for name in state.compared() if name != base)))


def show_totals(names: tuple[str, ...]) -> None:
    """Show what each network costs, and how that differs from the base."""
    comparison = compared(names)
    st.html(comparison_tables.facts_html(comparison, [title(name) for name in names], theme()))
    if comparison.alike:
        st.info("These networks are the same. Edit one, or choose another.", icon=":material/equal:")


def show_details(names: tuple[str, ...]) -> None:
    """Let the reader choose one view of the comparison."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Tables",
        required=True,
        key="compare_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    VIEWS.get(view, show_tables)(names)


def show_tables(names: tuple[str, ...]) -> None:
    """Show the six columns of all networks with differing cells marked, and the settings that differ."""
    comparison = compared(names)
    st.html(comparison_tables.cells_html(comparison, theme()))
    st.caption(
        "How to read this: a line for the base A and those that are like it; one more for each network that differs, "
        "its differing cells marked, and in bold what follows from a difference here or upstream. A dash: no such "
        "module."
    )
    settings = comparison_tables.setting_rows(comparison, [title(name) for name in names])
    if settings:
        st.markdown("**Settings that differ from A**")
        st.dataframe(pd.DataFrame(settings), hide_index=True, width="content")


def show_layers(names: tuple[str, ...]) -> None:
    """Show the layers aligned by path, only those that differ unless all are asked for."""
    comparison = compared(names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        modules = st.multiselect("Module", comparison.blocks, key="compare_layer_modules", placeholder="all", width=300)
        everything = st.toggle("also what is alike", key="compare_layer_all", persist_state="session")
        layers = comparison.layers if everything else comparison.differing
        layers = [layer for layer in layers if not modules or layer.module in modules]
        rows = comparison_tables.layer_rows(layers, [title(name) for name in names], comparison.base)
        st.download_button(
            "CSV",
            lambda: _csv(rows),
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
    )
    differ = len(comparison.differing)
    st.caption(
        f"{differ:,} of {len(comparison.layers):,} layers differ. Output: C × H × W · kernel/stride of one image."
    )


def _csv(rows: list[dict[str, object]]) -> str:

    return tables.to_csv(rows)


def _layer_columns(row: dict[str, object]) -> dict[str, object]:
    number = st.column_config.NumberColumn
    columns: dict[str, object] = {
        name: number(format="localized") for name in row if name.endswith(("parameters", "MACs"))
    }
    return columns | {"layer": st.column_config.TextColumn(pinned=True, width=235)}


def show_modules(names: tuple[str, ...]) -> None:
    """Show the same block of every network as a diagram."""
    comparison = compared(names)
    differing = {layer.module for layer in comparison.differing}
    blocks = list(comparison.blocks)
    if st.session_state.get(_MODULE) not in blocks:
        st.session_state[_MODULE] = (*comparison.edited, comparison.modules[0].name)[0]
    st.pills(
        "Block",
        blocks,
        key=_MODULE,
        required=True,
        label_visibility="collapsed",
        format_func=lambda block: f"{block} •" if block in differing else block,
    )
    block = st.session_state[_MODULE]
    columns = st.columns(2) + (st.columns(2) if len(names) > 2 else [])
    for at, (name, column) in enumerate(zip(names, columns, strict=False)):
        with column:
            summary = comparison.summaries[at]
            st.html(f"{comparison_tables.chip(comparison_tables.LETTERS[at], theme())} {escape(title(name))}")
            if block in summary.by_module:
                diagram(diagrams.block(summary, block), key=f"compare_{comparison_tables.LETTERS[at]}", height=430)
            else:
                st.caption(f"There is no {block} in this network.")
    st.caption("• a block that is not alike in all networks.")


def show_charts(names: tuple[str, ...]) -> None:
    """Show parameters, MACs, activations or receptive field per block, one colour per network."""
    quantity = st.segmented_control(
        "Quantity",
        list(variant_figures.QUANTITIES),
        default="macs",
        required=True,
        format_func=variant_figures.QUANTITIES.get,
        key="compare_quantity",
        label_visibility="collapsed",
        persist_state="session",
    )
    titles = [title(name) for name in names]
    st.plotly_chart(variant_figures.per_block(compared(names), titles, quantity, theme()), key="compare_chart")
    st.caption(
        "How to read this: one group per block in the order the image passes them, one colour per network, without "
        "auxiliary heads. A gap: the network has no such block."
    )


VIEWS = {
    "Tables": show_tables,
    "Layers": show_layers,
    "Diagrams": show_modules,
    "Charts": show_charts,
    "Speed": timings.show_timings,
    "Shelf": shelf.show_shelf,
    "Budget": budget.show_budget,
    "Take away": export.show_export,
}
