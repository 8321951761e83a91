"""As many digits of the numbers in a calculation that a reader who recomputes it gets the result that is shown."""

from collections.abc import Callable, Sequence

LEAST, MOST = 3, 12  # significant digits of a number in a calculation
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGE = 1e7  # from here on a number is written with a power of ten


def digits(value: float, count: int) -> str:
    """Return a number to ``count`` significant digits, with a true minus: ``−2.12``, ``1,234.568``, ``1 · 10⁻⁵``.

    The digits before the point are all there.
    """
    mantissa, _, exponent = f"{value:,.{_significant(value, count)}g}".partition("e")
    mantissa = mantissa.replace("-", "−")
    return f"{mantissa} · 10{str(int(exponent)).translate(SUPERSCRIPTS)}" if exponent else mantissa


def rounded(value: float, count: int) -> float:
    """Return the number that :func:`digits` writes."""
    return float(f"{value:.{_significant(value, count)}g}")


def _significant(value: float, count: int) -> int:
    return max(count, len(f"{abs(value):.0f}")) if abs(value) < _LARGE else count


def enough(
    operands: Sequence[float], compute: Callable[[Sequence[float]], str], result: str, least: int = LEAST
) -> int | None:
    """Return the fewest digits of the operands from which ``compute`` gives the result; None if even many do not."""
    return next(
        (n for n in range(least, MOST + 1) if compute([rounded(value, n) for value in operands]) == result), None
    )


def product(value: float, weight: float, shown: Callable[[float], str]) -> tuple[str, str]:
    """Return ``1.87 × 0.235``, and ``=`` or ``≈``, which belongs before the product as ``shown`` writes it."""
    count = enough((value, weight), lambda both: shown(both[0] * both[1]), shown(value * weight))
    factors = f"{digits(value, count or LEAST)} × {digits(weight, count or LEAST)}"
    return factors, "=" if count else "≈"
