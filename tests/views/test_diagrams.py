"""The diagrams carry exactly the numbers of their rows, and are always the same text."""

import re
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given

from explorer import PRESETS, summarize
from explorer.views import diagrams, palette
from explorer.views.canvas import COLOURINGS
from tests.dot_reader import arrow_widths, arrows, boxes, legend
from tests.strategies import networks

SUMMARIES = {name: summarize(config) for name, config in PRESETS.items()}
PAPER = SUMMARIES["paper"]
TIMES = {row.path: (1 + row.macs) * 1e-12 for row in PAPER.rows}
EVERY_PRESET = pytest.mark.parametrize("summary", SUMMARIES.values(), ids=SUMMARIES)


def shape(dimensions):
    """``512 × 14 × 14``, written independently of the app."""
    return " × ".join(format(n, ",") for n in dimensions)


def check_layer(row, lines):
    """A layer's box shows its window, parameters and MACs."""
    if row.kernel and row.stride:
        high, wide = row.kernel
        assert f"{high}×{wide}/{row.stride}, pad {row.padding}" == lines[1]
        assert lines[0].startswith(f"{high}×{wide} ")
    assert (f"{row.parameters:,} parameters" if row.parameters else "no parameters") == lines[2]
    assert (f"{row.macs:,} MACs" if row.macs else "no MACs") == lines[3]


def check_chain(drawing, start, rows):
    """Layers that follow each other carry their numbers, and each arrow the shape that it carries."""
    found, labels = boxes(drawing.dot), arrows(drawing.dot)
    tail, carried = start, rows[0].in_shape
    for row in rows:
        check_layer(row, found[row.path].lines)
        assert shape(carried) == labels[tail, row.path]
        tail, carried = row.path, row.out_shape


def check_module(summary, name):
    """Every box and every arrow of a module carries its row's numbers, and no row is missing."""
    drawing = diagrams.module(summary, name)
    *layers, concat = (row for row in summary.rows if row.module == name)
    for branch in dict.fromkeys(row.branch for row in layers):
        chain = [row for row in layers if row.branch == branch]
        check_chain(drawing, f"inception_{name}.input", chain)
        assert shape(chain[-1].out_shape) == arrows(drawing.dot)[chain[-1].path, concat.path]
    assert {shape(concat.out_shape)} == {text for (tail, _), text in arrows(drawing.dot).items() if tail == concat.path}
    lines = boxes(drawing.dot)[concat.path].lines
    assert shape(concat.out_shape) == lines[-1]
    ranges = [text.removeprefix("channels ").replace(",", "").split("–") for text in lines if "channels" in text]
    assert ["0"] == [low for low, _ in ranges][:1]
    assert all(int(before[1]) + 1 == int(after[0]) for before, after in pairwise(ranges))
    assert concat.out_shape[0] == int(ranges[-1][1]) + 1


def check_overview(summary):
    """Every block's box carries its name, its output's shape and its share of the MACs without aux heads."""
    found = boxes(diagrams.overview(summary).dot)
    whole = sum(row.macs for row in summary.rows if row.aux is None)
    assert ["image", shape(summary.config.input_shape)] == found.pop("image").lines
    for name, totals in summary.by_module.items():
        last = [row for row in summary.rows if row.module == name][-1]
        title, *numbers = found.pop(diagrams.block_id(name)).lines
        if last.aux:
            assert f"aux {last.aux}" == title
            continue
        expected = shape(last.out_shape) if name != "classifier" else f"{last.out_shape[0]:,} classes"
        if name.startswith("pool"):
            assert f"max pool {last.kernel[0]}×{last.kernel[1]}/{last.stride}" == title
            assert [expected] == numbers
        else:
            assert name == title
            assert [f"{100 * totals.macs / whole:.1f} %", expected] == numbers
    assert {} == found


@EVERY_PRESET
def test_the_overview_carries_the_numbers_of_its_rows(summary):
    """Names, shapes and shares of all blocks are those of the summary, and nothing else is drawn."""
    check_overview(summary)


@pytest.mark.slow
@EVERY_PRESET
def test_modules_carry_the_numbers_of_their_rows(summary):
    """Windows, parameters, MACs, shapes and channel ranges are those of the summary."""
    for module in summary.config.modules:
        check_module(summary, module.name)


@EVERY_PRESET
def test_chains_carry_the_numbers_of_their_rows(summary):
    """So do the stem, the pools, the auxiliary heads and the classifier."""
    for name in summary.by_module:
        if not name[0].isdigit():
            rows = [row for row in summary.rows if row.module == name]
            check_chain(diagrams.block(summary, name), f"{name}.input", rows)


def smallest_text_on_phone(drawing):
    """Return the pixels of the smallest text on the 344 pixels that a phone of 390 leaves."""
    scale = min(344 / float(fromstring(drawing.svg).get("viewBox").split()[2]), 1)
    return scale * min(float(size) for size in re.findall(r'font-size="([\d.]+)"', drawing.svg))


def test_the_narrow_overview_fits_a_phone():
    """Its text can be read there, and it says the same."""
    drawing = diagrams.overview(PAPER, direction="narrow")
    assert smallest_text_on_phone(drawing) >= 11
    assert drawing.hover == diagrams.overview(PAPER).hover
    assert boxes(drawing.dot).keys() == boxes(diagrams.overview(PAPER).dot).keys()


@pytest.mark.parametrize("name", ["3a", "4a", "5b", "aux_4a", "stem", "classifier"])
def test_a_narrow_block_fits_a_phone_and_says_the_same(name):
    """Its text can be read there; its boxes and arrows say what those of the wide one say."""
    wide, narrow = (diagrams.block(PAPER, name, narrow=narrow) for narrow in (False, True))
    assert smallest_text_on_phone(narrow) >= 11
    assert narrow.hover == wide.hover
    texts = {identity: " ".join(box.lines) for identity, box in boxes(wide.dot).items()}
    assert {identity: " ".join(box.lines) for identity, box in boxes(narrow.dot).items()} == texts
    labels = {ends: text.replace(" ", "") for ends, text in arrows(wide.dot).items()}
    assert {ends: text.replace(" ", "") for ends, text in arrows(narrow.dot).items()} == labels


@pytest.mark.slow
@given(networks())
def test_random_networks_carry_the_numbers_of_their_rows(config):
    """The same over random edits: branches missing, reductions blank, any stage, any tap."""
    summary = summarize(config)
    check_overview(summary)
    for module in config.modules:
        check_module(summary, module.name)


@pytest.mark.slow
@given(networks())
def test_hovering_shows_exact_numbers(config):
    """The tooltip has parameters and MACs to the last digit; each selectable box is drawn with its id."""
    summary = summarize(config)
    for drawing in (diagrams.overview(summary), *(diagrams.block(summary, name) for name in summary.by_module)):
        assert set(drawing.hover) <= set(boxes(drawing.dot))
        for identity, tooltip in drawing.hover.items():
            rows = [row for row in summary.rows if row.path == identity or row.path.startswith(f"{identity}.")]
            first, *lines = tooltip.splitlines()
            assert identity == first
            assert f"{sum(row.parameters for row in rows):,} parameters" in lines
            assert f"{sum(row.macs for row in rows):,} MACs" in lines


@pytest.mark.parametrize("colour_by", [name for name in COLOURINGS if name != "none"])
def test_colours_follow_the_cost(colour_by):
    """The most expensive box has the scale's last colour, and the legend names the cost."""
    for drawing in (
        diagrams.overview(PAPER, colour_by=colour_by, times=TIMES),
        diagrams.module(PAPER, "4a", colour_by=colour_by, times=TIMES),
    ):
        assert palette.CIVIDIS[-1] in {box.attributes["fillcolor"] for box in boxes(drawing.dot).values()}
        assert legend(drawing.dot)[0].startswith(COLOURINGS[colour_by])


@pytest.mark.slow
@pytest.mark.parametrize("colour_by", COLOURINGS)
def test_text_can_be_read_on_every_box(colour_by):
    """Each text has 4.5:1 on what is under it: the box, or the chip of its branch."""
    for preset in ("paper", "naive"):
        summary = SUMMARIES[preset]
        for drawing in (
            diagrams.overview(summary, colour_by=colour_by, times=TIMES, expanded=["4a"]),
            *(diagrams.block(summary, name, colour_by=colour_by, times=TIMES) for name in summary.by_module),
        ):
            for box in boxes(drawing.dot).values():
                for text in box.texts:
                    assert palette.contrast(text.colour, text.background) >= palette.READABLE


@pytest.mark.parametrize("colour_by", ["parameters", "macs", "activations", "time"])
def test_a_share_is_of_the_network_without_its_heads(colour_by):
    """The shares of the blocks add up to 100 %, less what the pools have, for each cost that adds up."""
    found = boxes(diagrams.overview(PAPER, colour_by=colour_by, times=TIMES).dot)
    shares = [float(line.rstrip(" %")) for box in found.values() for line in box.lines if "%" in line]
    pools = [row for row in PAPER.rows if row.path.startswith("pool")]
    cost = {"activations": lambda row: row.activations, "time": lambda row: TIMES[row.path]}.get(colour_by, lambda _: 0)
    whole = sum(cost(row) for row in PAPER.rows if row.aux is None) or 1
    assert 100 - 100 * sum(map(cost, pools)) / whole == pytest.approx(sum(shares), abs=0.05 * len(shares))


def test_unknown_names_and_colourings_are_rejected():
    """A module, head or colouring that does not exist raises KeyError, as does ``time`` without measured times."""
    with pytest.raises(KeyError):
        diagrams.module(PAPER, "9z")
    with pytest.raises(KeyError):
        diagrams.block(PAPER, "aux_4b")
    with pytest.raises(KeyError):
        diagrams.overview(PAPER, colour_by="beauty")
    with pytest.raises(KeyError):
        diagrams.overview(PAPER, colour_by="time")


@pytest.mark.parametrize("names", [("4a",), ("4a", "5b"), ("3a", "4a", "5b")])
def test_the_text_of_several_expanded_modules_can_be_read(names):
    """The panel is as high as they need: the diagram fits it at two thirds of its size or more."""
    svg = diagrams.overview(PAPER, expanded=names, direction="across").svg
    wide, high = map(float, re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', svg).groups())
    assert min(1_250 / wide, diagrams.panel_height(len(names)) / high) >= 0.66


def test_an_expanded_module_shows_its_inside():
    """The overview then has the module's layers in a frame of its id, beside the boxes of all other blocks."""
    drawing = diagrams.overview(PAPER, expanded=("4a", "4d"))
    found = boxes(drawing.dot)
    for name in ("4a", "4d"):
        assert diagrams.block_id(name) not in found
        assert f"subgraph cluster_inception_{name}" in drawing.dot
        assert diagrams.block_id(name) in drawing.hover
        for row in PAPER.rows:
            if row.module == name and row.branch:
                check_layer(row, found[row.path].lines)
    assert {"stem", "inception_4b", "aux_4a", "pool3", "classifier"} <= set(found)


def test_arrows_are_as_wide_as_their_channels():
    """More channels never make a thinner arrow, and the widest is that of the most channels."""
    widths = {
        tail: width for (tail, _), width in arrow_widths(diagrams.overview(PAPER, direction="across").dot).items()
    }
    names = sorted(["3a", "3b", "4b", "4c", "4e", "5a", "5b"], key=lambda name: PAPER.concat(name).out_shape[0])
    ordered = [widths[diagrams.block_id(name)] for name in names]
    assert sorted(ordered) == ordered
    assert 5.0 == ordered[-1]


GOLDEN = {
    "overview": lambda: diagrams.overview(PAPER),
    "overview_macs": lambda: diagrams.overview(PAPER, colour_by="macs"),
    "overview_across": lambda: diagrams.overview(PAPER, direction="across"),
    "overview_expanded": lambda: diagrams.overview(PAPER, expanded=["4a"]),
    "module_4a": lambda: diagrams.module(PAPER, "4a"),
    "module_4a_naive": lambda: diagrams.module(SUMMARIES["naive"], "4a"),
    "module_4a_two_3x3": lambda: diagrams.module(SUMMARIES["two_3x3"], "4a"),
    "aux_4a": lambda: diagrams.block(PAPER, "aux_4a"),
    "stem": lambda: diagrams.block(PAPER, "stem"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_dot_is_the_golden_one(name, overwrite):
    """The DOT of known diagrams does not change, also when made twice; ``--overwrite`` writes it again."""
    golden = Path(__file__).parents[1] / "golden" / f"{name}.gv"
    dot = GOLDEN[name]().dot
    assert dot == GOLDEN[name]().dot
    if overwrite:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(dot, "utf-8")
    assert golden.read_text("utf-8") == dot
