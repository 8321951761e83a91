"""The flow through a module: one volume per layer, as thick as its channels, all of them where the steps say."""

import re
from xml.etree import ElementTree

import pytest

from explorer import PRESETS, summarize
from explorer.views.flow import SHEETS, Flow, Keyframe, Sprite, animated_svg, module_flow, still_svg

PAPER = summarize(PRESETS["paper"])
FLOW = module_flow(PAPER, "4a")


def volumes(flow: Flow) -> dict[str, Sprite]:
    """The labelled volumes by their name."""
    return {sprite.text[0]: sprite for sprite in flow.sprites if sprite.sheets and sprite.text}


@pytest.mark.parametrize("name", PRESETS)
def test_every_module_of_every_preset_has_a_flow(name: str) -> None:
    """Well-formed, with every layer in it, whatever branches a module has."""
    summary = summarize(PRESETS[name])
    for module in summary.config.modules:
        flow = module_flow(summary, module.name)
        ElementTree.fromstring(animated_svg(flow))
        layers = [row for row in summary.rows if row.module == module.name and row.branch]
        assert len(volumes(flow)) == len(layers) + 2
        assert len(flow.stills) == len(flow.steps) >= 3


def test_thickness_is_in_proportion_to_the_channels() -> None:
    """Of the module's widest volume, which has all sheets."""
    sheets = {name: sprite.sheets for name, sprite in volumes(FLOW).items()}
    assert {"input": 34, "1×1": 14, "3×3 reduce": 7, "5×5 reduce": 1, "3×3": 15, "5×5": 3} == {
        name: sheets[name] for name in ("input", "1×1", "3×3 reduce", "5×5 reduce", "3×3", "5×5")
    }
    joined = [sprite.sheets for sprite in FLOW.sprites if sprite.sheets][-4:]
    assert abs(sum(joined) - SHEETS) <= 2


def test_the_steps_name_the_channels() -> None:
    """From the input to the sum of the widths."""
    assert FLOW.steps[0].startswith("The input of 4a: 480 × 14 × 14.")
    assert "480 → 192, 480 → 96, 480 → 16." in FLOW.steps[1]
    assert "5×5 kernels look at a window: 16 → 48." in FLOW.steps[2]
    assert FLOW.steps[-1] == "Concatenation: 192 + 208 + 48 + 64 = 512 channels."


def test_a_still_shows_what_has_happened_so_far() -> None:
    """The concatenation is there only after the last step; each still has its own sentence."""
    first, last = still_svg(FLOW, FLOW.stills[0]), still_svg(FLOW, FLOW.stills[-1])
    assert re.findall(r">(\d)\. ", first) == ["1"]
    assert ">concatenation<" not in first
    assert ">concatenation<" in last
    assert re.findall(r">(\d)\. ", last) == ["4"]


def test_the_whole_module_is_seen_from_the_start() -> None:
    """Faintly: every layer has its place in the first still."""
    faint = [sprite for sprite in FLOW.sprites if sprite.sheets and 0 < sprite.at(0).opacity < 1]
    assert len(faint) == len(volumes(FLOW)) - 2  # without the input and the concatenation
    places = {sprite.at(FLOW.duration)[1:3] for sprite in volumes(FLOW).values()}
    assert {sprite.at(0)[1:3] for sprite in faint} <= places


def test_a_sprite_moves_evenly_between_keyframes() -> None:
    """And stays before the first and after the last."""
    sprite = Sprite((Keyframe(1, 0, 10, 0), Keyframe(3, 8, 20, 1)))
    assert [(0, 10, 0), (4, 15, 0.5), (8, 20, 1)] == [sprite.at(time)[1:] for time in (0, 2, 5)]


def test_the_animation_ends_where_the_last_still_is() -> None:
    """Every sprite has a keyframe at both ends, so that all repeat together."""
    svg = animated_svg(FLOW)
    for times in re.findall('keyTimes="(.*?)"', svg):
        numbers = [float(time) for time in times.split(";")]
        assert numbers == sorted(numbers)
        assert (numbers[0], numbers[-1]) == (0, 1)
