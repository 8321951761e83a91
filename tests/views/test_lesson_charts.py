"""The lessons' charts are well-formed, have a text alternative, and show the right numbers."""

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from explorer import PRESETS, summarize
from explorer.lessons import auxiliary, receptive_field, reduction, resolution
from explorer.lessons.reduction import ARTICLE
from explorer.lessons.statistics import RelativeChange, relative_change
from explorer.views import auxiliary_charts, field_charts, fonts, palette, reduction_charts, reduction_paths, svg
from tests.svg_reader import assert_readable_on_phone

PAPER = summarize(PRESETS["paper"])
SPECTRA = receptive_field.field_distributions(PAPER)
OTHER = receptive_field.field_distributions(summarize(receptive_field.without_branch(PAPER.config, "5x5")))
STEPS = reduction.naive_steps(PAPER.config)
BLOCKS = ("stem", "3a", "4a")

PICTURES = {
    "costs": reduction_charts.cost_bars(ARTICLE),
    "costs that grow": reduction_charts.cost_bars(ARTICLE.replace(reduction=500, biases=True)),
    "paths": reduction_paths.paths(ARTICLE),
    "paths with biases": reduction_paths.paths(ARTICLE.replace(kernel=7, inputs=4_096, biases=True)),
    "break-even": reduction_charts.break_even_curve(ARTICLE),
    "no break-even": reduction_charts.break_even_curve(ARTICLE.replace(inputs=1)),
    "parameters": reduction_charts.explosion_charts(STEPS)[0],
    "macs": reduction_charts.explosion_charts(STEPS)[1],
    "widths": reduction_charts.width_chart(["3a", "3b"], [256, 480], [416, 832]),
    "mixing": reduction_charts.mixing(((1, -2), (0, 3)), (4, 5)),
    "timing": reduction_charts.timing_dots((3.5, 3.6, 3.7), (0.4, 0.5, 0.6)),
    "ledger": auxiliary_charts.cost_bars(auxiliary.head_costs(PAPER)),
    "gradients": auxiliary_charts.gradient_columns(
        BLOCKS, ("main", "4a"), ((1.0, 2.0, 3.0), (2.0, 1.0, 0.0)), (1.1, 2.1, 3.0), 0.3, RelativeChange(0.1, 0.0, 0.2)
    ),
    "spectrum": field_charts.distribution_rows(SPECTRA, "4a", 224),
    "without": field_charts.distribution_columns(SPECTRA[-1], OTHER[-1], ("this", "without")),
    "field": field_charts.field_on_image(SPECTRA[-1], (224, 224), (3, 3)),
}

NARROW = {
    "costs": reduction_charts.cost_bars(ARTICLE.replace(biases=True), svg.NARROW),
    "paths": reduction_paths.paths(ARTICLE, svg.NARROW),
    "break-even": reduction_charts.break_even_curve(ARTICLE, svg.NARROW),
    "break-even, far right": reduction_charts.break_even_curve(ARTICLE.replace(reduction=500), svg.NARROW),
    "widths": reduction_charts.width_chart(["3a", "3b"], [256, 480], [416, 832], svg.NARROW),
    "mixing": reduction_charts.mixing(((1, -2, 0, 0, 1, 2, 3, 1),) * 3, (4, 5, -9, 0, 0, 1, 2, 3), svg.NARROW),
    "timing": reduction_charts.timing_dots((3.5, 3.6, 30.7), (0.4, 0.5, 0.6), svg.NARROW),
    "ledger": auxiliary_charts.cost_bars(auxiliary.head_costs(PAPER), svg.NARROW),
    "gradients": auxiliary_charts.gradient_columns(
        [*PAPER.by_module][:9],
        ("main", "4a", "4d"),
        ((1.0,) * 9,) * 3,
        (1.1,) * 9,
        0.3,
        RelativeChange(0.1, 0.0, 0.2),
        svg.NARROW,
    ),
    "spectrum": field_charts.distribution_rows(SPECTRA, "4a", 224, svg.NARROW),
    "without": field_charts.distribution_columns(
        SPECTRA[-1], OTHER[-1], ("this network", "without the 5×5 branches"), svg.NARROW
    ),
    "few fields": field_charts.distribution_columns(SPECTRA[2], None, ("this network", ""), svg.NARROW),
    "field": field_charts.field_on_image(SPECTRA[-1], (224, 224), (3, 3), svg.NARROW),
}


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_chart_can_be_read_on_a_phone(name: str) -> None:
    """Every chart of a lesson has such a picture."""
    assert_readable_on_phone(NARROW[name])


def test_labels_below_columns_do_not_overlap() -> None:
    """Where they would, only every second or third is there; the others are in the tooltips of the columns."""
    labels = [f"{1000 + number}" for number in range(30)]
    chart = svg.columns("Title", "Alt", labels, [svg.Series("a", range(1, 31), "#000000")], "unit", width=svg.NARROW)
    texts = [text for text in shapes(chart, "text") if text.get("text-anchor") == "middle"]
    edges = [(float(text.attrib["x"]), fonts.width(text.text or "", 13)) for text in texts]
    assert 5 < len(edges) < 30
    assert all(left + wide < right for (left, wide), (right, _) in pairwise(edges))
    assert chart.count("<title>") == 30


def test_a_title_that_is_too_long_has_several_lines() -> None:
    """The body stands below them, and the chart is higher."""
    title = "A title with so many words that no narrow chart has the room for all of them"
    short, long = (svg.chart(400, 100, text, "Alt", ["<g/>"]) for text in ("A title", title))
    assert 'viewBox="0 0 400 100"' in short
    assert 'viewBox="0 0 400 120"' in long
    lines = [text.text for text in shapes(long, "text")]
    assert " ".join(map(str, lines)) == title
    assert len(lines) == 2
    assert 'transform="translate(0 20)"' in long


def shapes(chart: str, kind: str) -> list[ElementTree.Element]:
    """Return the elements of a kind in a chart."""
    return [element for element in ElementTree.fromstring(chart).iter() if element.tag.endswith(kind)]


@pytest.mark.parametrize("name", PICTURES)
def test_every_chart_is_well_formed_and_has_a_text_alternative(name: str) -> None:
    """It is XML, an image with a label for screen readers, and loads or runs nothing."""
    root = ElementTree.fromstring(PICTURES[name])
    assert root.get("role") == "img"
    assert len(root.get("aria-label")) > 20
    assert not re.search(r"script|href|url\(|\son[a-z]+=|nan|inf\b", PICTURES[name])


def test_the_title_over_the_gradients_has_the_number_of_the_text_below() -> None:
    """Both are the mean over the seeds of each seed's change, and not a ratio of means."""
    before, after = (1.0, 4.0), (2.0, 4.4)
    norms, sums = (((2.5,), (1.0,)), (3.2,))
    change = relative_change(before, after)
    chart = auxiliary_charts.gradient_columns(("stem",), ("main", "4a"), norms, sums, 0.3, change)
    assert "λ = 0.3 changes the gradient of stem by +55 %" in chart
    assert "changes by **+55 %**" in auxiliary_charts.effect_text(before, after, "stem", 0.3)


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_is_drawn_outside_the_chart(name: str) -> None:
    """Boxes lie within the viewBox and have no negative side."""
    root = ElementTree.fromstring(PICTURES[name])
    _, _, width, height = map(float, root.get("viewBox").split())
    for box in (child for child in root if child.tag == "rect"):
        x, y, w, h = (float(box.get(field)) for field in ("x", "y", "width", "height"))
        assert min(w, h) >= 0
        assert -1 <= x <= x + w <= width + 1
        assert -1 <= y <= y + h <= height + 1


def test_bars_are_as_long_as_their_numbers() -> None:
    """Weights without and with the reduction, in proportion."""
    bars = [float(bar.get("width")) for bar in shapes(PICTURES["costs"], "rect") if len(bar)]  # those with a hint
    assert bars[1] / bars[0] == pytest.approx(50_688 / 819_200, rel=0.02)
    assert bars[4] / bars[5] == pytest.approx(12_544 / 17_248, rel=0.02)


def test_every_field_has_a_tick_that_is_seen_in_the_dark() -> None:
    """In the full colour; the tallest is the most common field."""
    ticks = [box for box in shapes(PICTURES["spectrum"], "rect") if box.get("fill") == field_charts.NOW]
    assert len(ticks) == sum(len(one.path_counts) for one in SPECTRA)
    assert not any(box.get("fill-opacity") or box.get("opacity") for box in ticks)
    heights = [float(box.get("height")) for box in ticks]
    assert min(heights) >= 4
    assert max(heights) == 20


def test_both_paths_show_their_shapes_and_costs() -> None:
    """Shapes on the arrows, kernels, weights and MACs in the boxes, the branch's colour on the chip, totals below."""
    root = ElementTree.fromstring(PICTURES["paths"])
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert texts.count("512 × 14 × 14") == 2
    assert texts.count("24 × 14 × 14") == 1
    assert texts.count("64 × 14 × 14") == 2
    assert {"64 kernels of 5×5×512", "24 kernels of 1×1×512", "64 kernels of 5×5×24"} <= set(texts)
    assert {"819,200 weights", "12,288 weights", "38,400 weights", "160.56 M MACs"} <= set(texts)
    assert "with: 50,688 weights, 9.93 M MACs" in texts
    chips = [box.get("fill") for box in shapes(PICTURES["paths"], "rect") if box.get("fill").startswith("#")]
    assert chips == [palette.BRANCH["5x5"]] * 3


def test_the_charts_of_the_case_have_their_data() -> None:
    """Bars, matrix and paths: the numbers that they show."""
    assert [row["weights"] for row in reduction_charts.cost_rows(ARTICLE)] == [819_200, 50_688]
    assert "parameters" in reduction_charts.cost_rows(ARTICLE.replace(biases=True))[0]
    assert [row["weights"] for row in reduction_paths.path_rows(ARTICLE)] == [819_200, 12_288, 38_400]
    pixel, first, second = reduction_charts.mixing_rows(((1, -2), (0, 3)), (4, 5))
    assert pixel == {"row": "pixel", "in_0": 4, "in_1": 5, "out": ""}
    assert [first["out"], second["out"]] == [-6, 15]


def test_an_arrow_is_as_wide_as_its_channels() -> None:
    """512 channels the widest, 24 nearly the thinnest; nothing is thinner than a line."""
    widths = [float(line.get("stroke-width")) for line in shapes(PICTURES["paths"], "line")]
    assert widths == pytest.approx([9, 2.4375, 9, 1.85, 2.4375], abs=0.01)


def test_the_cost_bars_add_up_to_their_width() -> None:
    """Network and heads together are 100 %."""
    widths = [float(box.get("width")) for box in shapes(PICTURES["ledger"], "rect")][3:]
    assert sum(widths[:3]) == pytest.approx(700, abs=1)
    assert widths[0] / 700 == pytest.approx(6_998_552 / 13_378_280, abs=0.001)


def test_the_costs_of_a_case_without_biases_are_weights() -> None:
    """In the title and on the axis of the curve, whose other axis has numbers."""
    biased = ARTICLE.replace(biases=True)
    assert "The 1×1 saves 93.8 % of the weights" in PICTURES["costs"]
    assert "% of the parameters" in reduction_charts.cost_bars(biased)
    assert ">weights<" in PICTURES["break-even"]
    assert ">parameters<" in reduction_charts.break_even_curve(biased)
    assert {">200<", ">400<", ">600<"} <= set(re.findall(">[0-9]+<", PICTURES["break-even"]))


@pytest.mark.parametrize("name", ["parameters", "macs"])
def test_the_network_as_it_is_has_one_colour_in_all_charts(name: str) -> None:
    """And what is without its reductions another."""
    bars = [box for box in shapes(PICTURES[name], "rect") if float(box.get("height")) > 12]
    assert [box.get("fill") for box in bars] == [reduction_charts.WITH] + [reduction_charts.WITHOUT] * (len(bars) - 1)


def test_windows_are_drawn_to_scale() -> None:
    """The sides of the three windows are in proportion to their fields and to the image."""
    root = ElementTree.fromstring(PICTURES["field"])
    picture = next(child for child in root if child.tag == "svg")
    sides = sorted({float(box.get("width")) for box in root if box.tag == "rect" and box.get("fill") == "none"})
    scale = float(picture.get("width")) / 224
    assert [side / scale for side in sides] == pytest.approx([75, 395, 715], rel=0.01)
    boxes = [box for box in root if box.tag == "rect" and box.get("fill") == "none"]
    assert min(float(box.get("x")) - float(box.get("stroke-width")) / 2 for box in boxes) >= 0
    assert max(float(box.get("x")) + float(box.get("width")) + 3 for box in boxes) <= 700


def test_text_is_escaped() -> None:
    """A name from outside cannot become markup."""
    chart = svg.chart(10, 10, "<b>", '"&<', [svg.text(0, 0, "<script>")])
    assert "<script>" not in chart
    assert ElementTree.fromstring(chart).get("aria-label") == '"&<'


@pytest.mark.parametrize(
    ("most", "expected"), [(0, [0, 1]), (9, [0, 2.5, 5, 7.5, 10]), (819_200, [0, 250_000, 500_000, 750_000, 1_000_000])]
)
def test_ticks_are_round_and_reach_the_most(most: float, expected: list[float]) -> None:
    """About four of them."""
    assert svg.ticks(most) == expected


def test_sizes_that_differ_between_rules_are_bold() -> None:
    """A rule under which a layer does not fit says so."""
    table = field_charts.pooling_table(resolution.size_traces(PAPER.config, 20, 20), "ceil")
    assert "does not fit" in table
    assert "| **ceil (Caffe)** |" in table
    assert "| input | 20×20 | 20×20 | 20×20 | 20×20 |" in table


def test_a_network_that_fits_no_input_says_so() -> None:
    """In the list of smallest inputs."""
    assert "fits no input" in field_charts.limits_text((resolution.MinimumInput(None, None),))


def test_without_a_gradient_there_is_no_effect() -> None:
    """Where the main loss sends no gradient there is nothing to compare."""
    assert "sends no gradient to 4a" in auxiliary_charts.effect_text([0.0], [1.0], "4a", 0.3)


def test_the_data_of_the_curve_stay_few_for_any_width() -> None:
    """They go to the browser with each answer."""
    wide = ARTICLE.replace(inputs=100_000, filters=100_000, kernel=11)
    assert reduction.break_even(wide) > 90_000
    assert 100 <= len(reduction_charts.curve_rows(wide)) <= 110
    assert len(reduction_charts.curve_rows(ARTICLE.replace(inputs=1, reduction=3))) == 3
