"""Several networks side by side: their costs, their differences, and their export."""

from explorer.ui.components.heading import show_page_heading
from explorer.ui.explore.compare import page

show_page_heading("explore/compare.py")
names = page.select_networks()
page.show_totals(names)
page.show_details(names)
