"""The views of the page *Look inside*, one at a time, so that a click pays for one only."""

from collections.abc import Sequence

import streamlit as st

from explorer.ui.lab.look_inside import (
    ablation,
    attribution,
    feature_maps,
    layer_timing,
    maximization,
    requests,
    side_by_side,
)
from explorer.ui.lab.look_inside.images import Pick

VIEWS = {
    "Inside": lambda pick, _: feature_maps.show_inside(pick),
    "Which branch matters": ablation.show_matters,
    "Where it looked": lambda pick, _: attribution.show_where(pick),
    "What a channel wants": lambda *_: maximization.show_wants(),
    "Time": lambda *_: layer_timing.show_clock(),
    "Side by side": lambda pick, _: side_by_side.show_beside(pick),
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
    requests.alone(lambda: draw(pick, picks))
