"""The chart from the logit of a class to its probability, and the same in words."""

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from explorer.unit_arithmetic import softmax
from explorer.units import Unit
from explorer.views import unit_charts
from explorer.views.look_inside import probability
from explorer.views.softmax_chart import softmax_chart
from explorer.views.unit_names import Names
from tests.views.unit_reports import ANSWER, CONV, NAMES

EXPONENT = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")
BOLD = re.compile(r'x="470\.0"[^>]*>([^<%]*)<')
QUOTIENT = re.compile(r">Probability = ([^<]*) ÷ ([^<]*)<")


def test_the_chart_divides_the_term_by_the_sum() -> None:
    """The real numbers: five classes by name, the others together, the sum, the quotient."""
    chart = softmax_chart(ANSWER, NAMES)
    assert "Softmax: Trouser &amp; &lt;b&gt; = 26.0 %" in chart
    assert chart.count(">e^(1.5 − 2.5)<") == 1
    assert "T-shirt/top e^(2.5 − 2.5) = 1; Trouser &amp; &lt;b&gt; e^(1.5 − 2.5) = 0.368; class 0" in chart
    assert "2 others together 0.00206" in chart
    assert ">Probability = 0.368 ÷ 1.415<" in chart
    assert "is a probability of 26.0 %." in chart


@given(logits=st.lists(st.floats(-12, 12), min_size=2, max_size=12))
def test_the_printed_numbers_give_the_printed_probability(logits: list[float]) -> None:
    """Whoever adds the terms gets the sum, and whoever divides gets the percentage, to its last digit."""
    chart = softmax_chart(ANSWER.replace(softmax=softmax(logits, 0, 5)), Names(NAMES.graph, ()))
    values = [float(text.replace(" · 10", "e").translate(EXPONENT)) for text in BOLD.findall(chart)]
    own, total = (float(text.replace(" · 10", "e").translate(EXPONENT)) for text in QUOTIENT.findall(chart)[0])
    *_, shown = re.findall(r">([^<]* %)<", chart)
    shown = unescape(shown)
    if "≈" in shown:
        return
    assert probability(own / total) == shown
    rows = min(len(logits), 6)  # five classes, and the others together
    terms = values[:rows]
    assert values[rows] == total
    assert abs(sum(terms) - total) < 10.0 ** -(len(str(total).partition(".")[2]))


def test_words_end_with_the_probability() -> None:
    """As a screen reader reads them; other values have no softmax."""
    assert "e^(1.5 − 2.5) = 0.368, divided by the sum 1.415 of all classes" in unit_charts.words(ANSWER, NAMES)
    assert "softmax" not in unit_charts.words(CONV, NAMES)
    assert softmax_chart(CONV, NAMES) == ""


def test_a_class_of_a_head_has_its_own_name() -> None:
    """A negative maximum is subtracted with its sign; a class that is not among the five has its own term too."""
    unit = Unit("aux_4a.classifier", 6)
    report = ANSWER.replace(unit=unit, softmax=softmax((-1.0, -2, -3, -4, -5, -6, -7), 6, 5))
    chart = softmax_chart(report, NAMES)
    assert "Softmax: class 4 = 0.2 %" in chart
    assert "e^(−7 + 1) = 0.00248, divided by" in chart
    assert ">e^(−7 + 1)<" in chart


def test_bars_have_one_scale() -> None:
    """Also where the others together are more than the largest class; classes without names have their number."""
    report = ANSWER.replace(softmax=softmax([0.0] * 1000, 999, 5))
    chart = softmax_chart(report, Names(NAMES.graph, ()))
    lengths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', chart)]
    assert lengths == [0.5] * 5 + [84.0, 0.5]  # 0.5 is the shortest bar that is seen
    assert "Softmax: class 999 = 0.1 %" in chart
    assert ">class 0</text>" in chart
