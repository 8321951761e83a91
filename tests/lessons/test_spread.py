"""Middle, spread, and the honesty about small effects."""

import pytest

from explorer.lessons.spread import change, speedup, spread


def test_the_middle_and_the_quartiles() -> None:
    """Of 1 to 5: 3, between 2 and 4; an outlier does not move the middle."""
    assert spread([1, 2, 3, 4, 5]) == (3, 2, 4)
    assert spread([1, 2, 3, 4, 500]).middle == 3


def test_a_speedup_is_taken_round_by_round() -> None:
    """A round in which both were ten times slower counts like any other."""
    assert speedup([2.0, 20.0, 2.2], [1.0, 10.0, 1.1]) == pytest.approx((2.0, 2.0, 2.0))
    about_equal = speedup([1.0, 2.0, 3.0], [1.1, 1.9, 3.0])
    assert about_equal.holds(1)
    assert not about_equal.holds(2)


def test_a_change_over_seeds() -> None:
    """Small when seeds disagree on the sign or hardly anything changes."""
    assert not change([1.0, 2.0], [1.5, 3.0]).small
    assert change([1.0, 2.0], [1.5, 1.8]).small
    assert change([1.0, 2.0], [1.01, 2.02]).small
    assert change([0.0, 1.0], [1.0, 1.0]) is None
