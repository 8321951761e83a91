"""Confidence intervals of accuracies, against published values."""

import pytest

from explorer.training.intervals import Interval, count_correct, newcombe, wilson


@pytest.mark.parametrize(
    ("correct", "images", "expected"),
    [  # Newcombe 1998, Statistics in Medicine 17: 857–872, table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilsons_interval(correct: int, images: int, expected: tuple[float, float]) -> None:
    """It is that of the literature, also where nothing is correct."""
    assert wilson(correct, images) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Newcombe 1998, Statistics in Medicine 17: 873–890, table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
    ],
)
def test_the_interval_of_a_difference(
    first: tuple[int, int], second: tuple[int, int], expected: tuple[float, float]
) -> None:
    """It is that of the literature."""
    assert newcombe(first, second) == pytest.approx(expected, abs=1e-4)


def test_an_interval_contains_its_bounds() -> None:
    """And nothing beyond them."""
    interval = Interval(0.1, 0.2)
    assert [interval.contains(value) for value in (0.05, 0.1, 0.15, 0.2, 0.25)] == [False, True, True, True, False]


def test_correct_images_are_on_the_diagonal() -> None:
    """All others are misclassified."""
    assert count_correct(((5, 1), (0, 4))) == (9, 10)
