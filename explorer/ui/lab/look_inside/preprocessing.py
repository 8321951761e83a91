"""The preprocessing of images: its steps as images, and the controls that change it."""

from functools import partial
from typing import Any

import streamlit as st

from explorer.data.preprocessing import NORMALISATIONS
from explorer.errors import Problem
from explorer.ui import messages, state
from explorer.ui.components.chart import show_svg
from explorer.ui.components.number import in_range, number_input
from explorer.ui.lab.look_inside import prediction, requests, session
from explorer.ui.lab.look_inside.session import ChosenImage
from explorer.ui.streamlit_workarounds import fragment
from explorer.views import look_inside

RESIZING = {"crop": "fill, then crop the centre", "pad": "fit, then pad", "stretch": "stretch"}
FROM_WEIGHTS = "as the weights need"
_FIT, _INVERT, _NORMALISATION = "look_inside_fit", "look_inside_invert", "look_inside_normalisation"


def show_preprocessing(image: ChosenImage) -> None:
    """Show how the image becomes the network input, step by step, with the settings."""
    with st.container(horizontal=True, vertical_alignment="center", key="look_inside_steps_bar"):
        st.markdown("**Network input**", width="content")
        st.space("stretch")
        _show_menu()
    _show_steps(image)


@fragment
def _show_steps(image: ChosenImage) -> None:
    """Show the steps when the prediction arrives: its result has them, so nothing is preprocessed twice."""
    found = requests.follow_result(prediction.request(image), prediction.KEY, "preprocessing")
    if found:
        show_svg(partial(look_inside.preprocessing_steps, found.steps, session.preprocessing()), "look_inside_steps")


def _show_menu() -> None:
    is_changed = session.preprocessing() != session.inspected_network().preprocessing
    with st.popover("Preprocessing ●" if is_changed else "Preprocessing", icon=":material/tune:"):
        _show_resizing()
        _show_normalisation()
        st.button(
            "Reset to what the weights need",
            icon=":material/restart_alt:",
            on_click=session.set_preprocessing,
            args=(None,),
            disabled=not is_changed,
            key="look_inside_reset_preprocessing",
        )


def _show_resizing() -> None:
    how = session.preprocessing()
    st.session_state[_FIT], st.session_state[_INVERT] = how.fit, how.invert
    st.selectbox("Resizing", list(RESIZING), key=_FIT, format_func=lambda fit: RESIZING[fit], on_change=_on_fit_change)
    messages.show_problems(state.rejection(_FIT))
    if how.fit == "crop":
        number_input(
            "Margin (× the input size)",
            "look_inside_margin",
            how.margin,
            in_range(1, 4, "Margin: enter a number from 1 to 4.", lambda margin: _change(margin=margin)),
            whole=False,
            help="The shorter side is scaled to this multiple of the input size before the centre is cropped.",
        )
    if how.fit == "pad":
        number_input(
            "Padding value (0 black to 255 white)",
            "look_inside_padding_value",
            how.background,
            in_range(
                0,
                255,
                "Padding value: enter a whole number from 0 to 255.",
                lambda background: _change(background=background),
            ),
        )
    st.toggle(
        "Invert brightness",
        key=_INVERT,
        help="Fashion-MNIST shows light clothes on black.",
        on_change=lambda: _change(invert=bool(st.session_state[_INVERT])),
    )


def _on_fit_change() -> None:
    if st.session_state[_FIT] in RESIZING:
        state.clear_rejected_input(_FIT)
        _change(fit=st.session_state[_FIT])
    else:
        reason = "Resizing: that method does not exist. Choose one from the list."
        state.reject_input(_FIT, None, (Problem("preprocessing", _FIT, reason),))


def _change(**changed: Any) -> None:
    session.set_preprocessing(session.preprocessing().replace(**changed))


def _show_normalisation() -> None:
    how, needed = session.preprocessing(), session.inspected_network().preprocessing
    known = {FROM_WEIGHTS: (needed.mean, needed.std)}
    known |= {normalisation.title: (normalisation.mean, normalisation.std) for normalisation in NORMALISATIONS.values()}
    channels = session.inspected_network().config.input_shape[0]
    options = {title: values for title, values in known.items() if len(values[0]) in (1, channels)}
    st.session_state[_NORMALISATION] = next(
        (title for title, values in options.items() if values == (how.mean, how.std)), FROM_WEIGHTS
    )

    def on_change() -> None:
        if values := options.get(st.session_state[_NORMALISATION]):
            _change(mean=values[0], std=values[1])

    st.selectbox(
        "Normalisation: (value − mean) / standard deviation", list(options), key=_NORMALISATION, on_change=on_change
    )
