"""Edit the paper's table and see the whole network follow."""

import streamlit as st

from explorer.ui.components import network_diagram, network_settings
from explorer.ui.components.heading import show_page_heading
from explorer.ui.explore.network import badge, details, editor, rows, totals

show_page_heading("explore/network.py")
totals.show_totals()
editor.table_editor()
editor.show_other_parts()
with st.container(horizontal=True, vertical_alignment="bottom", key="settings"):
    rows.row_menu()
    network_settings.common_settings()
network_settings.rare_settings()
rows.row_form()
network_diagram.show_overview()
badge.show_badge()
details.show_details()
