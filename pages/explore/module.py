"""One module: its branches, the naive one beside it, and what each branch takes and gives."""

from explorer.ui import module_view

config, name, editable = module_view.choose_module()
module_view.edit_module(config, name, editable=editable)
module_view.beside_naive(config, name)
module_view.budget(config, name)
