"""The colours of the page as the reader sees it."""

import streamlit as st

from explorer.views import palette


def theme() -> palette.Theme:
    """Return the light or the dark colours, as the browser shows the page."""
    return palette.DARK if st.context.theme.type == "dark" else palette.LIGHT
