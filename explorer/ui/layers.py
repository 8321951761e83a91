"""The layer table: every row of the network, filtered by module, branch and kind; choosing a row chooses the node."""

import pandas as pd
import streamlit as st

from explorer.config import BRANCHES
from explorer.ui import cache, state
from explorer.views import layer_table as lt

_KEY = "layers"


def show_layers() -> None:
    """Show the layers of the present network with their filters and the CSV."""
    summary = cache.summary(state.present().config)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        modules = st.multiselect("Module", list(summary.by_module), key="layer_modules", placeholder="all", width=260)
        branches = st.multiselect(
            "Branch", BRANCHES, key="layer_branches", format_func=lt.BRANCH_NAMES.get, placeholder="all", width=200
        )
        kinds = st.multiselect(
            "Kind", list(lt.KINDS), key="layer_kinds", format_func=lt.KINDS.get, placeholder="all", width=260
        )
        rows = lt.matching(summary, tuple(modules), tuple(branches), tuple(kinds))
        st.download_button(
            "CSV", lambda: lt.to_csv(rows), "layers.csv", "text/csv", icon=":material/download:", on_click="ignore"
        )
    if not rows:
        st.info("No layer is of these modules, branches and kinds at once. Take one of the filters out.")
        return
    st.dataframe(
        pd.DataFrame(lt.layer_rows(rows)),
        hide_index=True,
        height=420,
        column_config=_columns(),
        key=f"{_KEY}_{'-'.join((*modules, *branches, *kinds))}",
        on_select="ignore",
        alt="Every layer of the network with shapes, parameters, MACs and receptive field",
    )
    st.caption(f"{len(rows):,} of {len(summary.rows):,} rows. Shapes are C × H × W of one image.")


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
