"""Charts of several networks: the numbers in them are the summaries', the colours the variants'."""

import random

import pytest

from explorer import PRESETS, summarize
from explorer.comparison import Comparison, NetworkTotals
from explorer.runs.results import BestResult
from explorer.views.palette import DARK, LIGHT
from explorer.views.variant_figures import (
    QUANTITIES,
    Mark,
    Point,
    difference_per_block,
    label_places,
    per_block,
    scatter,
    timing_boxes,
)

NAMES = ["paper", "half", "mini"]
COMPARISON = Comparison(tuple(summarize(PRESETS[name]) for name in NAMES))
POINTS = [Point(name, NetworkTotals.of(summarize(config)), is_own=False) for name, config in PRESETS.items()]


@pytest.mark.parametrize("quantity", [name for name in QUANTITIES if name != "receptive_field"])
def test_bars_per_block(quantity: str) -> None:
    """Each network's bars add up to its total at inference."""
    figure = per_block(COMPARISON, NAMES, quantity, LIGHT)
    for trace, summary in zip(figure.data, COMPARISON.summaries, strict=True):
        assert sum(trace.y) == getattr(summary.inference_totals, quantity)
        assert not any(block.startswith("aux_") for block in trace.x)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.variants[letter] for letter in "ABC"]


@pytest.mark.parametrize("quantity", [name for name in QUANTITIES if name != "receptive_field"])
def test_where_the_difference_is(quantity: str) -> None:
    """Each network's bars add up to its difference from the base, which has none; the title names the largest one."""
    figure = difference_per_block(COMPARISON, NAMES, quantity, LIGHT)
    base = COMPARISON.summaries[0].inference_totals
    for trace, summary in zip(figure.data, COMPARISON.summaries[1:], strict=True):
        assert sum(trace.y) == getattr(summary.inference_totals, quantity) - getattr(base, quantity)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.variants[letter] for letter in "BC"]
    largest = max((abs(value), block) for trace in figure.data for block, value in zip(trace.x, trace.y, strict=True))
    assert figure.layout.title.text.startswith(f"{largest[1]} differs most: C mini has −")


def test_measured_accuracies_are_at_the_marks() -> None:
    """Those on the dataset of most runs, which the title names; without a run the labels are names alone."""
    half = {"Scales": BestResult(50, 100, 1)}
    points = [point._replace(measured=half) if point.name == "mini" else point for point in POINTS]
    points[0] = points[0]._replace(measured={"Scales": BestResult(25, 100, 3), "Fashion-MNIST": BestResult(9, 10, 1)})
    figure = scatter(points, LIGHT)
    assert {"mini · 50.0 %", f"{points[0].name} · 25.0 % (best of 3)"} <= {
        note.text for note in figure.layout.annotations
    }
    assert "test accuracy on Scales, of several trainings here the best" in figure.layout.title.text
    assert "%" not in "".join(note.text for note in scatter(POINTS, LIGHT).layout.annotations)


def test_receptive_fields() -> None:
    """A line per network through its modules."""
    figure = per_block(COMPARISON, NAMES, "receptive_field", DARK)
    assert dict(zip(figure.data[0].x, figure.data[0].y, strict=True))["5b"] == 715
    assert figure.data[1].line.color == DARK.variants["B"]


def test_the_title_names_the_largest_difference() -> None:
    """It names the network and the difference, or says that there is none."""
    assert per_block(COMPARISON, NAMES, "macs", LIGHT).layout.title.text == "C mini: −1.560 G MACs against A paper"
    alike = Comparison((COMPARISON.summaries[0],) * 2)
    assert per_block(alike, ["a", "b"], "macs", LIGHT).layout.title.text == "All have the same MACs"


def test_the_scatter() -> None:
    """Every network once at its place, and the front through those that no other is better than."""
    own = Point(
        "mine", NetworkTotals(100_000, 100_000, 30_000_000, 1_000, 59), "B", True, "2.0 ms for one image", "top-1 9 %"
    )
    figure = scatter([*POINTS, own], LIGHT)
    front, yours, presets = figure.data
    corners = list(zip(front.x, front.y, strict=True))
    assert corners[1:-1] == [(100_000, 30_000_000), (378_658, 22_479_920)]
    assert corners[0][0] == 100_000
    assert corners[-1][1] == 22_479_920
    assert front.line.shape == "hv"
    assert len(presets.x) == len(PRESETS)
    assert {note.text for note in figure.layout.annotations} == {"B mine", *PRESETS}
    assert list(yours.marker.color) == [LIGHT.variants["B"]]
    assert "2.0 ms" in yours.customdata[0]
    assert "top-1 9 %" in yours.customdata[0]
    sizes = dict(zip(PRESETS, presets.marker.size, strict=True))
    assert sizes["naive"] == max(sizes.values()) > sizes["mini"]


def test_a_front_of_one_network_can_be_seen() -> None:
    """The line leads from the top of the chart down to it and on to the right edge."""
    figure = scatter(POINTS, LIGHT)
    front, mini = figure.data[0], PRESETS["mini"]
    at = NetworkTotals.of(summarize(mini))
    assert [x for x, _ in zip(front.x, front.y, strict=True)][:2] == [at.parameters] * 2
    assert front.y[0] > max(point.facts.macs for point in POINTS)
    assert front.x[-1] > max(point.facts.parameters for point in POINTS)


@pytest.mark.parametrize("number", [2, 9, 30])
def test_labels_cover_neither_marks_nor_each_other(number: int) -> None:
    """However close the marks are, no visible label overlaps; the first labels always find a place."""
    rng = random.Random(number)
    marks = [Mark(300 + rng.uniform(0, 40), -150 + rng.uniform(0, 30), rng.uniform(5, 15)) for _ in range(number)]
    labels = [f"network_{at}" for at in range(number)]
    places = label_places(marks, labels)
    assert None not in places[:9]
    boxes = [
        (mark.x + place[0] - 25, mark.y + place[1] - 6, mark.x + place[0] + 25, mark.y + place[1] + 6)
        for mark, place in zip(marks, places, strict=True)
        if place
    ]
    circles = [(m.x - m.radius, m.y - m.radius, m.x + m.radius, m.y + m.radius) for m in marks]
    for at, box in enumerate(boxes):
        assert not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for other in (*boxes[:at], *circles)
        )


def test_the_axes_suit_the_networks() -> None:
    """Networks of similar size have linear axes; very different ones need logarithmic axes."""
    similar = [point for point in POINTS if point.name in ("paper", "torchvision", "batch_norm")]
    assert scatter(similar, LIGHT).layout.xaxis.type is None
    assert scatter(POINTS, LIGHT).layout.xaxis.type == scatter(POINTS, LIGHT).layout.yaxis.type == "log"


def test_measured_times() -> None:
    """Every measurement is a dot in its network's colour."""
    figure = timing_boxes({"A paper": (1.0, 2.0, 3.0), "B half": (0.5, 0.6, 0.7)}, DARK)
    assert [tuple(trace.x) for trace in figure.data] == [(1.0, 2.0, 3.0), (0.5, 0.6, 0.7)]
    assert [trace.line.color for trace in figure.data] == [DARK.variants["A"], DARK.variants["B"]]
