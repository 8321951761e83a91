"""Attribution: three methods that show which parts of the image are evidence for a class."""

from collections.abc import Mapping
from functools import partial
from typing import get_args

import streamlit as st

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.jobs.inspection import AttributionRequest, Method, layers_for_grad_cam
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import requests, session
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.views import look_inside
from explorer.views.labels import with_network

METHODS: Mapping[Method, str] = {
    "grad_cam": "Grad-CAM",
    "occlusion": "Occlusion",
    "integrated_gradients": "Integrated gradients",
}
READING: Mapping[Method, str] = {
    "grad_cam": (
        "Grad-CAM weights the feature maps of the chosen layer by the mean gradient of the class's logit and adds them "
        "up. Negative values, which are evidence against the class, become 0. The map is as coarse as the layer's "
        "feature maps (Selvaraju et al. 2017, arXiv:1610.02391)."
    ),
    "occlusion": (
        "Occlusion covers one square after another with the mean of the normalisation and measures the drop of the "
        "class's logit. Teal: the class needs this part. Vermilion: the class is more probable without it "
        "(Zeiler & Fergus 2014, arXiv:1311.2901)."
    ),
    "integrated_gradients": (
        "Integrated gradients add up the gradients of the class's logit on the way from an input of zeros to the "
        "image. Teal is evidence for the class, orange-red against it (Sundararajan et al. 2017, arXiv:1703.01365)."
    ),
}
TASKS: Mapping[Method, str] = {
    "grad_cam": "Computing gradients",
    "occlusion": "Covering one square after another",
    "integrated_gradients": "Adding up gradients",
}
PREDICTED_CLASS = -1  # stands for the predicted class in the list of class numbers
MIN_MAP_SIDE = 5  # positions; coarser maps cannot point at anything
_METHOD, _LAYER, _TARGET = "look_inside_method", "look_inside_layer", "look_inside_target"


def show_attribution(image: ChosenImage) -> None:
    """Show where in the image the evidence for a class is."""
    inspected = session.inspected_network()
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_inside_attribution_bar"):
        method = _choose_method()
        target = _choose_target()
        layer = _choose_layer(inspected.config) if method == "grad_cam" else ""
    request = AttributionRequest(**session.request_fields(image.path), method=method, layer=layer, target=target)
    found = requests.await_result(request, "look_inside_attribution", TASKS[method])
    if found is None:
        return
    name, probability = inspected.class_name(found.target), look_inside.probability(found.probability)
    svg = partial(
        look_inside.heat_panels,
        found.input_png,
        found.heat,
        look_inside.HeatTexts(
            with_network(f"{METHODS[method]} for {name}", inspected.short_title),
            METHODS[method],
            "weighted feature maps" if method == "grad_cam" else "evidence (logit)",
            f"{METHODS[method]} for {name}, whose probability is {probability}",
        ),
        smooth=method == "grad_cam",
    )
    show_svg(svg, "look_inside_attribution")
    sentences = [f"Reading this chart: evidence for “{name}” ({probability}).", READING[method]]
    if found.expected is not None:
        sentences.append(
            f"All values add up to {found.total:.2f}. By the completeness axiom this is the difference of the logit "
            f"between the image and the input of zeros, {found.expected:.2f}."
        )
    if found.heat.low < 0:
        sentences.append("The overlay shows small values more strongly than the map beside it.")
    strong = "Bright" if method == "grad_cam" else "Strongly coloured"
    sentences.append(f"{strong} parts influence this network; a person might look elsewhere.")
    st.caption(" ".join(sentences))


def _choose_method() -> Method:
    methods: tuple[Method, ...] = get_args(Method)
    if st.session_state.get(_METHOD) not in methods:
        st.session_state[_METHOD] = methods[0]
    method = st.segmented_control(
        "Method",
        methods,
        required=True,
        key=_METHOD,
        format_func=lambda method: METHODS[method],
        persist_state="session",
    )
    return method or methods[0]


def _choose_target() -> int | None:
    """Let the user choose the class; None is the predicted class."""
    inspected = session.inspected_network()
    numbers = [PREDICTED_CLASS, *range(inspected.config.classes)]
    if st.session_state.get(_TARGET) not in numbers:
        st.session_state[_TARGET] = PREDICTED_CLASS
    target = st.selectbox(
        "Class",
        numbers,
        key=_TARGET,
        format_func=lambda number: "predicted class" if number == PREDICTED_CLASS else inspected.class_name(number),
        width=230,
        persist_state="session",
    )
    return None if target == PREDICTED_CLASS else target


def _choose_layer(config: GoogLeNetConfig) -> str:
    layers = layers_for_grad_cam(config)
    if st.session_state.get(_LAYER) not in layers:
        st.session_state[_LAYER] = default_layer(config)
    return st.selectbox(
        "Feature maps of",
        layers,
        key=_LAYER,
        format_func=lambda path: path.removeprefix("inception_").removesuffix(".concat"),
        width=130,
        persist_state="session",
        help="Later modules have coarser feature maps that are closer to the prediction.",
    )


def default_layer(config: GoogLeNetConfig) -> str:
    """Return the last layer whose feature maps are large enough to point at something, or else the last layer."""
    layers = layers_for_grad_cam(config)
    sizes = {row.path: row.out_shape[1:] for row in summarize(config).rows}
    return next((path for path in layers if min(sizes[path]) >= MIN_MAP_SIDE), layers[0])
