"""Links to the weights of a run."""

import pytest

from explorer.runs.links import RunWeights, parse_weights_token, weights_token


@pytest.mark.parametrize("trainer", [0, 1, 14])
def test_a_token_is_parsed(trainer: int) -> None:
    """It names the same trainer of the same run."""
    assert parse_weights_token(weights_token("r0123456789ab", trainer)) == RunWeights("r0123456789ab", trainer)


def test_old_links_are_parsed() -> None:
    """Tokens in existing links do not change."""
    assert [weights_token("r0123456789ab"), weights_token("r0123456789ab", 2)] == [
        "run:r0123456789ab",
        "run:r0123456789ab:2",
    ]


@pytest.mark.parametrize("token", ["", "run:", "run:../../etc", "run:r0123456789ab/x", "file:r0123456789ab", "run:R0"])
def test_other_texts_are_not_tokens(token: str) -> None:
    """A forged link names nothing."""
    assert parse_weights_token(token) is None
