"""The arithmetic of one output value as charts: well-formed, with the right numbers, and the same in words."""

from xml.etree import ElementTree

import pytest

from explorer.jobs.units import UnitReport
from explorer.unit_arithmetic import normalised_response, scaled, summed
from explorer.views import unit_charts
from tests.views.unit_reports import ALL, ANSWER, CONV, NAMES, PIXEL, POOL


@pytest.mark.parametrize("report", ALL.values(), ids=ALL)
def test_every_chart_is_well_formed(report: UnitReport) -> None:
    """Whatever the names of the classes are."""
    whole = unit_charts.window_charts(report) + unit_charts.arithmetic(report, NAMES)
    whole += unit_charts.terms_chart(report, NAMES)
    ElementTree.fromstring(f"<div>{whole}</div>")
    assert "aria-label" in whole
    assert "Reading" not in unit_charts.reading(report)


def test_a_window_has_its_numbers_and_its_padding() -> None:
    """Input × kernel = products, with their sum; the strongest cause has a frame in all three."""
    whole = unit_charts.window_charts(CONV)
    assert whole.count(">pad<") == 10
    assert "The window: padding padding padding; 0.5 1 padding; 0.25 0 padding" in whole
    assert "Their sum: 2.75." in whole
    assert whole.count('data-cell="1:1" data-product="Row 1, column 1: 1 × 2 = 2"') == 3  # the same in all three grids
    assert whole.count('stroke-width="3"') == 3


def test_a_pool_has_no_kernel() -> None:
    """Only the window, with its maximum in a frame."""
    whole = unit_charts.window_charts(POOL)
    assert "Kernel" not in whole
    assert "padding: −∞, never the largest value" in whole
    assert "counts as 0" not in whole
    assert whole.count('stroke-width="3"') == 1
    assert unit_charts.terms_chart(POOL, NAMES) == ""


def test_the_terms_shown_and_the_others_add_up() -> None:
    """Twelve are named; the others are one bar; those of a convolution can be selected."""
    chart = unit_charts.terms_chart(CONV, NAMES)
    assert "The sum of 24 input channels" in chart
    assert chart.count("data-choice") == 12
    assert "12 others together 1;" in chart.replace(".", ";")
    assert "3a 3×3 reduce, channel 2: 1.5" in chart
    chart = unit_charts.terms_chart(ANSWER, NAMES)
    assert "classifier pool, channel 7: 1.5 × 2 = 3" in chart
    assert "data-choice" not in chart


def test_the_steps_say_the_arithmetic_in_words() -> None:
    """Sum, BatchNorm with its signs, ReLU, and the network's own number."""
    chart = unit_charts.steps_chart(CONV, NAMES)
    assert "The sum of 216 products is 3.5." in chart
    assert "BatchNorm: (x + 0.25) ÷ √(1 + 0) · 2 − 0.5 = 7." in chart
    assert "The ReLU keeps it: 7." in chart
    assert "The network&#x27;s own number is 7. Equal." in chart
    assert "Plus the bias −0.5: 1.5." in unit_charts.steps_chart(ANSWER, NAMES)
    assert "they differ by 1 · 10⁻⁷; rounding allows 1 · 10⁻⁴." in unit_charts.steps_chart(ANSWER, NAMES)
    assert "so nothing is rounded" in unit_charts.steps_chart(POOL, NAMES)


def test_words_name_the_value_and_its_cause() -> None:
    """As a screen reader reads them after each move."""
    text = unit_charts.words(CONV, NAMES)
    assert text.startswith("3a 3×3, channel 4, row 0, column 13: The sum of 216 products is 3.5.")
    assert text.endswith("Its strongest cause is 3a 3×3 reduce, channel 2, row 0, column 13.")
    assert "The pixel is 191 of 255, or 0.75." in unit_charts.words(PIXEL, NAMES)
    assert "cause" not in unit_charts.words(PIXEL, NAMES)


def test_other_steps_have_words_too() -> None:
    """A branch's factor, and local response normalisation."""
    halved = CONV.replace(steps=scaled(summed(3.0, 3.0, 9), 0.5).steps)
    assert "Times the branch’s factor: 1.5.".replace("’", "'") in unit_charts.words(halved, NAMES)
    norm = CONV.replace(kind="lrn", steps=normalised_response(2.0, 5.0, 1e-4, 0.75, 1.0, 5).steps)
    assert "to the power of 0.75" in unit_charts.words(norm, NAMES)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (0.0001, "≈ 0"), (-0.063, "−0.063"), (1.53, "1.5"), (12.4, "12"), (-432.1, "−432")],
)
def test_a_cell_has_two_digits(value: float, text: str) -> None:
    """And a true minus."""
    assert text == unit_charts.cell_text(value)
