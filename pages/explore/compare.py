"""Several networks side by side: what each costs, where they differ, and ways to take them away."""

from explorer.ui import compare

names = compare.choose()
compare.show_totals(names)
compare.show_details(names)
