"""Edit the paper's table and see the whole network follow."""

from explorer.ui.components import network_settings
from explorer.ui.explore.network import badge, details, editor, first_visit, rows, strip, totals

first_visit.show()
totals.show_totals()
strip.show_strip()
editor.table_editor()
editor.show_other_parts()
network_settings.show_settings(rows.row_menu)
rows.row_form()
badge.show_badge()
details.show_details()
