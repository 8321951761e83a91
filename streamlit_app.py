"""The entrypoint: ``streamlit run streamlit_app.py``. Page settings, the shared frame, and the requested page."""

from pathlib import Path

import streamlit as st

from explorer.ui import frame, messages, state, streamlit_workarounds
from explorer.ui.classroom import panel
from explorer.ui.components import diagram
from explorer.ui.explore.network import editor, strip
from explorer.ui.learn import quiz
from explorer.ui.navigation import APP_NAME, file_of, select_page, show_location, warn_of_unknown_page

ASSETS = Path(__file__).parent / "assets"

streamlit_workarounds.reset_drawing_context()
st.set_page_config(APP_NAME, str(ASSETS / "icons" / "icon.png"), layout="wide")
st.logo(ASSETS / "icons" / "logo.svg", size="large")
st.html(ASSETS / "style.css")
messages.stop_on_bad_environment()
page = select_page()
streamlit_workarounds.merge_history_steps()
state.sync_from_url(page.url_path)
warn_of_unknown_page(page)
editor.apply_pending_edits()
state.write_url()
show_location(page, state.current_title())
if state.presents():
    st.html(ASSETS / "present.css")
panel.go_back_if_requested(file_of(page))
frame.show_bar(page.url_path)
is_open = panel.is_open(file_of(page))
panel.show_panel(file_of(page), quiz.progress()[0])
for component in (diagram.COMPONENT, strip.COMPONENT):
    component.define()
if is_open:
    page.run()
streamlit_workarounds.support_keyboard()
streamlit_workarounds.mend_accessibility()
streamlit_workarounds.follow_theme()
