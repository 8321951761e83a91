"""``python -m explorer``: see :mod:`explorer.cli`."""

from explorer.cli import app

app(prog_name="python -m explorer")
