"""Several networks side by side: their costs, their differences, and their export."""

from explorer.ui.explore.compare import page

names = page.select_networks()
page.show_totals(names)
page.show_details(names)
