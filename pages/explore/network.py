"""Edit the paper's table; everything on the page follows."""

import streamlit as st

from explorer.ui.components import network_diagram, network_settings
from explorer.ui.explore.network import badge, details, editor, rows, surroundings, totals

totals.show_totals()
editor.table_editor()
surroundings.show_surroundings()
with st.container(horizontal=True, vertical_alignment="bottom", key="settings"):
    rows.row_menu()
    network_settings.common_settings()
network_settings.rare_settings()
network_diagram.show_overview()
badge.show_badge()
details.show_details()
