"""One module: its branches, its naive version beside it, and the budget of each branch."""

from explorer.ui.components.heading import show_page_heading
from explorer.ui.explore import module

show_page_heading("explore/module.py")
config, name, editable = module.select_module()
module.edit_module(config, name, editable=editable)
module.show_beside_naive(config, name)
module.show_budget(config, name)
