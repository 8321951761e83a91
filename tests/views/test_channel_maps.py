"""The line of intermediate maps: its signs, its numbers, its marks, and the same in words."""

import re
from xml.etree import ElementTree

import pytest

from explorer.jobs.inspection import Heat
from explorer.jobs.units import Term, UnitReport
from explorer.unit_arithmetic import biased, rectified, summed
from explorer.units import Unit
from explorer.views import channel_maps, map_images
from tests.views.unit_reports import ALL, CONV, HEAT, NAMES, POOL


@pytest.mark.parametrize("report", ALL.values(), ids=ALL)
def test_the_line_is_well_formed(report: UnitReport) -> None:
    """It is there for a convolution alone."""
    line = channel_maps.channel_maps_line(report, NAMES)
    ElementTree.fromstring(f"<div>{line}</div>")
    assert bool(line) == bool(channel_maps.reading(report)) == (report.kind == "conv")


def test_the_numbers_below_the_maps_add_up() -> None:
    """The four strongest channels and the others together make the sum; there is a plus between all of them."""
    line = channel_maps.channel_maps_line(CONV, NAMES)
    assert line.count("<svg") == 6
    assert re.findall("<b>(.)</b>", line) == ["+"] * 4 + ["="]
    assert line.count(">×<") == line.count(">=</text>") == 4
    below = [float(number.replace("−", "-")) for number in re.findall(r'y="104\.0"[^>]*>([^<]*)<', line)]
    assert below == [1.5, -0.25, 0.125, 0.125, 2.0, 3.5]
    assert sum(below[:-1]) == below[-1]


def test_the_numbers_have_the_digits_that_their_sum_needs() -> None:
    """Three digits each would add up to 4.36."""
    terms = (Term(2, 1.114), Term(0, 1.114), Term(3, 1.114), Term(4, 1.014))
    line = channel_maps.channel_maps_line(
        CONV.replace(terms=terms, steps=summed(4.364, 5, 9).steps + CONV.steps[1:]), NAMES
    )
    below = [float(number.replace("−", "-")) for number in re.findall(r'y="104\.0"[^>]*>([^<]*)<', line)]
    assert f"{sum(below[:-1]):.3g}" == f"{below[-1]:g}"


def test_the_line_is_said_in_words() -> None:
    """The sum at the position, and each map."""
    line = channel_maps.channel_maps_line(CONV, NAMES)
    assert "At row 0, column 13: 1.5 plus −0.25 plus 0.125 plus 0.125 plus 2 from 20 others is 3.5." in line
    assert "3a 3×3 reduce, channel 2: its map × its 3×3 kernel = its intermediate map, which is 1.5 at row 0" in line
    assert "Their sum, the output map before BatchNorm: 3.5 at row 0, column 13" in line
    assert "the 4 input channels that contribute most" in channel_maps.reading(CONV)


def test_the_line_names_what_follows_the_sum() -> None:
    """A bias, in a network without BatchNorm; and a single input channel has no others."""
    maps = CONV.channel_maps
    assert maps
    single = maps._replace(strongest=maps.strongest[:1], others=None, other_count=0)
    report = CONV.replace(steps=rectified(biased(summed(1.5, 1.5, 9), 1)).steps, channel_maps=single)
    line = channel_maps.channel_maps_line(report, NAMES)
    assert line.count("<svg") == 1
    assert "The input channel × its kernel is the output map before the bias. At row 0, column 13: 1.5." in line
    assert "the input channel at the marked position" in channel_maps.reading(report)


@pytest.mark.parametrize(("row", "column"), [(0, 0), (0, 13), (13, 0), (13, 13), (6, 7)])
def test_the_marks_are_within_the_maps(row: int, column: int) -> None:
    """The position's cell in each map of products; in the input maps the window, cut off at the border."""
    window = CONV.window
    assert window
    moved = CONV.replace(
        unit=Unit(CONV.unit.path, 4, row, column), window=window._replace(top=row - 1, left=column - 1)
    )
    line = channel_maps.channel_maps_line(moved, NAMES)
    marks = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="none"', line)
    assert len(marks) == 4 * 2 + 6  # a frame in an input map is two rectangles
    for x, y, width, height in (map(float, mark) for mark in marks):
        assert x + width <= channel_maps.MAP + 0.01
        assert y + height <= channel_maps.MAP + 0.01
    assert marks.count((f"{min(max((column + 0.5) * 64 / 14 - 3, 0), 58):.2f}", marks[-1][1], "6.00", "6.00")) == 6


def test_maps_on_one_scale_have_the_same_colours() -> None:
    """A value has the same colour in a map of small values as in one of large ones."""
    low, high = (Heat(png=HEAT.png, size=HEAT.size, low=-most, high=most) for most in (1.0, 4.0))
    assert not (map_images.pixels(map_images.signed_png(low, 4.0)) == map_images.pixels(map_images.heat_png(low))).all()
    assert (map_images.pixels(map_images.signed_png(high, 4.0)) == map_images.pixels(map_images.heat_png(high))).all()


def test_pools_have_no_line() -> None:
    """They add nothing up."""
    assert channel_maps.channel_maps_line(POOL, NAMES) == ""
