"""Links to the weights of a run."""

import pytest

from explorer.runs.links import RunWeights, run_weights, weights_token


@pytest.mark.parametrize("lane", [0, 1, 14])
def test_a_token_is_read_back(lane: int) -> None:
    """What is written names the same lane of the same run."""
    assert run_weights(weights_token("r0123456789ab", lane)) == RunWeights("r0123456789ab", lane)


@pytest.mark.parametrize("token", ["", "run:", "run:../../etc", "run:r0123456789ab/x", "file:r0123456789ab", "run:R0"])
def test_what_is_no_token_is_none(token: str) -> None:
    """A forged link names nothing."""
    assert run_weights(token) is None
