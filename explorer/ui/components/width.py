"""Which views are narrow, as those say that report their width: they have a drawing of their own for it."""

import streamlit as st

from explorer.ui.state import SessionValue

PAGE, DRAWING, PHONE = 1000, 700, 500  # pixels: limits that views report by; with less, their wide drawing is too small
_NARROW = {limit: SessionValue(f"narrower_than_{limit}", False) for limit in (PAGE, DRAWING, PHONE)}


def is_narrow(limit: int = PAGE) -> bool:
    """Whether a view that reports by this limit was last narrower."""
    return _NARROW[limit].get()


def report_width(key: str, limit: int) -> None:
    """Store what the component ``key`` reports by this limit as its state ``narrow``."""
    _NARROW[limit].set(bool(st.session_state[key].narrow))
