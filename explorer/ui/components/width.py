"""Which views are narrow, as those say that report their width: they have a drawing of their own for it."""

import streamlit as st

from explorer.ui.state import SessionValue

PAGE, DRAWING, PHONE = 1000, 700, 500  # pixels: limits that views report by; with less, their wide drawing is too small
_NARROW = {limit: SessionValue(f"narrower_than_{limit}", False) for limit in (PAGE, DRAWING, PHONE)}


def is_narrow(limit: int = PAGE) -> bool:
    """Whether a view that reports by this limit was last narrower."""
    return _NARROW[limit].get()


def narrow_limits(limits: tuple[int, ...]) -> list[int]:
    """Return those of the limits that the view is narrower than."""
    return [limit for limit in limits if is_narrow(limit)]


def report_width(key: str, limits: tuple[int, ...]) -> None:
    """Store which of its limits the component ``key`` reports as its state ``narrow``; a browser may send anything."""
    reported = st.session_state[key].narrow
    for limit in limits:
        _NARROW[limit].set(isinstance(reported, list) and limit in reported)
