"""The entrypoint: ``streamlit run streamlit_app.py``. Page settings, the shared frame, and the page asked for."""

from pathlib import Path

import streamlit as st

from explorer.ui import frame, messages, state
from explorer.ui.explore.network import editor
from explorer.ui.navigation import navigation

ASSETS = Path(__file__).parent / "assets"

frame.begin()
st.set_page_config("Inception Explorer", str(ASSETS / "icons" / "icon.png"), layout="wide")
st.logo(ASSETS / "icons" / "logo.svg", size="large")
st.html(ASSETS / "style.css")
messages.stop_on_bad_environment()
page = navigation()
state.open_session(page.url_path)
editor.apply_pending_edits()
state.write_url()
frame.bar()
page.run()
