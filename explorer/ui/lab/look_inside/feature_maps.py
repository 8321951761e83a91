"""Feature maps: choose a block in the diagram, see all its channels, and one feature map over the image."""

from functools import partial

import streamlit as st

from explorer.analysis import summarize
from explorer.jobs.inspection import FiltersRequest, MapRequest, Maps, MapsRequest
from explorer.ui import cache, state
from explorer.ui.components import network_diagram
from explorer.ui.components.chart import show_svg
from explorer.ui.components.diagram import diagram
from explorer.ui.components.one_number_link import ICON, LABEL
from explorer.ui.components.width import PAGE, PHONE, is_narrow
from explorer.ui.lab.look_inside import requests, session, walk
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.widgets import selectable_svg
from explorer.views import formatting as fmt
from explorer.views import look_inside, svg
from explorer.views.labels import with_network

_MIDDLE = 720  # pixels: the width of the strips between that on a phone and the usual one


def show_feature_maps(image: ChosenImage) -> None:
    """Show the diagram, the feature maps of the chosen block, and the selected map enlarged."""
    _show_diagram()
    name = session.block_name()
    request = MapsRequest(**session.request_fields(image.path), block=name)
    found = requests.await_result(request, "look_inside_maps", "Computing feature maps")
    if found is None:
        return
    path, channel = _selected_map(found)
    _show_strips(found, path, channel)
    _show_map(image, path, channel, found)
    if name == "stem":
        _show_filters()


def _show_diagram() -> None:
    summary = summarize(session.inspected_network().config)
    direction = network_diagram.overview_direction()
    drawing = cache.overview(session.inspected_network().config, "none", None, frozenset(), direction)
    chosen = (
        state.selected_node() if state.selected_node() in drawing.hover else network_diagram.selected_block(summary)
    )
    st.markdown("**Network** :small[Choose the stem or a module to see its feature maps.]")
    diagram(
        drawing,
        key="look_inside_overview",
        selected=chosen,
        on_select=state.select_node,
        height=250,
        max_height=760,
        narrow_below=(PAGE, PHONE),
    )


def _show_strips(found: Maps, path: str, channel: int) -> None:
    """Show the feature maps of a block, a strip per branch."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_maps_bar"):
        title = "Feature maps of the stem" if found.block == "stem" else f"Feature maps of {found.block}"
        title = fmt.markdown(with_network(title, session.inspected_network().short_title))
        st.markdown(f"**{title}** :small[Select one to enlarge it.]")
        st.space("stretch")
        every = st.toggle("All channels", key="look_inside_all_channels", persist_state="session")
    selectable_svg(
        look_inside.strips(found.strips, every=every, width=_strip_width()),
        key="look_inside_strips",
        selected=[f"{path}:{channel}"],
        on_select=_select_map,
    )
    st.caption(
        "Reading this chart: one tile per channel, branch by branch in the order of concatenation, the strongest mean "
        "response first. Dark blue is 0 (or the minimum, if it is negative), yellow the maximum; each map has its own "
        "scale. *Zeros* are values that the ReLU set to 0; a *dead* channel is 0 everywhere for this image."
    )


def _strip_width() -> float:
    if is_narrow(PHONE):
        return svg.NARROW
    return _MIDDLE if is_narrow() else look_inside.STRIP_WIDTH


def _selected_map(found: Maps) -> tuple[str, int]:
    """Return the path and the channel of the selected map, or of the one with the strongest response."""
    path, channel = session.selected_map() or ("", 0)
    if any(strip.path == path and channel in strip.channels for strip in found.strips):
        return path, channel
    strongest = max(found.strips, key=lambda strip: strip.responses[0])
    return strongest.path, strongest.channels[0]


def _select_map(map_id: str) -> None:
    path, _, channel = map_id.rpartition(":")
    session.select_map(path, int(channel))


def _show_map(image: ChosenImage, path: str, channel: int, found: Maps) -> None:
    """Show one feature map enlarged, beside the network input and over it."""
    request = MapRequest(**session.request_fields(image.path), path=path, channel=channel)
    feature_map = requests.await_result(request, "look_inside_map", "Computing the feature map")
    if feature_map is None:
        return
    strip = next(strip for strip in found.strips if strip.path == path)
    name, heat = look_inside.channel_name(path, channel, strip.first), feature_map.heat
    alt = f"{name} over the image: mean {feature_map.response:.3g}, from {heat.low:.3g} to {heat.high:.3g}"
    with st.container(key="look_inside_enlarged_map"):
        title = with_network(name, session.inspected_network().short_title)
        texts = look_inside.HeatTexts(title, "Feature map", "activation", alt)
        show_svg(partial(look_inside.heat_panels, feature_map.input_png, heat, texts), "look_inside_map")
        st.caption(
            f"Reading this chart: the {fmt.size(heat.size)} activations of this channel, mean "
            f"{fmt.number(feature_map.response)}. Each is stretched over its share of the image; its receptive field "
            "is larger."
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                LABEL,
                icon=ICON,
                key="look_inside_see_one_number",
                on_click=walk.show_value_of,
                args=(path, channel),
                help="How the largest value of this map is computed.",
            )
            st.page_link("pages/learn/receptive_field.py", label="About the receptive field", icon=":material/school:")


def _show_filters() -> None:
    request = FiltersRequest(network=session.inspected_network().network, device=state.device())
    filters = requests.await_result(request, "look_inside_filters", "Reading the kernels")
    if filters is None:
        return
    st.markdown("**Kernels of the first convolution**")
    show_svg(look_inside.filters(filters), "look_inside_filters")
    st.caption(
        "Reading this chart: the weights of each kernel of the first convolution. Mid-grey is 0, light is positive, "
        "dark is negative; kernels with 3 input channels are shown in colour. Each kernel has its own scale."
    )
