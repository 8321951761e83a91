"""Numbers read the same on every page."""

import pytest

from explorer.views import formatting as fmt


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (512, "512"), (1_000, "1.00 k"), (6_998_552, "7.00 M"), (1_582_671_872, "1.583 G"), (-2_500, "-2.50 k")],
)
def test_short_numbers_have_a_decimal_prefix(number: int, text: str) -> None:
    """Comparison needs few digits, and the unit says which."""
    assert text == fmt.short(number)


def test_exact_numbers_have_every_digit_in_groups() -> None:
    """Where exactness is the point, nothing is rounded."""
    assert "6,998,552" == fmt.exact(6_998_552)
    assert "512 × 14 × 14" == fmt.shape((512, 14, 14))
    assert "1,000" == fmt.shape((1000,))
    assert "14×7" == fmt.size((14, 7))


def test_memory_is_four_bytes_a_number_in_decimal_megabytes() -> None:
    """1 MB is 10⁶ bytes."""
    assert "28.0 MB" == fmt.megabytes(6_998_552)


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (100, 100, ""),
        (6_998_552 + 2_450, 6_998_552, "+2,450 (+0.04 %)"),
        (90, 100, "−10 (−10.00 %)"),
        (5, 0, "+5"),
    ],
)
def test_a_change_has_sign_and_percentage(now: int, before: int, text: str) -> None:
    """No change gives an empty text; a change from 0 has no percentage."""
    assert text == fmt.change(now, before)


def test_a_change_of_memory_is_in_bytes() -> None:
    """The unit is that of the number above: 5,460 float32 numbers more are 21.84 kB."""
    assert "+21.84 kB (+0.08 %)" == fmt.memory_change(6_998_552 + 5_460, 6_998_552)
    assert "−40 B (−10.00 %)" == fmt.memory_change(90, 100)
    assert "" == fmt.memory_change(7, 7)


def test_signed_numbers_use_the_minus_sign() -> None:
    """A minus is as wide as a plus."""
    assert ("±0", "+1,728", "−3,456") == tuple(map(fmt.signed, (0, 1_728, -3_456)))
    assert ("±0", "+1.73 k", "−3.46 k") == tuple(map(fmt.signed_short, (0, 1_728, -3_456)))
    assert ("12.5 %", "–") == (fmt.percent(1, 8), fmt.percent(1, 0))


@pytest.mark.parametrize(("times", "text"), [(16.1616, "16.2"), (9.384, "9.38"), (103.4, "103"), (1234.5, "1,234")])
def test_ratios_have_three_digits(times: float, text: str) -> None:
    """However large."""
    assert text == fmt.ratio(times)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.48509231, "0.485"), (-2.1179, "−2.12"), (12_000.4, "12,000"), (-0.00005, "−5e−05"), (0.5, "0.5"), (0.0, "0")],
)
def test_measured_values_have_three_digits_and_a_true_minus(value: float, text: str) -> None:
    """Whatever their size."""
    assert text == fmt.number(value)


@pytest.mark.parametrize(("ms", "text"), [(3.5, "3.5 ms"), (0.3734, "0.373 ms"), (1234.0, "1,234 ms")])
def test_times_have_three_digits(ms: float, text: str) -> None:
    """In milliseconds."""
    assert text == fmt.milliseconds(ms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4a, #3×3: “abc” is not a number.", "4a, #3×3: “abc” is not a number."),
        ("![x](//evil)", r"!\[x\](//evil)"),
        ("<b> `x` $y$ *z* _w_", r"\<b> \`x\` \$y\$ \*z\* \_w\_"),
        ("a:red[b]\nc", r"a:red\[b\] c"),
    ],
)
def test_markup_in_a_text_stays_text(text: str, expected: str) -> None:
    """What could become an image, a link, a colour, a formula or a tag is escaped; plain words are left alone."""
    assert expected == fmt.markdown(text)
