"""Side by side: the same picture through two networks, or one network with two sets of weights."""

import streamlit as st

from explorer.jobs.inspection import AttributionRequest, InputError, MapsRequest, PredictionRequest
from explorer.presets import CATALOGUE
from explorer.shelf import CURRENT
from explorer.ui import cache, messages, state
from explorer.ui.components import variants
from explorer.ui.components.chart import picture
from explorer.ui.lab.look_inside import attribution, feature_maps, requests, selection, weights
from explorer.ui.lab.look_inside.images import ChosenImage, network_input
from explorer.ui.lab.look_inside.selection import InUse
from explorer.views import formatting as fmt
from explorer.views import look_inside

_OTHER = "look_other"
UNTRAINED = "the same network, untrained"


def show_side_by_side(pick: ChosenImage) -> None:
    """Let the reader choose another network or other weights, and show what both make of the picture."""
    other = _other()
    left, right = st.container(key="look_beside").columns(2, gap="medium")
    for place, (column, in_use) in enumerate(((left, selection.in_use()), (right, other))):
        with column:
            _side(pick, in_use, f"look_side_{place}")
    st.caption(
        "How to read this: the same picture, prepared as each network's weights need it. Maps: the strongest channels "
        "of the chosen block; Grad-CAM at the last module whose maps are not too coarse. Untrained "
        "networks show what the layout alone does; their "
        "answers mean nothing."
    )


def _other() -> InUse:
    offered = _offered()
    if st.session_state.get(_OTHER) not in offered:
        st.session_state[_OTHER] = next(iter(offered))
    st.selectbox(
        "Against", list(offered), key=_OTHER, format_func=lambda name: offered[name], width=420, persist_state="session"
    )

    name = st.session_state[_OTHER]
    if name == UNTRAINED:
        return selection.untrained(selection.in_use().config, UNTRAINED, selection.in_use())
    if name.startswith("net:"):
        return selection.untrained(state.version_named(name.removeprefix("net:")).config, offered[name])
    try:
        return selection.resolved(name)
    except InputError as error:
        messages.show_refusal(str(error))
        return selection.untrained(selection.in_use().config, UNTRAINED, selection.in_use())


def _offered() -> dict[str, str]:
    """Return what can stand on the other side: other weights, then networks without any."""
    offered = {UNTRAINED: UNTRAINED} if selection.in_use().network.weights else {}
    offered |= {
        token: title
        for token, title in weights.known().items()
        if token not in (selection.in_use().token, selection.RANDOM)
    }
    names = dict.fromkeys((CURRENT, *state.shelf().names, *CATALOGUE))
    return offered | {f"net:{name}": f"{variants.title(name)}, untrained" for name in names}


def _side(pick: ChosenImage, in_use: InUse, key: str) -> None:

    summary = cache.summary(in_use.config)
    st.markdown(f"**{fmt.markdown(in_use.title)}**  \n:small[{_facts(summary)}]")
    prepared = selection.preparation() if in_use.network == selection.in_use().network else in_use.preprocessing
    scales = selection.scales() if in_use.network == selection.in_use().network else ()
    shared = requests.about(pick.path, network=in_use.network, preprocessing=prepared, scales=scales)
    said = requests.await_result(PredictionRequest(**shared), f"{key}_answer", "The network runs")
    if said is None:
        return
    main = said.predictions[0].main
    bars = [
        look_inside.Bar(
            in_use.class_name(number), share, None, bool(pick.label) and in_use.class_name(number) == pick.label
        )
        for number, share in zip(main.classes, main.probabilities, strict=True)
    ]
    picture(look_inside.answer_bars(bars, f"It says: {bars[0].name}"), f"{key}_bars")
    st.markdown(
        f":small[{look_inside.confidence_text(main, in_use.config.classes)} One pass: {fmt.milliseconds(said.forward_ms)}.]"
    )
    request = AttributionRequest(**shared, method="grad_cam", layer=attribution.usual_layer(in_use.config), target=None)
    evidence = requests.await_result(request, f"{key}_where", "Grad-CAM")
    block = feature_maps.block(in_use.config)
    maps = requests.await_result(MapsRequest(**shared, block=block), f"{key}_maps", "The maps are made")
    seen = network_input(pick, in_use.config, prepared)
    if evidence and seen:
        picture(
            look_inside.attribution_panel(seen, evidence.heat, f"Where it looked for “{bars[0].name}”"), f"{key}_looked"
        )
    if maps:
        name = "the stem" if block == "stem" else block
        picture(look_inside.strongest(maps.strips, f"The strongest channels of {name}"), f"{key}_strongest")


def _facts(summary: object) -> str:
    return f"{fmt.exact(summary.parameters(aux=False))} parameters · {fmt.short(summary.macs())} MACs"
