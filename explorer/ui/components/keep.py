"""Keep a network: put it on the shelf of saved variants with one click."""

from collections.abc import Callable

import streamlit as st

from explorer.errors import Problem
from explorer.history import Version
from explorer.shelf import Shelf, ShelfError, suggest_name
from explorer.ui import state
from explorer.views import formatting as fmt

VARIANT_KEY = "shelf_which"  # the variant that the page Compare manages


def keep_button() -> None:
    """Offer to keep the current network; a filled star means that it is on the shelf already."""
    name = next((v.name for v in state.shelf().variants if v.version == state.current()), None)
    st.button(
        "Kept" if name else "Keep",
        icon=":material/star:" if name else ":material/star_outline:",
        on_click=keep,
        disabled=name is not None,
        key="keep",
        help=f"On the shelf as {name}." if name else "Puts this network on the shelf of the page Compare.",
    )


def keep(version: Version | None = None, note: str = "") -> None:
    """Put a network (default: the current one) on the shelf under a free name that describes it."""
    version = version or state.current()
    name = suggest_name(state.shelf(), version)
    if change_shelf(lambda shelf: shelf.add(name, version, note)):
        st.session_state[VARIANT_KEY] = name
        st.toast(f"Kept as {name}.", icon=":material/star:")


def change_shelf(step: Callable[[Shelf], Shelf], key: str = VARIANT_KEY, value: str = "") -> bool:
    """Change the shelf and return whether that worked; if not, show why at the control ``key``."""
    try:
        state.set_shelf(step(state.shelf()))
    except ShelfError as error:
        state.reject_input(key, value, (Problem("shelf", key, str(error)),))
        st.toast(fmt.markdown(str(error)), icon=":material/block:")
        return False
    state.clear_rejected_input(key)
    return True
