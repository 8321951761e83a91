"""The views of the page *Look inside*, one at a time, so that a click pays for one only."""

from collections.abc import Sequence

import streamlit as st

from explorer.ui.looking import asking, beside, clock, inside, matters, wants, where
from explorer.ui.looking.pictures import Pick

VIEWS = {
    "Inside": lambda pick, _: inside.show_inside(pick),
    "Which branch matters": matters.show_matters,
    "Where it looked": lambda pick, _: where.show_where(pick),
    "What a channel wants": lambda *_: wants.show_wants(),
    "Time": lambda *_: clock.show_clock(),
    "Side by side": lambda pick, _: beside.show_beside(pick),
}


def show_views(pick: Pick, picks: Sequence[Pick]) -> None:
    """Let the reader choose one view of the network at work on this picture."""
    view = st.segmented_control(
        "View",
        list(VIEWS),
        default="Inside",
        required=True,
        key="look_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    draw = VIEWS.get(view, VIEWS["Inside"])
    asking.alone(lambda: draw(pick, picks))
