"""Train a network, race several, and look back at what was trained."""

from explorer.ui.training import page, runs

if runs.opened():
    page.show(page.choose_view())
