"""Where the app is, and what comes with it."""

from pathlib import Path

ROOT = Path(__file__).parents[1]  # where child processes start, so that they find this package
ASSETS = ROOT / "assets"
