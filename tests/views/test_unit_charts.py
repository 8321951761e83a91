"""The arithmetic of one output value as charts: well-formed, with the right numbers, and the same in words."""

import re
from math import sqrt
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.jobs.units import Term, UnitReport
from explorer.unit_arithmetic import BatchNorm, batch_normalised, biased, normalised_response, scaled, summed
from explorer.views import formatting as fmt
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
    assert "Point at a cell to see its value." in whole
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


NUMBERS = st.floats(-20, 20).filter(lambda value: abs(value) > 1e-3)
PRINTED = re.compile(r"(?:[+−] ?)?\d[\d,.]*(?: · 10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")


def printed(text: str) -> list[float]:
    """Return the numbers in a text, as a reader types them into a calculator."""
    plain = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789", " ,")
    return [float(number.replace(" · 10", "e").translate(plain)) for number in PRINTED.findall(text)]


@given(total=NUMBERS, bias=NUMBERS, mean=NUMBERS, variance=st.floats(0.01, 20), gamma=NUMBERS, beta=NUMBERS)
def test_the_printed_digits_give_the_printed_results(
    total: float, bias: float, mean: float, variance: float, gamma: float, beta: float
) -> None:
    """Recomputed from the digits on screen, each result agrees to its last digit, or has an ≈."""
    steps = batch_normalised(biased(summed(total, 1, 9), bias), BatchNorm(mean, variance, gamma, beta, 1e-5)).steps
    chart = unit_charts.steps_chart(CONV.replace(steps=steps), NAMES)
    left = re.findall(r'<text x="0\.0" y="\d+\.0"[^>]*font-weight="400">([^<]*)<', chart)
    right = re.findall(r'<text x="470\.0" y="\d+\.0"[^>]*font-weight="600">([^<]*)<', chart)
    ((start,), (shown_bias,), numbers) = printed(right[0]), printed(left[1]), printed(" ".join(left[2:]))
    shift, spread, epsilon, factor, offset = numbers
    biased_total = start + shown_bias
    (after_bias,) = printed(right[1])
    normalised = (after_bias + shift) / sqrt(spread + epsilon) * factor + offset
    for value, text in ((biased_total, right[1]), (normalised, right[2])):
        if "≈" not in text:
            (shown,) = printed(text)
            digits = len(re.sub(r" · 10.*|[^\d]", "", text).lstrip("0"))
            assert value == pytest.approx(shown, rel=6 * 10.0**-digits)


def test_enough_digits_are_shown_for_a_bias() -> None:
    """Three digits of the bias would not give the result."""
    chart = unit_charts.steps_chart(CONV.replace(steps=biased(summed(8.046185, 9.0, 9), 0.100881).steps), NAMES)
    assert "Bias: + 0.100881" in chart
    assert ">8.147066<" in chart
    assert ">result so far<" in chart


def test_the_factors_of_a_term_give_its_product() -> None:
    """1.9 × 0.24 would be 0.456."""
    report = ANSWER.replace(terms=(Term(7, 1.8532 * 0.23741, 1.8532, 0.23741),))
    factors = re.findall(r">([\d.]+) × ([\d.]+)<", unit_charts.terms_chart(report, NAMES))[0]
    assert fmt.number(float(factors[0]) * float(factors[1])) == fmt.number(1.8532 * 0.23741)


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
