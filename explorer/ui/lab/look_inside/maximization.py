"""Activation maximization: the image that maximizes the response of one channel, found by gradient ascent."""

from functools import partial

import streamlit as st

from explorer.analysis import summarize
from explorer.jobs.inspection import MaximizationRequest
from explorer.ui import state
from explorer.ui.components.chart import show_svg
from explorer.ui.components.number import number_setting
from explorer.ui.lab.look_inside import requests, session
from explorer.views import look_inside
from explorer.views.labels import BRANCH_NAMES

_LAYER, _CHANNEL, _SEED = "look_inside_max_layer", "look_inside_max_channel", "look_inside_max_seed"
MAX_SEED = 999


def show_maximization() -> None:
    """Let the user choose a channel, and show an image that maximizes its response."""
    path, channel, seed = _choose_channel()
    request = MaximizationRequest(
        network=session.inspected_network().network,
        path=path,
        channel=channel,
        preprocessing=session.preprocessing(),
        seed=seed,
        device=state.device(),
    )
    found = requests.await_result(request, "look_inside_maximization", "Maximizing the activation")
    if found is None:
        return
    name, network = look_inside.channel_name(path, channel), session.inspected_network().short_title
    show_svg(partial(look_inside.maximization_chart, found, name, network), "look_inside_maximization")
    st.caption(
        "Reading this chart: gradient ascent changed a nearly grey image step by step to increase the mean response of "
        "this channel before the ReLU. Each step damps high frequencies and shifts the image a little, because "
        "otherwise noise would win. The result is one of many images to which the channel responds (Erhan et al. 2009; "
        "Olah et al. 2017, doi:10.23915/distill.00007)."
    )


def _choose_channel() -> tuple[str, int, int]:
    """Return the path of the branch or layer, the channel in it, and the seed."""
    layers = _layers()
    if st.session_state.get(_LAYER) not in layers:
        st.session_state[_LAYER], st.session_state[f"{_CHANNEL}_value"] = _default_channel(layers)
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_inside_max_bar"):
        st.selectbox(
            "Branch or layer",
            list(layers),
            key=_LAYER,
            format_func=lambda path: layers[path][0],
            width=190,
            persist_state="session",
        )
        path = st.session_state[_LAYER]
        name, channels = layers[path]
        channel = number_setting(f"Channel of {name}", _CHANNEL, 0, 0, channels - 1, width=150)
        seed = number_setting("Seed", _SEED, 0, 0, MAX_SEED, width=150)
    return path, channel, seed


def _default_channel(layers: dict[str, tuple[str, int]]) -> tuple[str, int]:
    """Return the feature map that was selected last, or else the first channel of the chosen block."""
    if (selected := session.selected_map()) and selected[0] in layers:
        return selected
    block = session.block_name()
    return next(path for path in layers if path.startswith((f"inception_{block}.", f"{block}."))), 0


def _layers() -> dict[str, tuple[str, int]]:
    """Return name and number of channels of the stem's convolutions and the modules' branches, by path."""
    summary = summarize(session.inspected_network().config)
    found = {}
    for row in summary.rows:
        if row.module == "stem" and row.kind == "conv":
            found[row.path] = (f"stem, {row.path.rpartition('.')[2]}", row.out_shape[0])
        elif row.branch:
            path = f"inception_{row.module}.branch_{row.branch}"
            found[path] = (f"{row.module}, {BRANCH_NAMES[row.branch]}", row.out_shape[0])
    return found
