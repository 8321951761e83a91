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
from explorer.ui.lab.look_inside.images import ChosenImage

VIEWS = {
    "Inside": lambda pick, _: feature_maps.show_feature_maps(pick),
    "Which branch matters": ablation.show_ablation,
    "Where it looked": lambda pick, _: attribution.show_attribution(pick),
    "What a channel wants": lambda *_: maximization.show_maximization(),
    "Time": lambda *_: layer_timing.show_layer_timing(),
    "Side by side": lambda pick, _: side_by_side.show_side_by_side(pick),
}


def show_views(pick: ChosenImage, picks: Sequence[ChosenImage]) -> None:
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
