"""Confidence intervals of accuracies, against published values."""

import pytest

from explorer.training.intervals import Interval, count_correct, median_interval, newcombe, sign_test, wilson


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


def test_the_sign_test_is_the_exact_binomial_test() -> None:
    """Both sides count; equal numbers are no evidence."""
    assert sign_test(9, 1) == sign_test(1, 9) == pytest.approx(2 * 11 / 2**10)
    assert sign_test(5, 5) == sign_test(0, 0) == 1.0


def test_the_interval_of_a_median_lies_between_two_values() -> None:
    """Of twenty values the sixth and the fifteenth, of six the first and the last; five are too few."""
    values = [float(number) for number in range(20, 0, -1)]
    assert median_interval(values) == (6.0, 15.0)
    assert median_interval(values[:6]) == (15.0, 20.0)
    assert median_interval(values[:5]) is None
