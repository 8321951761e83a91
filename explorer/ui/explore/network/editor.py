"""The editable table, with what it does not hold below it. Each run checks all edits; rejected cells stay visible."""

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from explorer.analysis import summarize
from explorer.config import HEADINGS
from explorer.errors import Problem
from explorer.presets import CATALOGUE
from explorer.table import MODULE, apply_edits, to_rows
from explorer.ui import messages, state
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import editor_frame
from explorer.views import formatting as fmt
from explorer.views import network_table as nt
from explorer.views.terms import TERMS

KEY = "table"
_MAX_PROBLEMS = 5
_PHONE_HINT = "On a phone, “Edit a row as a form” below has a field for each number."
_SHOWN_SNAPSHOT = SessionValue[int | None]("table_shown_snapshot", None)


def apply_pending_edits() -> None:
    """Apply the edits that the grid holds to the network, and record what was rejected. Idempotent.

    Call this before anything is drawn, so that every number of the run is up to date. Rows or columns that do not
    exist, which only a forged message has, are discarded at once, because Streamlit's editor would fail on them.
    """
    state.clear_rejected_input(KEY)
    edits = _pending_edits()
    if edits is None:
        return
    config = state.current().config
    result = apply_edits(config.replace(modules=state.table_snapshot().modules), edits, config)
    state.commit(result.config, from_table=True)
    if result.is_forged:
        state.discard_pending_edits()
    if result.problems:
        state.reject_input(KEY, None, result.problems, of_network=True)


def _pending_edits() -> Any:
    """Return what the browser sent, if it belongs to the present snapshot of the table."""
    if _SHOWN_SNAPSHOT.get() != state.table_snapshot().number:
        return None
    edits = st.session_state.get(KEY)
    return dict(edits) if isinstance(edits, Mapping) else edits


def problems() -> tuple[Problem, ...]:
    """Return why cells of the table were rejected in this run."""
    rejected = state.rejected_input(KEY)
    return rejected.problems if rejected else ()


def table_editor() -> None:
    """Show the table with its read-only columns, and below it the problems of rejected cells."""
    version, rejected = state.current(), problems()
    snapshot = state.table_snapshot()
    rows = nt.table_rows(summarize(version.config), summarize(version.base_config), rejected)
    # The grid itself shows its edits, over the cells that it received.
    for row, cells in zip(rows, to_rows(version.config.replace(modules=snapshot.modules)), strict=True):
        row.update(cells)
    _SHOWN_SNAPSHOT.set(snapshot.number)
    _grid(rows, version.base, snapshot.number)
    _show_problems(rejected)


def _grid(rows: list[dict[str, Any]], base: str, snapshot: int) -> None:
    frame = editor_frame(rows, snapshot, HEADINGS.values())
    for column in (nt.PARAMETERS, nt.MACS):
        frame[column] = frame[column].map(fmt.exact)  # as numbers the grid would format them each time it draws
    st.data_editor(
        frame,
        key=KEY,
        num_rows="fixed",
        hide_index=True,
        disabled=list(nt.READ_ONLY),
        column_config=_columns(base),
        height="content",
        placeholder="",
        alt="Table 1 of the paper, editable: kernels of each branch per module. "
        "“Edit a row as a form” below has the same numbers in plain fields.",
    )


def _columns(base: str) -> dict[str, ColumnConfig]:
    text = st.column_config.TextColumn
    wide, narrow = (122, 80) if state.presents() else (106, 62)  # so that #3×3 is whole on a phone of 390 pixels
    mark_help = f"{nt.EDITED} edited, {nt.RIPPLE} changed by an edit elsewhere, {nt.REJECTED} rejected"
    return {
        MODULE: text("module", width=80 if state.presents() else 58, pinned=True, help=TERMS["module"]),
        nt.MARK: text("●", width=32, help=mark_help),
        "#1×1": text(width=narrow, alignment="right", help=TERMS["#1×1"]),
        "#3×3 reduce": text(width=wide, alignment="right", help=TERMS["#3×3 reduce"]),
        "#3×3": text(width=narrow, alignment="right", help=TERMS["#3×3"]),
        "#5×5 reduce": text(width=wide, alignment="right", help=TERMS["#5×5 reduce"]),
        "#5×5": text(width=narrow, alignment="right", help=TERMS["#5×5"]),
        "pool proj": text(width=98, alignment="right", help=TERMS["pool proj"]),
        nt.FLOW: text(width=96, help=TERMS[nt.FLOW]),
        nt.SIZE: text(width=62, help=TERMS[nt.SIZE]),
        nt.PARAMETERS: text(
            width=88, alignment="right", help="Trainable numbers: weights, biases, BatchNorm's γ and β."
        ),
        nt.MACS: text(width=98, alignment="right", help="Multiply-accumulates for one image; FLOPs are twice as many."),
        nt.NOTE: text(
            f"against {CATALOGUE[base].title}",
            width=270 if state.presents() else 350,
            help="What was edited here, or why it changed.",
        ),
    }


def _show_problems(found: tuple[Problem, ...]) -> None:
    if not found:
        return
    with st.container(key="table_problems", gap="xsmall"):
        messages.show_problems(found[:_MAX_PROBLEMS])
        hidden = len(found) - _MAX_PROBLEMS
        if hidden > 0:
            st.caption(f"All numbers are those of the last valid network. ({hidden} more problems are not shown.)")
        else:
            st.caption("All numbers are those of the last valid network.")
        st.button("Discard these edits", on_click=state.discard_pending_edits, icon=":material/undo:")


def show_other_parts() -> None:
    """Show the parts that are no rows of the table (stem, heads, classifier), and mark those that an edit changed.

    All are one element, because each element of a page costs the browser time at every edit.
    """
    version = state.current()
    parts = nt.other_parts(summarize(version.config), summarize(version.base_config))
    with st.container(key="other_parts"):
        hint = f"<p class='phone-hint'>{_PHONE_HINT}</p>"
        st.html(f"{_terms()}{hint}<div class='other-parts'>{''.join(map(_part, parts))}</div>")


def _terms() -> str:
    """Return the headings of the table with their meanings, for screen readers: a canvas has no tooltips for them."""
    headings = (MODULE, *HEADINGS.values(), nt.FLOW, nt.SIZE)
    terms = "".join(f"<dt>{escape(name)}</dt><dd>{escape(TERMS[name])}</dd>" for name in headings)
    return f"<dl class='visually-hidden' aria-label='Headings of the table'>{terms}</dl>"


def _part(part: dict[str, Any]) -> str:
    counts = f"{fmt.exact(part[nt.PARAMETERS])} parameters · {fmt.short(part[nt.MACS])} MACs"
    lines = (f"<b>{escape(str(part['part']))}</b> {part[nt.MARK]}", counts, escape(str(part[nt.NOTE])))
    return f"<p>{'<br>'.join(filter(None, lines))}</p>"
