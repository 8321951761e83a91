"""Side by side: the same image in two networks, or in one network with two sets of weights."""

from functools import partial

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.data.class_names import shorten
from explorer.errors import InputError
from explorer.jobs.inspection import AttributionRequest, MapsRequest, PredictionRequest
from explorer.presets import CATALOGUE
from explorer.shelf import CURRENT
from explorer.ui import messages, state
from explorer.ui.components import variants
from explorer.ui.components.chart import show_svg
from explorer.ui.lab.look_inside import attribution, prediction, requests, session, weights
from explorer.ui.lab.look_inside.session import ChosenImage, InspectedNetwork
from explorer.views import formatting as fmt
from explorer.views import look_inside
from explorer.views.labels import with_network

_OTHER = "look_inside_other"
UNTRAINED = "the same network, untrained"
CLASSES = 5  # number of classes shown


def show_side_by_side(image: ChosenImage) -> None:
    """Let the user choose another network or other weights, and show the results of both for the image."""
    other = _choose_other()
    columns = st.container(key="look_inside_side_by_side").columns(2, gap="medium")
    for number, (column, inspected) in enumerate(zip(columns, (session.inspected_network(), other), strict=True)):
        with column:
            _show_side(image, inspected, f"look_inside_side_{number}")
    st.caption(
        "Reading this chart: the same image, preprocessed as the weights of each network need. Feature maps: the "
        "channels of the chosen block with the strongest response. Grad-CAM: at the last module whose feature maps are "
        "not too coarse. Untrained networks show what the architecture alone does; their predictions have no meaning."
    )


def _choose_other() -> InspectedNetwork:
    options = _options()
    if st.session_state.get(_OTHER) not in options:
        st.session_state[_OTHER] = next(iter(options))
    st.selectbox(
        "Compare with",
        list(options),
        key=_OTHER,
        format_func=lambda name: options[name],
        width=420,
        persist_state="session",
    )
    name: str = st.session_state[_OTHER]
    inspected = session.inspected_network()
    if name == UNTRAINED:
        return _untrained(inspected)
    if name.startswith("net:"):
        return session.untrained_network(state.version_named(name.removeprefix("net:")).config, options[name])
    try:
        return session.resolve(name)
    except InputError as error:
        messages.show_refusal(str(error))
        return _untrained(inspected)


def _untrained(inspected: InspectedNetwork) -> InspectedNetwork:
    """Return the same network with random weights; the titles of its charts say so."""
    other = session.untrained_network(inspected.config, UNTRAINED, inspected)
    return other._replace(name=f"{inspected.short_title}, untrained")


def _options() -> dict[str, str]:
    """Return the titles of what can be on the other side: other weights, then networks with random weights."""
    inspected = session.inspected_network()
    options = {UNTRAINED: UNTRAINED} if inspected.network.weights else {}
    options |= {
        token: title
        for token, title in weights.available_weights().items()
        if token not in (inspected.token, session.RANDOM)
    }
    names = dict.fromkeys((CURRENT, *state.shelf().names, *CATALOGUE))
    return options | {f"net:{name}": f"{variants.title(name)}, untrained" for name in names}


def _show_side(image: ChosenImage, inspected: InspectedNetwork, key: str) -> None:
    """Show prediction, Grad-CAM and the strongest feature maps of one network."""
    st.markdown(f"**{fmt.markdown(inspected.title)}**  \n:small[{_totals(summarize(inspected.config))}]")
    fields = session.request_fields(image.path)
    if inspected.network != session.inspected_network().network:
        fields = session.unscaled({**fields, "network": inspected.network, "preprocessing": inspected.preprocessing})
    found = requests.await_result(PredictionRequest(**fields, top=CLASSES), f"{key}_prediction", "Running the network")
    if found is None:
        return
    scores = found.predictions[0].main
    name = inspected.class_name(scores.classes[0])
    bars = prediction.class_bars(scores, inspected, image.label, CLASSES)
    network = inspected.short_title
    title = with_network(f"Predicted class: {shorten(name, 24)}", network)
    show_svg(partial(look_inside.class_bars, bars, title), f"{key}_bars")
    confidence = look_inside.confidence_text(scores, inspected.config.classes)
    st.markdown(f":small[{confidence}]")
    layer, block = attribution.default_layer(inspected.config), session.block_name(inspected.config)
    evidence = requests.await_result(
        AttributionRequest(**fields, method="grad_cam", layer=layer), f"{key}_attribution", "Computing Grad-CAM"
    )
    maps = requests.await_result(MapsRequest(**fields, block=block), f"{key}_maps", "Computing feature maps")
    if evidence:
        title = with_network(f"Grad-CAM for {name}", network)
        svg = partial(look_inside.attribution_panel, evidence.input_png, evidence.heat, title)
        show_svg(svg, f"{key}_grad_cam")
    if maps:
        title = "Strongest channels of the stem" if block == "stem" else f"Strongest channels of {block}"
        show_svg(partial(look_inside.strongest_maps, maps.strips, with_network(title, network)), f"{key}_strongest")


def _totals(summary: NetworkSummary) -> str:
    return f"{fmt.exact(summary.parameters(aux=False))} parameters · {fmt.short(summary.macs())} MACs"
