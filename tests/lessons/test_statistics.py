"""Median, quartiles, speed-ups, and changes that are too small to report."""

import pytest

from explorer.lessons.statistics import quartiles, relative_change, speedup


def test_the_median_and_the_quartiles() -> None:
    """Of 1 to 5 they are 3, 2 and 4; an outlier does not change the median."""
    assert quartiles([1, 2, 3, 4, 5]) == (3, 2, 4)
    assert quartiles([1, 2, 3, 4, 500]).median == 3


def test_a_speedup_is_computed_round_by_round() -> None:
    """A round in which both versions are ten times slower gives the same ratio."""
    assert speedup([2.0, 20.0, 2.2], [1.0, 10.0, 1.1]) == pytest.approx((2.0, 2.0, 2.0))
    about_equal = speedup([1.0, 2.0, 3.0], [1.1, 1.9, 3.0])
    assert about_equal.contains(1)
    assert not about_equal.contains(2)


def test_a_change_over_seeds() -> None:
    """It is negligible when seeds disagree on the sign or the mean is below 5 %."""
    assert not relative_change([1.0, 2.0], [1.5, 3.0]).is_negligible
    assert relative_change([1.0, 2.0], [1.5, 1.8]).is_negligible
    assert relative_change([1.0, 2.0], [1.01, 2.02]).is_negligible
    assert relative_change([0.0, 1.0], [1.0, 1.0]) is None
