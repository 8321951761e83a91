"""Train a network, race several, and look back at what was trained."""

from explorer.ui import runs
from explorer.ui.lab.train import page

if runs.opened():
    page.show(page.choose_view())
