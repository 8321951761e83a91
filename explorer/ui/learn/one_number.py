"""One number of the article's case: the 1×1 in front of the 5×5 of 4b, and the 5×5 itself, on a photograph."""

import streamlit as st

from explorer.data.preprocessing import Preprocessing
from explorer.data.weights import Network
from explorer.jobs.units import UnitRequest
from explorer.presets import PRESETS
from explorer.ui import state
from explorer.ui.components.one_number_link import ICON
from explorer.ui.lab.look_inside import images, requests, session
from explorer.ui.lab.look_inside.unit_view import show_unit
from explorer.ui.state import SessionValue
from explorer.unit_graph import graph_of
from explorer.units import Unit
from explorer.views.unit_names import Names

_LAYERS = {
    "inception_4b.branch_5x5.reduce": "The 1×1: 512 products",
    "inception_4b.branch_5x5.conv": "The 5×5 after it: 24 · 5 · 5 = 600 products",
}
_NETWORK = Network(config=PRESETS["paper"])
_PREPROCESSING = Preprocessing(margin=256 / 224)
_IS_SHOWN = SessionValue("reduction_number_shown", False)
_LAYER = "reduction_number_layer"
_UNIT = SessionValue[Unit | None]("reduction_number_unit", None)
_SOURCE = SessionValue[int | None]("reduction_number_source", None)


def one_number() -> None:
    """Offer to run the paper's network on a photograph, and show how one number of the article's case is computed."""
    if not _IS_SHOWN.get():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Show one number", icon=ICON, key="reduction_number_show", on_click=_IS_SHOWN.set, args=(True,))
            st.caption("Runs the paper's network, with random weights, once on a photograph.", width="content")
        return
    layer = st.segmented_control(
        "Layer",
        list(_LAYERS),
        default=next(iter(_LAYERS)),
        required=True,
        key=_LAYER,
        format_func=lambda path: _LAYERS[path],
        label_visibility="collapsed",
        on_change=_forget,
    )
    request = _request(layer if layer in _LAYERS else next(iter(_LAYERS)))
    found = requests.await_result(request, "reduction_number", "Running the paper's network once")
    if found:
        show_unit(found, Names(graph_of(_NETWORK.config), ()), "reduction_unit", _UNIT.set, _SOURCE.set)


def _request(path: str) -> UnitRequest:
    unit = _UNIT.get()
    return UnitRequest(
        network=_NETWORK,
        images=(str(session.content_store().add(images.samples("photographs")[0].png, ".png")),),
        preprocessing=_PREPROCESSING,
        device=state.device(),
        path=path,
        channel=unit.channel if unit else None,
        position=(unit.row, unit.column) if unit else None,
        source=_SOURCE.get(),
    )


def _forget() -> None:
    """Show the largest value of the other layer."""
    _UNIT.clear()
    _SOURCE.clear()
