"""The editable table. Edits are judged as a whole on each run; refused cells stay visible with their reason."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from explorer.config import HEADINGS, Problem
from explorer.presets import CATALOGUE
from explorer.table import MODULE, apply_edits, to_rows
from explorer.ui import cache, messages, state
from explorer.views import formatting as fmt
from explorer.views import network_table as nt

KEY = "table"
_RENDERED, _PROBLEMS = "table_rendered_edition", "table_problems"


def apply_pending_edits() -> None:
    """Take the edits that the grid holds into the network, and remember what was refused. Idempotent.

    Runs before anything is drawn, so that every number is already new. What no grid of ours can send — rows or
    columns that do not exist — is forgotten at once, for Streamlit's editor would stumble over it.
    """
    st.session_state[_PROBLEMS] = ()
    held = _held()
    if held is None:
        return
    config = state.current().config
    settled = apply_edits(config.replace(modules=state.edition().modules), held, config)
    state.commit(settled.config, from_table=True)
    st.session_state[_PROBLEMS] = settled.problems
    if settled.forged:
        state.discard_pending()


def _held() -> Any:
    """Return what the browser sent, if it belongs to the table as it is now."""
    if st.session_state.get(_RENDERED) != state.edition().number:
        return None
    held = st.session_state.get(KEY)
    return dict(held) if isinstance(held, Mapping) else held


def table_editor() -> None:
    """Show the table with its companions, and under it the problems of refused cells."""
    version, problems = state.current(), st.session_state.get(_PROBLEMS, ())
    base = cache.summary(version.base_config)
    rows = nt.table_rows(cache.summary(version.config), base, problems)
    # The grid itself shows its edits, over the cells as it was given them.
    for row, cells in zip(rows, to_rows(version.config.replace(modules=state.edition().modules)), strict=True):
        row.update(cells)
    st.session_state[_RENDERED] = state.edition().number
    _grid(rows, version.base)
    _explain(problems)


def _grid(rows: list[dict[str, Any]], base: str) -> None:
    # The hidden index numbers the edition of the table: it is part of the grid's identity, so a new edition
    # starts without pending edits while the key stays the same.
    start = state.edition().number * 1_000
    frame = pd.DataFrame(rows, index=pd.RangeIndex(start, start + len(rows)))
    for heading in HEADINGS.values():
        frame[heading] = frame[heading].astype("Float64")  # a whole-number column would cut 3.7 to 3 unseen
    for column in (nt.PARAMETERS, nt.MACS):
        frame[column] = frame[column].map(fmt.exact)  # the grid would format each of them anew whenever it draws
    st.data_editor(
        frame,
        key=KEY,
        num_rows="fixed",
        hide_index=True,
        disabled=list(nt.READ_ONLY),
        column_config=_columns(base),
        height="content",
        placeholder="",
        alt="Table 1 of the paper, editable: filters of each branch per module",
    )


def _columns(base: str) -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    whole = "Whole numbers only, written in digits."
    blank = f"{whole} Blank: no 1×1 here, the branch sees all input channels."
    none = f"{whole} 0: no such branch."
    return {
        MODULE: text("module", width=58, pinned=True),
        nt.MARK: text(
            "", width=32, help=f"{nt.EDITED} edited, {nt.RIPPLE} changed by an edit elsewhere, {nt.REFUSED} refused"
        ),
        "#1×1": number(width=80, help=none),
        "#3×3 reduce": number(width=122, help=blank),
        "#3×3": number(width=80, help=none),
        "#5×5 reduce": number(width=122, help=blank),
        "#5×5": number(width=80, help=none),
        "pool proj": number(width=98, help=f"{whole} Blank: the pool passes all channels. 0: no such branch."),
        nt.FLOW: text(width=96, help="Channels into the module and out of its concatenation."),
        nt.SIZE: text(width=62, help="Height × width of the module's output, in pixels."),
        nt.PARAMETERS: text(
            width=88, alignment="right", help="Trainable numbers: weights, biases, BatchNorm's γ and β."
        ),
        nt.MACS: text(width=98, alignment="right", help="Multiply-accumulates for one image; FLOPs are twice as many."),
        nt.NOTE: text(f"against {CATALOGUE[base].title}", width=270, help="What was edited here, or why it changed."),
    }


def _explain(problems: tuple[Problem, ...]) -> None:
    if not problems:
        return
    with st.container(key="refused", gap="xsmall"):
        messages.show_problems(problems[:5])
        more = f" ({len(problems) - 5} more below these.)" if len(problems) > 5 else ""
        st.caption(f"The numbers shown are those of the last good network.{more}")
        st.button("Put the cells back", on_click=state.discard_pending, icon=":material/undo:")
