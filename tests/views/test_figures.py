"""Charts show the closed form's numbers, all of them, and name what they show."""

import re

import plotly.graph_objects as go
import pytest

from explorer import PRESETS, summarize
from explorer.memory import activation_memory
from explorer.views import diagrams, figures
from explorer.views.palette import LIGHT

SUMMARY = summarize(PRESETS["paper"])


@pytest.mark.parametrize("quantity", figures.QUANTITIES)
def test_the_bars_add_up_to_the_network_in_training(quantity: str) -> None:
    """Every number of every block is in one bar, once; the table beside the chart has the same numbers."""
    chart = figures.bars(SUMMARY, quantity)
    assert getattr(SUMMARY.training_totals, quantity) == sum(sum(trace.y) for trace in chart.figure.data)
    for row in chart.data:
        assert getattr(SUMMARY.by_module[row["block"]], quantity) == sum(v for k, v in row.items() if k != "block")


def test_the_bars_name_the_most_expensive_block() -> None:
    """At inference, as in the diagram, which has the same percentage in the box of the block."""
    assert (
        "stem takes the most: 30.2 % of the MACs at inference" in figures.bars(SUMMARY, "macs").figure.layout.title.text
    )
    for quantity in figures.QUANTITIES:
        title = figures.bars(SUMMARY, quantity).figure.layout.title.text.replace("<br>", " ")
        block, share = re.match(r"(\w+) takes the most: ([\d.]+ %) of the .* at inference", title).groups()
        dot = diagrams.overview(SUMMARY, colour_by=quantity).dot
        (box,) = re.findall(rf"<B>{block}</B>.*?([\d.]+ %)", dot)
        assert box == share


@pytest.mark.parametrize("kind", ["sunburst", "treemap"])
@pytest.mark.parametrize("quantity", figures.QUANTITIES)
@pytest.mark.parametrize("name", PRESETS)
def test_every_part_of_the_hierarchy_is_the_sum_of_its_parts(name: str, quantity: str, kind: str) -> None:
    """The root is the network at inference, and nothing is lost or counted twice down to the layers."""
    summary = summarize(PRESETS[name])
    (trace,) = figures.hierarchy(summary, quantity, kind=kind).figure.data
    values = dict(zip(trace.ids, trace.values, strict=True))
    assert getattr(summary.inference_totals, quantity) == values["network"]
    inside: dict[str, int] = {}
    for identity, parent in zip(trace.ids, trace.parents, strict=True):
        inside[parent] = inside.get(parent, 0) + values[identity]
    assert {parent: values[parent] for parent in inside if parent} == {k: v for k, v in inside.items() if k}
    assert kind == trace.type


def test_the_depth_profile_has_the_papers_sizes() -> None:
    """Sides and channels of Table 1, from the image to the classes."""
    chart = figures.depth_profile(SUMMARY, LIGHT)
    sides = {row["block"]: (row["height"], row["width"]) for row in chart.data}
    assert [(n, n) for n in (224, 28, 28, 14, 7)] == [sides[block] for block in ("image", "stem", "3b", "4e", "5b")]
    assert 1024 == next(row["channels"] for row in chart.data if row["block"] == "5b")
    assert SUMMARY.inference_totals.activations == sum(
        row["activations"] for row in chart.data if row["block"] != "image"
    )
    assert ["height = width, px", "channels", "memory, MB"] == [trace.name for trace in chart.figure.data]


def test_the_depth_profile_mixes_no_units_on_one_axis() -> None:
    """Pixels, channels and megabytes have an axis each, with its unit."""
    figure = figures.depth_profile(SUMMARY, LIGHT).figure
    units = {trace.name.split(", ")[-1]: trace.yaxis.replace("y", "yaxis") for trace in figure.data}
    assert units == {"px": "yaxis", "channels": "yaxis2", "MB": "yaxis3"}
    assert all(figure.layout[axis].title.text == unit for unit, axis in units.items())


def test_height_and_width_are_apart_where_they_differ() -> None:
    """A wide image has a line for each, and the title names both."""
    summary = summarize(PRESETS["paper"].replace(input_shape=(3, 224, 320)))
    chart = figures.depth_profile(summary, LIGHT)
    lines = {trace.name: trace.y for trace in chart.figure.data}
    assert (224, 320) == (lines["height, px"][0], lines["width, px"][0])
    assert (7, 10) == (lines["height, px"][-2], lines["width, px"][-2])
    assert "from 224 × 320 to 7 × 10 px" in chart.figure.layout.title.text.replace("<br>", " ")


def test_the_cumulative_shares_end_at_100_percent() -> None:
    """Both lines rise to 100 % and never fall; each layer adds its own cost."""
    data = figures.cumulative(SUMMARY, LIGHT).data
    for key in ("MACs %", "parameters %"):
        values = [row[key] for row in data]
        assert sorted(values) == values
        assert values[-1] == 100
    assert data[0]["MACs %"] == round(100 * SUMMARY.rows[0].macs / SUMMARY.macs(), 2) > 0


@pytest.mark.parametrize("name", ["paper", "batch_norm"])
def test_training_memory_counts_weights_three_times_and_the_rest_per_image(name: str) -> None:
    """Weights, gradients and momentum are equal; the saved activations grow with the batch."""
    summary = summarize(PRESETS[name])
    data = figures.training_memory(summary, LIGHT).data
    assert all(row["weights"] == row["gradients"] == row["momentum"] == summary.parameters() * 4 / 1e6 for row in data)
    for part, bytes_kept in activation_memory(summary)._asdict().items():
        assert [row["batch"] * bytes_kept / 1e6 for row in data] == pytest.approx([row[part] for row in data])
    assert data[0]["normalisations"] > 5


def test_the_title_of_training_memory_names_the_batch_size_of_the_turn() -> None:
    """With one image less, weights, gradients and momentum still need more memory."""
    for name in PRESETS:
        summary = summarize(PRESETS[name])
        title = figures.training_memory(summary, LIGHT).figure.layout.title.text.replace("<br>", " ")
        batch = int(re.search(r"From batch size (\d+),", title)[1])
        per_image, fixed = sum(activation_memory(summary)), 3 * 4 * summary.parameters()
        assert (batch - 1) * per_image <= fixed < batch * per_image


def test_on_a_page_the_title_is_text_above_the_figure() -> None:
    """In one piece, so that it wraps at any width; the figure is smaller by it, and the original stays whole."""
    figure = figures.training_memory(SUMMARY, LIGHT).figure
    headed = figures.for_page(figure, LIGHT)
    assert "<br>" in figure.layout.title.text
    assert headed.title == figure.layout.title.text.replace("<br>", " ")
    assert headed.figure.layout.title.text is None
    assert headed.figure.layout.height == figure.layout.height - 80
    assert headed.figure.layout.xaxis.tickfont.color == LIGHT.muted


def test_a_second_line_of_a_title_is_apart() -> None:
    """It is smaller; signs that HTML would take as its own are as they were."""
    figure = go.Figure(layout={"title": "a &lt; b<br><sup>in percent</sup>", "height": 400})
    assert figures.for_page(figure, LIGHT)[:2] == ("a < b", "in percent")


@pytest.mark.parametrize("chart", [figures.bars(SUMMARY, "macs"), figures.depth_profile(SUMMARY, LIGHT)])
def test_for_a_projector_all_texts_are_larger(chart: figures.Chart) -> None:
    """Ticks, titles of axes, the legend and the figure, by the same factor as the page."""
    plain, large = (figures.for_page(chart.figure, LIGHT, enlarged=at).figure.layout for at in (False, True))
    for text in ("font", "legend.font", "hoverlabel.font", "xaxis.tickfont", "yaxis.tickfont", "yaxis.title.font"):
        assert large[f"{text}.size"] / plain[f"{text}.size"] == pytest.approx(1.375, abs=0.05)
    assert large.height / plain.height == pytest.approx(1.375, abs=0.01)


def test_for_a_projector_a_label_is_further_from_its_mark() -> None:
    """As much further as it is larger."""
    figure = go.Figure(layout={"height": 400})
    figure.add_annotation(text="mini", ax=0, ay=-20, font_size=11)
    (label,) = figures.for_page(figure, LIGHT, enlarged=True).figure.layout.annotations
    assert (label.font.size, label.ax, label.ay) == (15, 0, -27.5)


def test_long_titles_are_wrapped() -> None:
    """No line of a title is wider than a narrow page."""
    for chart in (figures.cumulative(SUMMARY, LIGHT), figures.training_memory(SUMMARY, LIGHT)):
        assert max(map(len, chart.figure.layout.title.text.split("<br>"))) <= 72
