"""Several networks side by side: what each costs, where they differ, and ways to take them away."""

from explorer.ui.explore.compare import page

names = page.choose()
page.show_totals(names)
page.show_details(names)
