"""How pictures are prepared: the controls, and the steps as pictures."""

from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.config import GoogLeNetConfig, Problem
from explorer.data.preprocessing import NORMALISATIONS, PreprocessingStep, prepare
from explorer.jobs.inspection import InputError, Preprocessing
from explorer.ui import messages, state
from explorer.ui.components import number
from explorer.ui.lab.look_inside import selection

FITS = {"crop": "fill, cut the centre out", "pad": "fit in, with a border", "stretch": "stretch"}
LAST = "as the weights need"
_FIT, _INVERT = "prep_fit", "prep_invert"
_NORMALISATION = "prep_normalisation"


@lru_cache(maxsize=32)
def steps(path: str, config: GoogLeNetConfig, how: Preprocessing) -> tuple[PreprocessingStep, ...]:
    """Return how a picture becomes the network's input. Raises InputError with the reason where it cannot."""
    import numpy as np
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as file:
            pixels = np.asarray(file.convert("RGB"))
    except OSError:
        raise InputError("The picture is no longer there. Choose it again.") from None
    return prepare(pixels, config, how).steps


def menu() -> None:
    """Offer to prepare pictures otherwise, folded away."""
    changed = selection.preparation() != selection.in_use().preprocessing
    with st.popover("Prepare" + (" ●" if changed else ""), icon=":material/tune:"):
        _fit()
        _normalisation()
        st.button(
            "As the weights need it",
            icon=":material/restart_alt:",
            on_click=selection.prepare,
            args=(None,),
            disabled=not changed,
            key="prep_reset",
        )


def _fit() -> None:
    how = selection.preparation()
    st.session_state[_FIT], st.session_state[_INVERT] = how.fit, how.invert
    st.selectbox("Size", list(FITS), key=_FIT, format_func=lambda fit: FITS[fit], on_change=_fit_changed)
    messages.show_problems((state.refused(_FIT) or (None, ()))[1])
    if how.fit == "crop":
        number.number(
            "Margin (× what is needed)",
            "prep_margin",
            float(how.margin),
            lambda margin: _change(margin=margin),
            lambda margin: 1 <= margin <= 4,
            "Margin: write a number from 1 to 4.",
            step=0.05,
        )
    if how.fit == "pad":
        number.number(
            "Border (0 black to 255 white)",
            "prep_background",
            how.background,
            lambda background: _change(background=int(background)),
            lambda background: background == int(background) and 0 <= background <= 255,
            "Border: write a whole number from 0 to 255.",
            step=1,
        )
    st.toggle(
        "Invert: dark becomes light",
        key=_INVERT,
        help="Fashion-MNIST shows light clothes on black.",
        on_change=lambda: _change(invert=bool(st.session_state[_INVERT])),
    )


def _fit_changed() -> None:
    if st.session_state[_FIT] in FITS:
        state.accept()
        _change(fit=st.session_state[_FIT])
    else:
        reason = "That is no way to make a picture fit. Choose one of the list."
        state.refuse(_FIT, None, (Problem("preparation", _FIT, reason),))


def _change(**changed: Any) -> None:
    selection.prepare(selection.preparation().replace(**changed))


def _normalisation() -> None:

    how, usual = selection.preparation(), selection.in_use().preprocessing
    known = {LAST: (usual.mean, usual.std)} | {one.title: (one.mean, one.std) for one in NORMALISATIONS.values()}
    channels = selection.in_use().config.input_shape[0]
    offered = {title: values for title, values in known.items() if len(values[0]) in (1, channels)}
    st.session_state[_NORMALISATION] = next(
        (title for title, values in offered.items() if values == (how.mean, how.std)), LAST
    )

    def changed() -> None:
        if found := offered.get(st.session_state[_NORMALISATION]):
            _change(mean=found[0], std=found[1])

    st.selectbox("Normalisation: (value − mean) / deviation", list(offered), key=_NORMALISATION, on_change=changed)
