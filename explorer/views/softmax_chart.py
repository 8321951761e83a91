"""From the logit of a class to its probability: the terms of the softmax as a chart, and in words."""

from itertools import product
from math import exp
from typing import NamedTuple

from explorer.jobs.units import UnitReport
from explorer.unit_arithmetic import Softmax, SoftmaxTerm
from explorer.views import fonts, map_images, shown_digits, svg
from explorer.views.look_inside import probability
from explorer.views.shown_digits import digits, rounded
from explorer.views.unit_maps import WIDTH
from explorer.views.unit_names import Names

_BAR_LEFT, _BAR = 312, 84  # where the bars begin, and the length of the longest


class _Digits(NamedTuple):
    """How many digits the terms and their sum have, so that what is shown gives the sum and the probability."""

    term: int
    total: int
    is_exact: bool = True


def _digits(found: Softmax) -> _Digits:
    parts = [*(term.exponential for term in found.largest), found.rest]
    for total, count in product(range(shown_digits.LEAST, 9), range(shown_digits.LEAST, 9)):
        shown = rounded(found.total, total)
        is_sum = rounded(sum(rounded(part, count) for part in parts), total) == shown
        quotient = rounded(found.own.exponential, count) / shown
        if is_sum and probability(quotient) == probability(found.probability):
            return _Digits(count, total)
    return _Digits(shown_digits.LEAST, shown_digits.LEAST, is_exact=False)


def softmax_chart(report: UnitReport, names: Names) -> str:
    """Return how the probability of a class follows from all logits; empty if the value is no class."""
    found = report.softmax
    if found is None:
        return ""
    shown = _digits(found)
    body, y = [svg.text(0, 40, "e^(logit − largest logit) of each class, and their sum", faint=True)], 50
    scale = 1 / max(1.0, found.rest)
    for term in found.largest:
        name, strong = _name(term, names), term == found.own
        body += _term(y, name, term, scale, found, shown, strong=strong)
        y += 24
    if found.rest_count:
        body += _row(y, _others(found), found.rest, scale, digits(found.rest, shown.term))
        y += 24
    body += [
        svg.line(0, y, WIDTH, y, opacity=0.4),
        svg.text(16, y + 18, "Sum", weight=600),
        svg.text(WIDTH, y + 18, digits(found.total, shown.total), anchor="end", weight=600),
    ]
    if found.own not in found.largest:
        y += 24
        body += _term(y + 4, _name(found.own, names), found.own, scale, found, shown)
    body += [
        svg.text(16, y + 42, f"Probability = {_quotient(found, shown)}", weight=600),
        svg.text(
            WIDTH, y + 42, f"{'' if shown.is_exact else '≈ '}{probability(found.probability)}", anchor="end", weight=600
        ),
    ]
    name = _name(found.own, names)
    title = f"Softmax: {name if len(name) <= 32 else name[:31] + '…'} = {probability(found.probability)}"
    terms = "; ".join(f"{_name(term, names)} {_term_in_words(term, found, shown)}" for term in found.largest)
    rest = f"; {_others(found)} {digits(found.rest, shown.term)}" if found.rest_count else ""
    alt = f"Softmax, the terms of the classes: {terms}{rest}. {softmax_in_words(found)}"
    return svg.chart(WIDTH, y + 52, title, alt, body)


def softmax_in_words(found: Softmax) -> str:
    """Return how the term of the class and the sum make its probability."""
    shown = _digits(found)
    term, total = _term_in_words(found.own, found, shown), digits(found.total, shown.total)
    return (
        f"By softmax, {term}, divided by the sum {total} of all classes, "
        f"is a probability of {probability(found.probability)}."
    )


def _term(
    y: float, label: str, term: SoftmaxTerm, scale: float, found: Softmax, shown: _Digits, *, strong: bool = False
) -> list[str]:
    """Return the term of a class as a row."""
    power, sign = _exponential(term, found, shown)
    operation = power if sign == "=" else f"{power} {sign}"
    return _row(y, label, term.exponential, scale, digits(term.exponential, shown.term), operation, strong=strong)


def _row(
    y: float, label: str, value: float, scale: float, number: str, operation: str = "", *, strong: bool = False
) -> list[str]:
    """Return a value with its bar and as the number that is written; ``scale`` makes the largest value 1."""
    room = _BAR_LEFT - 32 - fonts.width(operation, svg.FONT)
    return [
        svg.text(16, y + 14, svg.shortened(label, room), weight=600 if strong else 400),
        svg.text(_BAR_LEFT - 8, y + 14, operation, anchor="end", faint=True),
        svg.rect(_BAR_LEFT, y + 2, max(_BAR * scale * value, 0.5), 15, map_images.SIGNED[2]),
        svg.text(WIDTH, y + 14, number, anchor="end", weight=600),
    ]


def _name(term: SoftmaxTerm, names: Names) -> str:
    name = names.class_name(term.number)
    return name if names.class_names else f"class {name}"


def _others(found: Softmax) -> str:
    return f"{found.rest_count:,} other{'s' if found.rest_count > 1 else ''} together"


def _exponential(term: SoftmaxTerm, found: Softmax, shown: _Digits) -> tuple[str, str]:
    """Return the power of e with the real numbers, and the sign before its value."""
    count = shown_digits.enough(
        (term.logit, found.maximum),
        lambda both: digits(exp(both[0] - both[1]), shown.term),
        digits(term.exponential, shown.term),
    )
    logit, maximum = (digits(value, count or shown_digits.LEAST) for value in (term.logit, found.maximum))
    difference = f"{logit} + {maximum[1:]}" if maximum.startswith("−") else f"{logit} − {maximum}"
    return f"e^({difference})", "=" if count else "≈"


def _term_in_words(term: SoftmaxTerm, found: Softmax, shown: _Digits) -> str:
    return f"{' '.join(_exponential(term, found, shown))} {digits(term.exponential, shown.term)}"


def _quotient(found: Softmax, shown: _Digits) -> str:
    return f"{digits(found.own.exponential, shown.term)} ÷ {digits(found.total, shown.total)}"
