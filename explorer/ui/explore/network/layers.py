"""The layer table: every row of the network, filtered by module, branch and kind; choosing a row chooses the node."""

from hashlib import sha256

import pandas as pd
import streamlit as st

from explorer.analysis import LayerRow
from explorer.config import BRANCHES
from explorer.ui import cache, state
from explorer.ui.components.network_diagram import chosen_module
from explorer.views import layer_table as lt


def show_layers() -> None:
    """Show the layers of the chosen block, or all with filters, and the CSV. Choosing a row chooses its node."""
    summary = cache.summary(state.current().config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        follow = st.toggle("Only the chosen block", value=True, key="layer_follow", persist_state="session")
        modules = st.multiselect(
            "Module", list(summary.by_module), key="layer_modules", placeholder="all", width=240, disabled=follow
        )
        branches = st.multiselect(
            "Branch", BRANCHES, key="layer_branches", format_func=lt.BRANCH_NAMES.get, placeholder="all", width=180
        )
        kinds = st.multiselect(
            "Kind", list(lt.KINDS), key="layer_kinds", format_func=lt.KINDS.get, placeholder="all", width=240
        )
        if follow:
            modules = [chosen_module(summary)]
        rows = lt.matching(summary, tuple(modules), tuple(branches), tuple(kinds))
        st.download_button(
            "CSV", lambda: lt.to_csv(rows), "layers.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
    if not rows:
        st.info("No layer is of these modules, branches and kinds at once. Take one of the filters out.")
        return
    _table(rows)
    st.caption(f"{len(rows):,} of {len(summary.rows):,} rows. Shapes are C × H × W of one image.")


def _table(rows: tuple[LayerRow, ...]) -> None:
    """Show the rows with the chosen one marked. The key changes with what is marked, as that is given once only."""
    paths = [row.path for row in rows]
    marked = [paths.index(state.chosen())] if state.chosen() in paths else []
    key = f"layers_{sha256(repr((paths, marked)).encode()).hexdigest()[:16]}"

    def choose() -> None:
        picked = st.session_state[key].selection.rows
        if picked and picked[0] < len(paths):
            state.choose(paths[picked[0]])

    st.dataframe(
        pd.DataFrame(lt.layer_rows(rows)),
        hide_index=True,
        height=min(38 + 35 * len(rows), 420),
        column_config=_columns(),
        key=key,
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": marked}},
        alt="Every layer of the network with shapes, parameters, MACs and receptive field",
    )


def _columns() -> dict[str, object]:
    number = st.column_config.NumberColumn
    return {
        "layer": st.column_config.TextColumn(pinned=True, width=250),
        "parameters": number(format="localized", help="weights + biases + norm"),
        "weights": number(format="localized"),
        "biases": number(format="localized"),
        "norm": number(format="localized", help="BatchNorm's γ and β"),
        "MACs": number(format="localized", help="multiply-accumulates for one image; FLOPs = 2 × MACs"),
        "activations": number(format="localized", help="numbers in the output, for one image"),
        "receptive field": number(format="%d px", help="what one position sees of the image, along one side"),
        "stride": number(format="%d px", help="distance between neighbouring positions, in pixels of the image"),
    }
