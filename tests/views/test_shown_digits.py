"""The digits of numbers in a calculation: as they are written, and as many as the result needs."""

import pytest

from explorer.views import formatting as fmt
from explorer.views.shown_digits import digits, enough, product, rounded


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [(-2.1234, 3, "−2.12"), (1234.5678, 7, "1,234.568"), (1024, 3, "1,024"), (1e-5, 3, "1 · 10⁻⁵"), (0, 3, "0")],
)
def test_a_number_has_its_digits(value: float, count: int, text: str) -> None:
    """Significant ones, all before the point, and a power of ten for very small numbers."""
    assert text == digits(value, count)
    assert rounded(value, count) == pytest.approx(value, rel=10.0**-count * 5)


def test_as_many_digits_as_the_result_needs() -> None:
    """None if no number of digits gives it."""
    assert enough((1.23456, 1), lambda both: fmt.number(sum(both)), "2.23") == 3
    assert enough((1.8532, 0.23741), lambda both: fmt.number(both[0] * both[1]), "0.44") == 4
    assert enough((1.0,), lambda one: fmt.number(one[0]), "2") is None


def test_a_product_that_differs_is_marked() -> None:
    """By the sign that stands before it."""
    assert product(1.5, 2, fmt.number) == ("1.5 × 2", "=")
    assert product(1.5, 2, lambda value: f"{value}" if value != 3 else "?") == ("1.5 × 2", "=")
    assert product(1.23456789012345, 2, lambda value: f"{value:.17g}")[1] == "≈"
