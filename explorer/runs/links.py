"""The weights of a run in a link: ``run:<id>``, or ``run:<id>:<trainer>`` for another trainer than the first."""

import re
from typing import NamedTuple

PARAMETER = "weights"  # of the page Look inside
_TOKEN = re.compile(r"run:(r[0-9a-f]{12})(?::(\d{1,2}))?")


class RunWeights(NamedTuple):
    """The weights of one trainer of a run; their file is ``store.weights_path(run_id, trainer)``."""

    run_id: str
    trainer: int = 0


def weights_token(run_id: str, trainer: int = 0) -> str:
    """Return the token that names a trainer's weights in a link."""
    return f"run:{run_id}" if trainer == 0 else f"run:{run_id}:{trainer}"


def parse_weights_token(token: str) -> RunWeights | None:
    """Return what a token names; None for any other text. The run may not exist."""
    match = _TOKEN.fullmatch(token)
    return RunWeights(match[1], int(match[2] or 0)) if match else None
