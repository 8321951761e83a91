"""An animation of one module, with real feature maps, and files of it for slides."""

import streamlit as st

from explorer.analysis import summarize
from explorer.jobs.units import StrongestMapsRequest
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.lab.look_inside.widgets import flow_player
from explorer.views import flow_files, map_images
from explorer.views.flow import STEP_S, Flow, animated_svg, module_flow


def show_animation(image: ChosenImage, name: str) -> None:
    """Show how the image's feature maps flow through the module ``name``."""
    config = session.inspected_network().config
    request = StrongestMapsRequest(**session.request_fields(image.path), block=name)
    found = requests.await_result(request, "look_inside_flow", "Running the network once")
    if found is None:
        return
    faces = {path: map_images.heat_png(heat) for path, heat in found.maps.items()}
    flow = module_flow(summarize(config), name, faces, session.inspected_network().short_title)
    flow_player(animated_svg(flow), key="look_inside_flow_player", steps=flow.steps, step_s=STEP_S)
    _show_downloads(flow)
    st.caption(
        "Reading this chart: the output of each layer is a stack of sheets, as many as it has channels in proportion. "
        "The first sheet is the feature map with the highest mean response to this image. A frame shows the kernel "
        "that sweeps over a layer's input; the concatenation puts the outputs of the branches behind each other."
    )


def _show_downloads(flow: Flow) -> None:
    files = (
        ("Animation (SVG)", lambda: flow_files.svg_file(flow), "svg", "image/svg+xml"),
        ("Animation (GIF)", lambda: flow_files.gif(flow), "gif", "image/gif"),
        ("A still per step (SVG, zip)", lambda: flow_files.frames_zip(flow), "zip", "application/zip"),
    )
    with st.container(horizontal=True, key="look_inside_flow_files"):
        for label, make, ending, mime in files:
            st.download_button(
                label, make, f"flow_{flow.name}.{ending}", mime, icon=":material/download:", on_click="ignore"
            )
