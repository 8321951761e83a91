"""What a channel wants to see: a picture climbed to where the channel answers most."""

import streamlit as st

from explorer.jobs.inspection import MaximizationRequest
from explorer.ui import cache
from explorer.ui.components import number
from explorer.ui.components.chart import picture
from explorer.ui.lab.look_inside import feature_maps, requests, selection
from explorer.views import look_inside
from explorer.views.layer_table import BRANCH_NAMES

_BRANCH, _CHANNEL, _SEED = "look_wants_branch", "look_wants_channel", "look_wants_seed"
MAX_SEED = 999


def show_maximization() -> None:
    """Let the reader choose a channel, and show the picture that it answers to most."""
    in_use = selection.in_use()
    path, channel, seed = _controls()
    request = MaximizationRequest(
        network=in_use.network,
        path=path,
        channel=channel,
        preprocessing=selection.preparation(),
        seed=seed,
        device=selection.device(),
    )
    found = requests.await_result(request, "look_wants", "The picture is climbed")
    if found is None:
        return
    picture(look_inside.climb(found, feature_maps.channel_name(path, channel)), "look_wants")
    st.caption(
        "How to read this: from nearly grey, the picture was changed step by step so that this channel's mean "
        "response, before the ReLU, grows. High frequencies are damped and the picture is shifted a little at each "
        "step, or noise would win. It shows one thing among many that the channel answers to. (Erhan et al. "
        "2009; Olah et al. 2017, doi:10.23915/distill.00007)"
    )


def _controls() -> tuple[str, int, int]:
    """Return the path of the branch or layer, the channel in it, and the seed."""
    offered = _places()
    if st.session_state.get(_BRANCH) not in offered:
        st.session_state[_BRANCH], st.session_state[f"{_CHANNEL}_good"] = _first(offered)
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_wants_bar"):
        st.selectbox(
            "Branch or layer",
            list(offered),
            key=_BRANCH,
            format_func=lambda path: offered[path][0],
            width=190,
            persist_state="session",
        )
        path = st.session_state[_BRANCH]
        most = offered[path][1] - 1
        channel = _whole("Channel", _CHANNEL, most, f"{offered[path][0]} has the channels 0 to {most:,}.")
        seed = _whole("Seed", _SEED, MAX_SEED, f"Seed: write a whole number from 0 to {MAX_SEED}.")
    return path, channel, seed


def _first(offered: dict[str, tuple[str, int]]) -> tuple[str, int]:
    """Return the map that was last enlarged, else the first channel of the block whose maps are shown."""
    if (last := feature_maps.chosen_map()) and last[0] in offered:
        return last
    block = feature_maps.block(selection.in_use().config)
    inside_it = [path for path in offered if path.startswith((f"inception_{block}.", f"{block}."))]
    return inside_it[0], 0


def _whole(label: str, key: str, most: int, reason: str) -> int:
    """Ask for a whole number from 0 to ``most``; return the last good one."""
    good = f"{key}_good"
    st.session_state[good] = min(st.session_state.get(good, 0), most)
    number.number(
        label,
        key,
        st.session_state[good],
        lambda value: st.session_state.__setitem__(good, int(value)),
        lambda value: value == int(value) and 0 <= value <= most,
        reason,
        step=1,
        width=150,
    )
    return st.session_state[good]


def _places() -> dict[str, tuple[str, int]]:
    """Return what has channels: the stem's convolutions and each module's branches, with name and number."""
    summary = cache.summary(selection.in_use().config)
    found = {}
    for row in summary.rows:
        if row.module == "stem" and row.kind == "conv":
            found[row.path] = (f"stem, {row.path.rpartition('.')[2]}", row.out_shape[0])
        elif row.branch:
            path = f"inception_{row.module}.branch_{row.branch}"
            found[path] = (f"{row.module}, {BRANCH_NAMES[row.branch]}", row.out_shape[0])
    return found
