"""Edit the paper's table; everything on the page follows."""

import streamlit as st

from explorer.ui import badge, details, editor, metrics, modules, picture, settings, surroundings

metrics.show_totals()
editor.table_editor()
surroundings.show_surroundings()
with st.container(horizontal=True, vertical_alignment="bottom", key="settings"):
    modules.row_menu()
    settings.common_settings()
settings.rare_settings()
picture.show_overview()
badge.show_badge()
details.show_details()
