"""Whether the page is narrow, as the views that report their width say: they have a drawing of their own for it."""

import streamlit as st

from explorer.ui.state import SessionValue

_NARROW = SessionValue("diagram_narrow", False)


def is_narrow() -> bool:
    """Whether a view that reports its width was last too narrow for a wide drawing (below 1,000 pixels)."""
    return _NARROW.get()


def report_width(key: str) -> None:
    """Store what the component ``key`` reports as its state ``narrow``."""
    _NARROW.set(bool(st.session_state[key].narrow))
