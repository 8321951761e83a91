"""From the logit of a class to its probability: the terms of the softmax as a chart, and in words."""

from explorer.jobs.units import UnitReport
from explorer.unit_arithmetic import Softmax, SoftmaxTerm
from explorer.views import formatting as fmt
from explorer.views import map_images, svg
from explorer.views.look_inside import probability
from explorer.views.unit_maps import WIDTH
from explorer.views.unit_names import Names

_BAR_LEFT, _BAR = 312, 84  # where the bars begin, and the length of the longest


def softmax_chart(report: UnitReport, names: Names) -> str:
    """Return how the probability of a class follows from all logits; empty if the value is no class."""
    found = report.softmax
    if found is None:
        return ""
    body, y = [svg.text(0, 40, "e^(logit − largest logit) of each class, and their sum", faint=True)], 50
    scale = 1 / max(1.0, found.rest)
    for term in found.largest:
        name, strong = _name(term, names), term == found.own
        body += _row(y, name, term.exponential, scale, _exponential(term, found), strong=strong)
        y += 24
    if found.rest_count:
        body += _row(y, _others(found), found.rest, scale)
        y += 24
    body += [
        svg.line(0, y, WIDTH, y, opacity=0.4),
        svg.text(16, y + 18, "Sum", weight=600),
        svg.text(WIDTH, y + 18, fmt.number(found.total), anchor="end", weight=600),
    ]
    if found.own not in found.largest:
        y += 24
        body += _row(y + 4, _name(found.own, names), found.own.exponential, scale, _exponential(found.own, found))
    body += [
        svg.text(16, y + 42, f"Probability = {_quotient(found)}", weight=600),
        svg.text(WIDTH, y + 42, probability(found.probability), anchor="end", weight=600),
    ]
    name = _name(found.own, names)
    title = f"Softmax: {name if len(name) <= 32 else name[:31] + '…'} = {probability(found.probability)}"
    terms = "; ".join(f"{_name(term, names)} {_term_in_words(term, found)}" for term in found.largest)
    rest = f"; {_others(found)} {fmt.number(found.rest)}" if found.rest_count else ""
    alt = f"Softmax, the terms of the classes: {terms}{rest}. {softmax_in_words(found)}"
    return svg.chart(WIDTH, y + 52, title, alt, body)


def softmax_in_words(found: Softmax) -> str:
    """Return how the term of the class and the sum make its probability."""
    return (
        f"By softmax, {_term_in_words(found.own, found)}, divided by the sum {fmt.number(found.total)} of all classes, "
        f"is a probability of {probability(found.probability)}."
    )


def _row(y: float, label: str, value: float, scale: float, operation: str = "", *, strong: bool = False) -> list[str]:
    """Return a term with its bar; ``scale`` makes the largest value 1."""
    return [
        svg.text(16, y + 14, label if len(label) <= 22 else f"{label[:21]}…", weight=600 if strong else 400),
        svg.text(_BAR_LEFT - 8, y + 14, operation, anchor="end", faint=True),
        svg.rect(_BAR_LEFT, y + 2, max(_BAR * scale * value, 0.5), 15, map_images.SIGNED[2]),
        svg.text(WIDTH, y + 14, fmt.number(value), anchor="end", weight=600),
    ]


def _name(term: SoftmaxTerm, names: Names) -> str:
    name = names.class_name(term.number)
    return name if names.class_names else f"class {name}"


def _others(found: Softmax) -> str:
    return f"{found.rest_count:,} other{'s' if found.rest_count > 1 else ''} together"


def _exponential(term: SoftmaxTerm, found: Softmax) -> str:
    """Return the power of e with the real numbers."""
    sign = "+" if found.maximum < 0 else "−"
    return f"e^({fmt.number(term.logit)} {sign} {fmt.number(abs(found.maximum))})"


def _term_in_words(term: SoftmaxTerm, found: Softmax) -> str:
    return f"{_exponential(term, found)} = {fmt.number(term.exponential)}"


def _quotient(found: Softmax) -> str:
    return f"{fmt.number(found.own.exponential)} ÷ {fmt.number(found.total)}"
