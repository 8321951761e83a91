"""Typed numbers: what was typed counts as what it means, or is refused with the reason; nothing is dropped."""

from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.typed_numbers import Unreadable, read_number, read_whole, unreadable_message

FULL_WIDTH = str.maketrans("0123456789,.-+", "０１２３４５６７８９，．－＋")
ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.fractions()
    | st.text()
    | st.text("0123456789.,eE+- ０１，．−\u00a0x")
    | st.binary()
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text(max_size=2), st.none(), max_size=2)
)


@given(st.integers(-(10**30), 10**30), st.sampled_from(["{}", "{:,}", " {} ", "{:+}", "{:+,}"]))
def test_a_whole_number_counts_however_it_is_written(number: int, style: str) -> None:
    """Plain, with a sign or in groups of three; in full-width characters, with the minus sign, or with spaces."""
    text = style.format(number)
    assert number == read_whole(text)
    assert number == read_whole(text.translate(FULL_WIDTH))
    assert number == read_whole(text.replace("-", "−"))
    assert number == read_whole(text.replace(",", "\u202f"))
    assert float(number) == read_number(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_counts_as_python_writes_it(number: float) -> None:
    """With a decimal point and an exponent, in full-width characters too."""
    assert number == read_number(str(number))
    assert number == read_number(str(number).translate(FULL_WIDTH))


@given(ANYTHING)
def test_any_input_is_a_number_a_blank_or_refused(value: Any) -> None:
    """A browser may send anything: nothing raises, and each refusal can be shown as a short sentence."""
    for read, kinds, whole in ((read_whole, int, True), (read_number, float, False)):
        result = read(value)
        if isinstance(result, Unreadable):
            assert len(unreadable_message("4a, #3×3", result, whole=whole)) < 200
        else:
            assert result is None or type(result) is kinds


@given(st.text("0123456789.,eE+-x ０１２", min_size=1))
def test_no_digit_is_dropped(text: str) -> None:
    """The digits of a whole number are those that were typed."""
    number = read_whole(text)
    if isinstance(number, int):
        typed = "".join(str(int(character)) for character in text if character.isdecimal())
        assert str(abs(number)) == (typed.lstrip("0") or "0")


@pytest.mark.parametrize("blank", [None, "", "  ", "\n", "\u3000", nan])
def test_a_blank_is_no_number_and_no_error(blank: Any) -> None:
    """What a blank means is for the field to say."""
    assert read_whole(blank) is None
    assert read_number(blank) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "no_number"),
        ("12a", "no_number"),
        ("0x10", "no_number"),
        ("1_000", "no_number"),
        ("3²", "no_number"),
        ("½", "no_number"),
        ("-", "no_number"),
        (".", "no_number"),
        ("--5", "no_number"),
        ("inf", "no_number"),
        ("1 5", "no_number"),
        ("9" * 401, "no_number"),
        ("1.5", "not_whole"),
        ("1.000", "not_whole"),
        ("5.", "not_whole"),
        ("１．５", "not_whole"),
        ("1e9", "exponent"),
        ("1,5", "separators"),
        ("1,0000", "separators"),
        ("1.000.000", "separators"),
        (",5", "separators"),
        (True, "no_number"),
        (b"64", "no_number"),
        (inf, "not_whole"),
        (Fraction(1, 3), "not_whole"),
    ],
)
def test_a_whole_number_is_refused_with_the_reason(text: Any, reason: str) -> None:
    """With the beginning of what was typed, unchanged."""
    result = read_whole(text)
    assert isinstance(result, Unreadable)
    assert reason == result.reason
    assert result.excerpt == str(text)[:20]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("1e-3", 0.001), ("1,000.5", 1_000.5), (2, 2.0), (Decimal("0.1"), 0.1)],
)
def test_a_fraction_may_have_a_point_and_an_exponent(text: Any, expected: float) -> None:
    """As in 1e-3, the way learning rates are written."""
    assert expected == read_number(text)


@pytest.mark.parametrize("text", ["x", "1e", "inf", "nan", "1e999", "1/3", "50%", True, [1], 10**400, inf, -inf])
def test_what_is_no_finite_number_is_refused(text: Any) -> None:
    """Infinity is none, by any way to write it."""
    assert "no_number" == read_number(text).reason


def test_a_decimal_comma_is_refused_with_both_ways_to_read_it() -> None:
    """1,5 could be one and a half or fifteen."""
    message = unreadable_message("Dropout", read_number("1,5"), whole=False)
    assert message == (
        "Dropout: “1,5” can be read in two ways. Write a decimal point, as in 0.5; a comma separates thousands, "
        "as in 1,000."
    )
