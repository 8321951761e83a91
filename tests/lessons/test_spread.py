"""Middle, spread, and the honesty about small effects."""

import pytest

from explorer.lessons.spread import change, speedup, spread


def test_the_middle_and_the_quartiles() -> None:
    """Of 1 to 5: 3, between 2 and 4; an outlier does not move the middle."""
    assert spread([1, 2, 3, 4, 5]) == (3, 2, 4)
    assert spread([1, 2, 3, 4, 500]).middle == 3


def test_a_speedup_is_clear_when_the_quartiles_do_not_touch() -> None:
    """Twice as fast and well apart, or about the same."""
    assert speedup([2.0, 2.1, 2.2], [1.0, 1.05, 1.1]) == (pytest.approx(2.0), True)
    assert not speedup([1.0, 2.0, 3.0], [1.5, 1.9, 2.9]).clear


def test_a_change_over_seeds() -> None:
    """Small when seeds disagree on the sign or hardly anything changes."""
    assert not change([1.0, 2.0], [1.5, 3.0]).small
    assert change([1.0, 2.0], [1.5, 1.8]).small
    assert change([1.0, 2.0], [1.01, 2.02]).small
    assert change([0.0, 1.0], [1.0, 1.0]) is None
