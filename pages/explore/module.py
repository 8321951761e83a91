"""One module: its branches, the naive one beside it, and what each branch takes and gives."""

from explorer.ui.explore import module

config, name, editable = module.choose_module()
module.edit_module(config, name, editable=editable)
module.show_beside_naive(config, name)
module.budget(config, name)
