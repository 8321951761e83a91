"""Charts of several networks: the numbers in them are the summaries', the colours the variants'."""

import pytest

from explorer import PRESETS, summarize
from explorer.comparison import Comparison, Facts
from explorer.views.palette import DARK, LIGHT
from explorer.views.variant_figures import QUANTITIES, Point, laps, per_block, scatter

NAMES = ["paper", "half", "mini"]
COMPARISON = Comparison(tuple(summarize(PRESETS[name]) for name in NAMES))
POINTS = [Point(name, Facts.of(summarize(config)), kept=False) for name, config in PRESETS.items()]


@pytest.mark.parametrize("quantity", [name for name in QUANTITIES if name != "receptive_field"])
def test_bars_per_block(quantity: str) -> None:
    """Each network's bars add up to its total at inference."""
    figure = per_block(COMPARISON, NAMES, quantity, LIGHT)
    for trace, summary in zip(figure.data, COMPARISON.summaries, strict=True):
        assert sum(trace.y) == getattr(summary.main, quantity)
        assert not any(block.startswith("aux_") for block in trace.x)
    assert [trace.marker.color for trace in figure.data] == [LIGHT.variants[letter] for letter in "ABC"]


def test_receptive_fields() -> None:
    """A line per network through its modules."""
    figure = per_block(COMPARISON, NAMES, "receptive_field", DARK)
    assert dict(zip(figure.data[0].x, figure.data[0].y, strict=True))["5b"] == 715
    assert figure.data[1].line.color == DARK.variants["B"]


def test_the_title_says_what_to_see() -> None:
    """The network that differs most, by how much; or that none does."""
    assert per_block(COMPARISON, NAMES, "macs", LIGHT).layout.title.text == "C mini: −1.560 G MACs against A paper"
    alike = Comparison((COMPARISON.summaries[0],) * 2)
    assert per_block(alike, ["a", "b"], "macs", LIGHT).layout.title.text == "All have the same MACs"


def test_the_scatter() -> None:
    """Every network once at its place, and the front through those that none beats."""
    kept = Point("mine", Facts(100_000, 100_000, 30_000_000, 1_000, 59), letter="B", time="2.0 ms for one image")
    figure = scatter([*POINTS, kept], LIGHT)
    front, yours, presets = figure.data
    assert list(zip(front.x, front.y, strict=True)) == [(100_000, 30_000_000), (378_658, 22_479_920)]
    assert len(presets.x) == len(PRESETS)
    assert list(yours.text) == ["B"]
    assert list(yours.marker.color) == [LIGHT.variants["B"]]
    assert "2.0 ms" in yours.customdata[0]
    told = dict(zip(PRESETS, presets.customdata, strict=True))
    assert "top-1 68.7 %" in told["paper"]
    assert "top-1" not in told["naive"]
    sizes = dict(zip(PRESETS, presets.marker.size, strict=True))
    assert sizes["naive"] == max(sizes.values()) > sizes["mini"]


def test_the_axes_suit_the_networks() -> None:
    """Networks of about one size are told apart on plain axes; very different ones need logarithms."""
    some = [point for point in POINTS if point.name in ("paper", "torchvision", "batch_norm")]
    assert scatter(some, LIGHT).layout.xaxis.type is None
    assert scatter(POINTS, LIGHT).layout.xaxis.type == scatter(POINTS, LIGHT).layout.yaxis.type == "log"


def test_laps() -> None:
    """Every lap is a dot of its network's colour."""
    figure = laps({"A paper": (1.0, 2.0, 3.0), "B half": (0.5, 0.6, 0.7)}, DARK)
    assert [tuple(trace.x) for trace in figure.data] == [(1.0, 2.0, 3.0), (0.5, 0.6, 0.7)]
    assert [trace.line.color for trace in figure.data] == [DARK.variants["A"], DARK.variants["B"]]
