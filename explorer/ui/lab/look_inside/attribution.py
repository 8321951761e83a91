"""Where the network looked: three ways to say which part of the picture speaks for a class."""

import streamlit as st

from explorer.config import GoogLeNetConfig
from explorer.jobs.inspection import AttributionRequest, layers_for_grad_cam
from explorer.ui import cache
from explorer.ui.components.chart import picture
from explorer.ui.lab.look_inside import requests, selection
from explorer.ui.lab.look_inside.images import ChosenImage, network_input
from explorer.views import look_inside

METHODS = {"grad_cam": "Grad-CAM", "occlusion": "Occlusion", "integrated_gradients": "Integrated gradients"}
READING = {
    "grad_cam": (
        "the maps of the chosen layer, each weighed by the mean gradient of the class's logit, added up; what speaks "
        "against the class is cut off. It is as coarse as that layer's maps. (Selvaraju et al. 2017, arXiv:1610.02391)"
    ),
    "occlusion": (
        "how far the class's logit falls when a square there is covered with the mean of the normalisation: teal where "
        "the class needs what it saw, vermilion where it is likelier without. (Zeiler & Fergus 2014, arXiv:1311.2901)"
    ),
    "integrated_gradients": (
        "the gradient of the class's logit, added up on the way from an input of zeros to the picture: teal speaks "
        "for the class, vermilion against it. (Sundararajan et al. 2017, arXiv:1703.01365)"
    ),
}
DOING = {
    "grad_cam": "The gradient runs",
    "occlusion": "A square is moved over the picture",
    "integrated_gradients": "Gradients are added up",
}
SAID = -1
COARSEST = 5  # positions along a side
_METHOD, _LAYER, _TARGET = "look_method", "look_layer", "look_target"


def show_attribution(pick: ChosenImage) -> None:
    """Show where in the picture the evidence for a class lies."""
    in_use = selection.in_use()
    with st.container(horizontal=True, vertical_alignment="bottom", key="look_where_bar"):
        st.session_state[_METHOD] = held if (held := st.session_state.get(_METHOD)) in METHODS else next(iter(METHODS))
        method = st.segmented_control(
            "Method", list(METHODS), required=True, key=_METHOD, format_func=METHODS.get, persist_state="session"
        )
        target = _target()
        layers = layers_for_grad_cam(in_use.config)
        layer = _layer(layers) if method == "grad_cam" else ""
    request = AttributionRequest(**requests.about(pick.path), method=method, layer=layer, target=target)
    found = requests.await_result(request, "look_where", DOING[method])
    seen = network_input(pick)
    if found is None or seen is None:
        return
    name = in_use.class_name(found.target)
    alt = f"{METHODS[method]} for {name}, whose probability is {look_inside.probability(found.probability)}"
    unit = "evidence (logit)" if method != "grad_cam" else "weighed maps"
    svg = look_inside.heat_panels(
        seen, found.heat, f"{METHODS[method]}: {_short(name)}", unit, alt, smooth=method == "grad_cam"
    )
    picture(svg, "look_where")
    told = ""
    if found.expected is not None:
        told = (
            f" All values add up to {found.total:.2f}; the logit differs by {found.expected:.2f} between the picture "
            "and zeros, as the method promises."
        )
    st.caption(
        f"How to read this: evidence for “{name}” ({look_inside.probability(found.probability)}) is "
        f"{READING[method]}{told} A bright place is where this network looked, which need not be where a person would."
    )


def _short(name: str) -> str:
    return name if len(name) < 16 else f"{name[:14]}…"


def _target() -> int | None:
    """Let the reader choose the class; None for the one that the network says."""
    in_use = selection.in_use()
    numbers = [SAID, *range(in_use.config.classes)]
    if st.session_state.get(_TARGET) not in numbers:
        st.session_state[_TARGET] = SAID
    chosen = st.selectbox(
        "Class",
        numbers,
        key=_TARGET,
        format_func=lambda number: "what it says" if number == SAID else in_use.class_name(number),
        width=200,
        persist_state="session",
    )
    return None if chosen == SAID else chosen


def _layer(layers: tuple[str, ...]) -> str:
    if st.session_state.get(_LAYER) not in layers:
        st.session_state[_LAYER] = usual_layer(selection.in_use().config)
    return st.selectbox(
        "Maps of",
        layers,
        key=_LAYER,
        format_func=lambda path: path.removeprefix("inception_").removesuffix(".concat"),
        width=110,
        persist_state="session",
        help="The later the module, the coarser its maps and the nearer to the answer.",
    )


def usual_layer(config: GoogLeNetConfig) -> str:
    """Return the last layer whose maps are not too coarse to point at anything, else the last."""
    layers = layers_for_grad_cam(config)
    sizes = {row.path: row.out_shape[1:] for row in cache.summary(config).rows}
    return next((path for path in layers if min(sizes[path]) >= COARSEST), layers[0])
