"""The networks that the class hands in: a chart of cost against measured accuracy, and a table to load them from."""

from typing import NamedTuple

import pandas as pd
import streamlit as st

from explorer.analysis import summarize
from explorer.classroom.records import ClassError, HandIn, News
from explorer.history import Version
from explorer.share import ShareError, from_token
from explorer.ui import state
from explorer.ui.classroom import session
from explorer.ui.components.chart import show_plotly_chart
from explorer.views import formatting as fmt
from explorer.views.class_networks import Collected, accuracy_chart

_POLL_S = 3


class Row(NamedTuple):
    """A hand-in with its network."""

    collected: Collected
    version: Version


def show(current: News) -> None:
    """Show what was handed in, and a switch that asks for it."""
    is_on = current.classroom.is_collecting
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Stop collecting" if is_on else "Collect networks",
            icon=":material/stop_circle:" if is_on else ":material/inbox:",
            type="secondary" if is_on else "primary",
            key="teach_collect",
            on_click=lambda: session.act(lambda store, room: store.guidance.collect(room, not is_on)),
        )
        st.caption(
            "Each student sees a button for it on every page. Collecting again begins with none." if is_on else ""
        )
    _show_hand_ins(current.classroom.number)


@st.fragment(run_every=_POLL_S)
def _show_hand_ins(classroom: int) -> None:
    try:
        rows = read_rows(session.store().guidance.hand_ins(classroom))
    except ClassError as error:
        st.warning(str(error), icon=":material/cloud_off:")
        return
    if not rows:
        st.caption("Nothing is handed in yet.")
        return
    show_plotly_chart(accuracy_chart([row.collected for row in rows]), "class_networks")
    table = pd.DataFrame([row.collected._asdict() for row in rows])
    st.dataframe(table, hide_index=True, placeholder=fmt.NO_VALUE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            "Network", range(len(rows)), format_func=lambda number: rows[number].collected.name, key="teach_network"
        )
        st.button(
            "Load",
            icon=":material/download:",
            key="teach_load",
            on_click=state.set_current,
            args=(rows[number].version,),
        )


def read_rows(found: tuple[HandIn, ...]) -> list[Row]:
    """Return hand-ins with their networks; one that cannot be read any more is left out."""
    rows = []
    for place, hand_in in enumerate(found, start=1):
        try:
            version = from_token(hand_in.network)
        except ShareError:
            continue
        totals = summarize(version.config)
        name = hand_in.nickname or f"network {place}"
        collected = Collected(name, totals.parameters(aux=False), totals.macs(), hand_in.accuracy, hand_in.dataset)
        rows.append(Row(collected, version))
    return rows
