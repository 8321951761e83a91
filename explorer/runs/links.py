"""How a link names the weights of a run: ``run:<id>``, or ``run:<id>:<lane>`` for another lane than the first."""

import re
from typing import NamedTuple

PARAMETER = "weights"  # of the page Look inside
_TOKEN = re.compile(r"run:(r[0-9a-f]{12})(?::(\d{1,2}))?")


class RunWeights(NamedTuple):
    """The weights of a lane of a run; its file is ``store.weights_path(run_id, lane)``."""

    run_id: str
    lane: int = 0


def weights_token(run_id: str, lane: int = 0) -> str:
    """Return what stands in the link."""
    return f"run:{run_id}" if lane == 0 else f"run:{run_id}:{lane}"


def run_weights(token: str) -> RunWeights | None:
    """Read a token back; None for what is none. Whether there is such a run is another question."""
    found = _TOKEN.fullmatch(token)
    return RunWeights(found[1], int(found[2] or 0)) if found else None
