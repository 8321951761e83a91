"""One layer to try, drawn and in sentences."""

import re
from xml.etree import ElementTree

import pytest

from explorer.lessons.sliding_window import LAYERS, SlidingWindow
from explorer.views import sliding_window as charts

LOST = SlidingWindow(8, 3, 2)
TOO_LARGE = SlidingWindow(2, 7)


@pytest.mark.parametrize("layer", [*LAYERS.values(), LOST, TOO_LARGE, SlidingWindow(1, 1, 4, 3)])
def test_the_grids_are_well_formed(layer: SlidingWindow) -> None:
    """The output has the attributes that move the window; without an output there is no window."""
    whole = charts.grids(layer, (0, 0))
    ElementTree.fromstring(whole)
    assert whole.count("<rect") >= layer.size**2
    assert ("output-map" in whole) == ('class="window"' in whole) == bool(layer.out)
    if layer.out:
        assert f'data-rows="{layer.out}"' in whole
        assert f'data-stride="{layer.stride}"' in whole


def test_the_window_is_where_the_output_reads() -> None:
    """In the padding it begins before the input; a cell has the number of its windows."""
    whole = charts.grids(LAYERS["3×3"], (0, 0))
    scale = float(re.findall(r'data-scale="([\d.]+)"', whole)[0])
    x, y, side = re.findall(r'class="window"><rect x="(\S+)" y="(\S+)" width="(\S+)"', whole)[0]
    assert [float(x), float(y), float(side)] == pytest.approx([-scale, -scale, 3 * scale], abs=0.01)
    assert "row 0, column 0: 4 windows read it" in whole
    assert "row 1, column 1: 9 windows read it" in whole
    assert "Output row 0, column 0 reads the rows 0 to 1 and the columns 0 to 1." in whole


@pytest.mark.parametrize(
    ("layer", "formula", "verdict"),
    [
        (LAYERS["5×5"], "⌊(8 + 2·2 − 5) / 1⌋ + 1 = 8", "It can be concatenated with the output of a 1×1."),
        (LOST, "⌊(8 + 2·0 − 3) / 2⌋ + 1 = 3", "1 row and column are read by no window."),
        (
            SlidingWindow(8, 1, 3),
            "⌊(8 + 2·0 − 1) / 3⌋ + 1 = 3",
            "**The output has 3 positions along a side, the input 8.** It cannot be concatenated",
        ),
        (LAYERS["3×3/2 pool"], "⌈(8 + 2·0 − 3) / 2⌉ + 1 = 4", "without it there would be 3."),
        (TOO_LARGE, "= -4", "The kernel does not fit: it needs 7 positions, and the input has 2 with its padding."),
    ],
)
def test_the_size_has_its_formula_and_its_meaning(layer: SlidingWindow, formula: str, verdict: str) -> None:
    """What it means for a concatenation, and what is lost or added at the edge."""
    assert formula in charts.formula(layer)
    assert verdict in charts.verdict(layer)


def test_a_window_beyond_the_edge_names_that_edge() -> None:
    """The padding, or the input where there is none."""
    assert "a window that reaches beyond the input;" in charts.verdict(LAYERS["3×3/2 pool"])
    assert "a window that reaches beyond the padding;" in charts.verdict(SlidingWindow(8, 3, 2, 1, round_up=True))


def test_the_padding_of_a_pool_is_not_zero() -> None:
    """A max pool pads with −∞; without padding there is no dashed edge to explain."""
    assert "padding, which counts as 0." in charts.reading(LAYERS["3×3"])
    pool = charts.reading(LAYERS["3×3 pool of a branch"])
    assert "−∞" in pool
    assert "counts as 0" not in pool
    assert "dashed" not in charts.reading(LAYERS["3×3/2 pool"])


def test_the_words_name_the_sizes_and_what_is_read() -> None:
    """For a screen reader."""
    assert charts.words(LOST, (1, 2)) == (
        "8×8 in, 3×3 out. Output row 1, column 2 reads the rows 2 to 4 and the columns 4 to 6."
    )
    assert charts.words(TOO_LARGE, (0, 0)) == "2×2 in, 0×0 out."
