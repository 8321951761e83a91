"""The maps of a module: lines, sentences, and both layouts."""

import re
from xml.etree import ElementTree

import pytest

from explorer.jobs.units import ModuleMaps, Source, SourcedMap
from explorer.units import Unit
from explorer.views import palette
from explorer.views.module_maps import HINT, ModuleDrawing
from tests.views.unit_reports import HEAT, NAMES

INPUT = "inception_3a.concat"
POOL, PROJ, DIRECT = (f"inception_3b.branch_{name}" for name in ("pool.pool", "pool.proj", "1x1.conv"))
FOUND = ModuleMaps(
    block="3b",
    layers={
        INPUT: (SourcedMap(Unit(INPUT, 3, 1, 2), 1.0, HEAT), SourcedMap(Unit(INPUT, 20), 0.5, HEAT)),
        DIRECT: (
            SourcedMap(Unit(DIRECT, 5, 0, 13), 2.5, HEAT, (Source(INPUT, 20, 1.5), Source(INPUT, 3, -0.25)), 0.125, 62),
        ),
        POOL: (SourcedMap(Unit(POOL, 3, 1, 2), 1.0, HEAT, (Source(INPUT, 3, 1.0),)),),
        PROJ: (SourcedMap(Unit(PROJ, 0), 0.0, HEAT, (Source(POOL, 3, -1.0),), 0.5, 63),),
    },
)


@pytest.fixture(params=[False, True], ids=["wide", "narrow"])
def drawing(request: pytest.FixtureRequest) -> ModuleDrawing:
    """Each layout."""
    return ModuleDrawing(FOUND, NAMES, palette.LIGHT, narrow=request.param)


def test_each_contribution_is_a_line_between_two_maps(drawing: ModuleDrawing) -> None:
    """The widest one contributes most, a dashed one subtracts; other channels have a line too."""
    whole = drawing.draw()
    ElementTree.fromstring(whole)
    assert re.findall('data-choice="(.*?)"', whole) == [
        *(f"{INPUT}:{channel}" for channel in (3, 20)),
        f"{DIRECT}:5",
        f"{POOL}:3",
        f"{PROJ}:0",
    ]
    lines = re.findall(r'data-link="(.*?)" style="--line-colour:(.*?);--line-width:(.*?)"( stroke-dasharray)?', whole)
    better, worse = palette.LIGHT.better, palette.LIGHT.worse
    to = f"{DIRECT}:5"
    assert lines[:3] == [
        (f"{INPUT}:20 {to}", better, "5.0", ""),
        (f"{INPUT}:3 {to}", worse, "1.7", " stroke-dasharray"),
        (to, better, "1.3", ""),
    ]
    assert (f"{POOL}:3 {PROJ}:0", worse, "5.0", " stroke-dasharray") in lines
    assert re.findall(rf'data-of="{to}"[^>]*><rect class="ground"[^>]*/><text[^>]*>(.*?)<', whole) == [
        "channel 5",
        "+1.5",
        "−0.25",
        "+0.125",
    ]
    assert HINT in whole


def test_no_line_leaves_the_drawing(drawing: ModuleDrawing) -> None:
    """In either layout."""
    whole = drawing.draw()
    width, height = map(float, re.findall(r'viewBox="0 0 (\S+) (\S+)"', whole)[0])
    for path in re.findall(r' d="M(.*?)"', whole):
        xs, ys = (list(map(float, re.split("[C ]", path)[axis::2])) for axis in (0, 1))
        assert min(xs + ys) >= 0
        assert max(xs) <= width
        assert max(ys) <= height


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (INPUT, "3a 1×1, channel 3, in the input. Its largest value is 1."),
        (
            DIRECT,
            "3b 1×1, channel 5. Its largest value, 2.5, is at row 0, column 13. The sum before BatchNorm: +1.5 from "
            "3a 3×3, channel 4, −0.25 from 3a 1×1, channel 3 and +0.125 from 62 others.",
        ),
        (
            POOL,
            "3b pool pool, channel 3. Its largest value, 1, is at row 1, column 2. It is the largest value in a window "
            "of 3a 1×1, channel 3.",
        ),
    ],
)
def test_each_map_has_a_sentence(path: str, sentence: str) -> None:
    """Where its largest value is, and what it is made of."""
    drawing = ModuleDrawing(FOUND, NAMES, palette.LIGHT)
    assert drawing.sentence(FOUND.layers[path][0]) == sentence


def test_a_map_is_selected_by_its_id() -> None:
    """One of the input is the value behind the concatenation; an unknown id is none."""
    drawing = ModuleDrawing(FOUND, NAMES, palette.LIGHT)
    assert drawing.unit(f"{DIRECT}:5") == Unit(DIRECT, 5, 0, 13)
    assert drawing.unit(f"{INPUT}:20") == Unit("inception_3a.branch_3x3.conv", 4)
    assert drawing.unit("<b>") is None
    assert drawing.ids == {f"{INPUT}:3", f"{INPUT}:20", f"{DIRECT}:5", f"{POOL}:3", f"{PROJ}:0"}


def test_the_wide_drawing_fits_a_page_of_800_pixels() -> None:
    """At 768, what that page leaves, its smallest text has 11 pixels; a view below its limit gets the narrow one."""
    whole = ModuleDrawing(FOUND, NAMES, palette.LIGHT).draw()
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', whole)[1])
    assert min(map(float, re.findall(r'font-size="([\d.]+)"', whole))) * 768 / width >= 11
