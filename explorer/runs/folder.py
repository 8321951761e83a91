"""Where runs and imported images are kept: the folder that ``EXPLORER_DATA`` names, else the user's data folder."""

import os
import sys
from pathlib import Path

from explorer.environment import named_folder

_NAME = "inception-explorer"


def data_folder() -> Path:
    """Return the data directory; whoever writes into it creates it.

    By default it is where the platform keeps a user's data: ``$XDG_DATA_HOME`` (``~/.local/share``) on Linux,
    ``~/Library/Application Support`` on macOS, ``%LOCALAPPDATA%`` on Windows.
    """
    if named := named_folder():
        return named
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / _NAME
