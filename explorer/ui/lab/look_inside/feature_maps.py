"""Inside the network: walk it by its diagram, see what each channel of a block shows, and one map over the picture."""

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.jobs.inspection import FiltersRequest, MapRequest, Maps, MapsRequest, Strip
from explorer.ui import cache, state
from explorer.ui.components import network_diagram
from explorer.ui.components.chart import picture as show_svg
from explorer.ui.components.diagram import diagram, is_narrow
from explorer.ui.components.selectable_picture import selectable_picture
from explorer.ui.lab.look_inside import requests, selection
from explorer.ui.lab.look_inside.images import ChosenImage, network_input
from explorer.views import diagrams, look_inside
from explorer.views import formatting as fmt
from explorer.views.layer_table import BRANCH_NAMES

_MAP, _EVERY = "look_map", "look_every"


def show_feature_maps(pick: ChosenImage) -> None:
    """Show the diagram, the maps of the chosen block, and the chosen map in full."""
    _diagram()
    _block(pick)


def _diagram() -> None:
    in_use = selection.in_use()
    summary = cache.summary(in_use.config)
    drawing = cache.overview(in_use.config, "none", None, frozenset(), "wrapped" if is_narrow() else "across")
    chosen = state.chosen() if state.chosen() in drawing.hover else network_diagram.chosen_block(summary)
    st.markdown("**The network** :small[choose the stem or a module to see what its channels show]")
    diagram(drawing, key="look_overview", chosen=chosen, on_choose=state.choose, height=250, tallest=760, adapts=True)


def block(config: GoogLeNetConfig) -> str:
    """Return the block of a network whose maps are shown: the chosen one, else the first module."""
    chosen = diagrams.block_of(state.chosen())
    return chosen if chosen == "stem" or chosen in {one.name for one in config.modules} else config.modules[0].name


def _block(pick: ChosenImage) -> None:

    name = block(selection.in_use().config)
    found = requests.await_result(
        MapsRequest(**requests.about(pick.path), block=name), "look_maps", "The maps are made"
    )
    if found is None:
        return
    path, channel = _chosen(found)
    with st.container(horizontal=True, vertical_alignment="center", key="look_maps_bar"):
        st.markdown(
            f"**What the channels of {'the stem' if name == 'stem' else name} show** :small[choose one to enlarge it]"
        )
        st.space("stretch")
        every = st.toggle("All maps", key=_EVERY, persist_state="session")
    selectable_picture(
        look_inside.strips(found.strips, every=every, narrow=is_narrow()),
        key="look_strips",
        chosen=[f"{path}:{channel}"],
        on_choose=_choose,
    )
    st.caption(
        "How to read this: one small picture per channel, branch by branch in the order of concatenation, the "
        "strongest response first. Dark blue is 0 (or the least), yellow the most of that map: each is scaled by "
        "itself. *Zeros* are what the ReLU cut off; a *dead* channel is 0 everywhere in this picture."
    )
    _in_full(pick, path, channel, found)
    if name == "stem":
        kernels = requests.await_result(
            FiltersRequest(network=selection.in_use().network, device=selection.device()), "look_filters", "The filters"
        )
        if kernels:
            st.markdown("**The first layer's filters**")
            show_svg(look_inside.filters(kernels), "look_filters")
            st.caption(
                "How to read this: the weights of each kernel of the first convolution. Mid-grey is 0, light is "
                "positive, dark negative; with 3 input channels their colours. Each is scaled by itself."
            )


def _chosen(found: Maps) -> tuple[str, int]:
    """Return the chosen map, or the one that responds most."""
    path, channel = st.session_state.get(_MAP, ("", 0))
    if any(strip.path == path and channel in strip.channels for strip in found.strips):
        return path, channel
    strongest = max(found.strips, key=lambda strip: strip.responses[0])
    return strongest.path, strongest.channels[0]


def chosen_map() -> tuple[str, int] | None:
    """Return the path and channel of the map that was last chosen; None before."""
    return st.session_state.get(_MAP)


def _choose(identity: str) -> None:
    path, _, channel = identity.rpartition(":")
    st.session_state[_MAP] = (path, int(channel))


def _in_full(pick: ChosenImage, path: str, channel: int, found: Maps) -> None:

    request = MapRequest(**requests.about(pick.path), path=path, channel=channel)
    one = requests.await_result(request, "look_map", "The map is enlarged")
    seen = network_input(pick)
    if one is None or seen is None:
        return
    strip: Strip = next(strip for strip in found.strips if strip.path == path)
    name = channel_name(path, channel, strip.first)
    alt = f"{name} over the picture: mean {one.response:.3g}, from {one.heat.low:.3g} to {one.heat.high:.3g}"
    with st.container(key="look_map_in_full"):
        show_svg(look_inside.heat_panels(seen, one.heat, name, "activation", alt), "look_map")
        st.caption(
            f"How to read this: {fmt.size(one.heat.size)} activations of this channel, mean "
            f"{fmt.number(one.response)}, each stretched over the part of the picture it stands for. Its receptive "
            "field reaches further."
        )
        st.page_link("pages/learn/receptive_field.py", label="How far a position sees", icon=":material/school:")


def channel_name(path: str, channel: int, first: int = 0) -> str:
    """Return what a channel is called: its place and its number in the block."""
    block, _, inner = path.removeprefix("inception_").partition(".")
    branch = inner.removeprefix("branch_")
    return f"{block}, {BRANCH_NAMES.get(branch, branch)}, channel {first + channel:,}"
