"""How pictures are prepared: the controls, and the steps as pictures."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.config import GoogLeNetConfig, Problem
from explorer.ui import messages, state
from explorer.ui.looking import choice

if TYPE_CHECKING:
    from explorer.live.look import Preprocessing
    from explorer.live.preprocessing import Step

FITS = {"crop": "fill, cut the centre out", "pad": "fit in, with a border", "stretch": "stretch"}
LAST = "as the weights need"
_KEYS = {"fit": "prep_fit", "margin": "prep_margin", "background": "prep_background", "invert": "prep_invert"}
_NORMALISATION = "prep_normalisation"


@lru_cache(maxsize=32)
def steps(path: str, config: GoogLeNetConfig, how: "Preprocessing") -> "tuple[Step, ...]":
    """Return how a picture becomes the network's input. Raises InputError with the reason where it cannot."""
    import numpy as np
    from PIL import Image

    from explorer.live.look import InputError
    from explorer.live.preprocessing import prepare

    try:
        with Image.open(path, formats=("PNG",)) as file:
            pixels = np.asarray(file.convert("RGB"))
    except OSError:
        raise InputError("The picture is no longer there. Choose it again.") from None
    return prepare(pixels, config, how).steps


def menu() -> None:
    """Offer to prepare pictures otherwise, folded away."""
    changed = choice.preparation() != choice.in_use().preprocessing
    with st.popover("Prepare" + (" ●" if changed else ""), icon=":material/tune:"):
        _fit()
        _normalisation()
        st.button(
            "As the weights need it",
            icon=":material/restart_alt:",
            on_click=choice.prepare,
            args=(None,),
            disabled=not changed,
            key="prep_reset",
        )


def _fit() -> None:
    how = choice.preparation()
    for field, key in _KEYS.items():
        held = state.refused(key)
        st.session_state[key] = held[0] if held else getattr(how, field)
    st.selectbox("Size", list(FITS), key=_KEYS["fit"], format_func=FITS.get, **_calls("fit"))
    if how.fit == "crop":
        st.number_input("Margin (× what is needed)", key=_KEYS["margin"], step=0.05, value=None, **_calls("margin"))
        messages.show_problems((state.refused(_KEYS["margin"]) or (None, ()))[1])
    if how.fit == "pad":
        st.number_input(
            "Border (0 black to 255 white)", key=_KEYS["background"], step=1, value=None, **_calls("background")
        )
        messages.show_problems((state.refused(_KEYS["background"]) or (None, ()))[1])
    st.toggle(
        "Invert: dark becomes light",
        key=_KEYS["invert"],
        help="Fashion-MNIST shows light clothes on black.",
        **_calls("invert"),
    )


def _normalisation() -> None:
    from explorer.live.preprocessing import NORMALISATIONS

    how, usual = choice.preparation(), choice.in_use().preprocessing
    known = {LAST: (usual.mean, usual.std)} | {one.title: (one.mean, one.std) for one in NORMALISATIONS.values()}
    channels = choice.in_use().config.input_shape[0]
    offered = {title: values for title, values in known.items() if len(values[0]) in (1, channels)}
    st.session_state[_NORMALISATION] = next(
        (title for title, values in offered.items() if values == (how.mean, how.std)), LAST
    )

    def changed() -> None:
        if found := offered.get(st.session_state[_NORMALISATION]):
            choice.prepare(choice.preparation().replace(mean=found[0], std=found[1]))

    st.selectbox("Normalisation: (value − mean) / deviation", list(offered), key=_NORMALISATION, on_change=changed)


def _calls(field: str) -> dict[str, Any]:
    return {"on_change": _changed, "args": (field,)}


def _changed(field: str) -> None:
    """Take a setting over, or say why not; then pictures stay prepared as they were."""
    key = _KEYS[field]
    value = st.session_state[key]
    if reason := _reason(field, value):
        state.refuse(key, value, (Problem("preparation", key, reason),))
        return
    state.accept()
    choice.prepare(choice.preparation().replace(**{field: value}))


def _reason(field: str, value: Any) -> str:
    """Say what is wrong with a value; nothing where it is good."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if field == "margin" and not (number and 1 <= value <= 4):
        return "Margin: write a number from 1 to 4."
    if field == "background" and not (number and value == int(value) and 0 <= value <= 255):
        return "Border: write a whole number from 0 to 255."
    if field == "fit" and value not in FITS:
        return "That is no way to make a picture fit. Choose one of the list."
    return ""
