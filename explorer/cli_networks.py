"""The network that an argument of a command names: a preset, a file, a link, or standard input."""

import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from explorer.analysis import summarize
from explorer.cli_errors import fail
from explorer.history import Version, nearest_version
from explorer.presets import PRESETS
from explorer.share import MAX_DOCUMENT, ShareError, from_json, from_token
from explorer.summary import NetworkSummary


class NamedVersion(NamedTuple):
    """A network from an argument, with its name in tables and files."""

    name: str
    version: Version

    @property
    def summary(self) -> NetworkSummary:
        """The layers and totals of the network."""
        return summarize(self.version.config)


def read_network(network: str) -> NamedVersion:
    """Return the network of an argument: a preset, standard input, a link, or a file."""
    try:
        if network in PRESETS:
            return NamedVersion(network, Version(network, PRESETS[network]))
        if network == "-":
            return _with_nearest_base("stdin", sys.stdin.buffer.read(MAX_DOCUMENT + 1))
        if token := _token_in(network):
            return NamedVersion(from_token(token).base, from_token(token))
        with Path(network).open("rb") as file:
            return _with_nearest_base(Path(network).stem, file.read(MAX_DOCUMENT + 1))
    except OSError as error:
        fail(
            f"{network}: not a preset, and no such file can be read ({error.strerror}). Presets: {', '.join(PRESETS)}."
        )
    except ShareError as error:
        fail(f"{network[:60]}: {error}")


def _token_in(text: str) -> str:
    """Return the token in a link, or the text itself if it looks like a token, else an empty string."""
    found = parse_qs(urlsplit(text).query).get("net", [""])[0] if "?" in text else text
    head, _, rest = found.partition(".")
    return found if head.isdigit() and rest.partition(".")[0] in PRESETS else ""


def _with_nearest_base(name: str, document: bytes) -> NamedVersion:
    """Return the network in a document, based on the preset with the fewest changes."""
    return NamedVersion(name, nearest_version(from_json(document)))
