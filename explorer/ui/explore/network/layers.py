"""The layer table: every row of the network, filtered by module, branch and kind. Selecting a row selects its node."""

from hashlib import sha256

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from explorer.analysis import LayerRow, summarize
from explorer.config import BRANCHES
from explorer.ui import state
from explorer.ui.components.network_diagram import selected_module
from explorer.views import formatting as fmt
from explorer.views import labels
from explorer.views import layer_table as lt
from explorer.views.tables import to_csv

_MAX_ROWS_SHOWN = 10  # without a scroll bar of the table


def show_layers() -> None:
    """Show the layers of the selected block, or all with filters, and a button to save them as CSV."""
    summary = summarize(state.current().config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        only_selected = st.toggle("Only the selected block", value=True, key="layer_follow", persist_state="session")
        modules = st.multiselect(
            "Module", list(summary.by_module), key="layer_modules", placeholder="all", width=240, disabled=only_selected
        )
        branches = st.multiselect(
            "Branch",
            BRANCHES,
            key="layer_branches",
            format_func=labels.BRANCH_NAMES.__getitem__,
            placeholder="all",
            width=180,
        )
        kinds = st.multiselect(
            "Kind",
            list(labels.KINDS),
            key="layer_kinds",
            format_func=labels.KINDS.__getitem__,
            placeholder="all",
            width=240,
        )
        if only_selected:
            modules = [selected_module(summary)]
        rows = lt.matching(summary, tuple(modules), tuple(branches), tuple(kinds))
        st.download_button(
            "CSV",
            lambda: to_csv(lt.layer_rows(rows)),
            "layers.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
    if not rows:
        st.info("No layer matches all of these filters. Remove one of them.")
        return
    _table(rows)
    st.caption(f"{len(rows):,} of {len(summary.rows):,} rows. Shapes are C × H × W of one image.")


def _table(rows: tuple[LayerRow, ...]) -> None:
    """Show the rows with the selected one marked.

    Streamlit reads the default selection only when it first sees a key, so the key depends on the selection.
    """
    paths = [row.path for row in rows]
    selected = [paths.index(state.selected_node())] if state.selected_node() in paths else []
    key = f"layers_{sha256(repr((paths, selected)).encode()).hexdigest()[:16]}"

    def select() -> None:
        rows: list[int] = st.session_state[key].selection.rows
        if rows and rows[0] < len(paths):
            state.select_node(paths[rows[0]])

    st.dataframe(
        pd.DataFrame(lt.layer_rows(rows)),
        hide_index=True,
        height="content" if len(rows) <= _MAX_ROWS_SHOWN else 420,
        column_config=_columns(),
        key=key,
        on_select=select,
        selection_mode="single-row",
        selection_default={"selection": {"rows": selected}},
        alt="Every layer of the network with shapes, parameters, MACs and receptive field",
        placeholder=fmt.NO_VALUE,
    )


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "layer": st.column_config.TextColumn(pinned=True),
        "parameters": number(format="localized", help="weights + biases + norm"),
        "weights": number(format="localized"),
        "biases": number(format="localized"),
        "norm": number(format="localized", help="BatchNorm's γ and β"),
        "MACs": number(format="localized", help="multiply-accumulates for one image; FLOPs = 2 × MACs"),
        "activations": number(format="localized", help="numbers in the output, for one image"),
        "receptive field": number(format="%d px", help="pixels of the image that one position sees, along one side"),
        "stride": number(format="%d px", help="distance between neighbouring positions, in pixels of the image"),
    }
