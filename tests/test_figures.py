"""Charts show the closed form's numbers, all of them, and name what they show."""

import pytest

from explorer import PRESETS, summarize
from explorer.views import figures

SUMMARY = summarize(PRESETS["paper"])


@pytest.mark.parametrize("quantity", figures.QUANTITIES)
def test_the_bars_add_up_to_the_network_in_training(quantity: str) -> None:
    """Every number of every block is in one bar, once; the table beside the chart has the same numbers."""
    chart = figures.bars(SUMMARY, quantity)
    assert getattr(SUMMARY.whole, quantity) == sum(sum(trace.y) for trace in chart.figure.data)
    for row in chart.data:
        assert getattr(SUMMARY.by_module[row["block"]], quantity) == sum(v for k, v in row.items() if k != "block")


def test_the_bars_name_the_dearest_block() -> None:
    """The title says what to see: the stem takes most of the MACs, the heads most of the parameters."""
    assert "stem takes the most: 30.0 %" in figures.bars(SUMMARY, "macs").figure.layout.title.text
    assert "aux 4d takes the most" in figures.bars(SUMMARY, "parameters").figure.layout.title.text


@pytest.mark.parametrize("kind", ["sunburst", "treemap"])
@pytest.mark.parametrize("quantity", figures.QUANTITIES)
@pytest.mark.parametrize("name", PRESETS)
def test_every_part_of_the_hierarchy_is_the_sum_of_its_parts(name: str, quantity: str, kind: str) -> None:
    """The root is the network at inference, and nothing is lost or counted twice on the way to the layers."""
    summary = summarize(PRESETS[name])
    (trace,) = figures.hierarchy(summary, quantity, kind=kind).figure.data
    values = dict(zip(trace.ids, trace.values, strict=True))
    assert getattr(summary.main, quantity) == values["network"]
    inside: dict[str, int] = {}
    for identity, parent in zip(trace.ids, trace.parents, strict=True):
        inside[parent] = inside.get(parent, 0) + values[identity]
    assert {parent: values[parent] for parent in inside if parent} == {k: v for k, v in inside.items() if k}
    assert kind == trace.type


def test_the_depth_profile_has_the_papers_sizes() -> None:
    """Sides and channels of Table 1, from the image to the classes."""
    data = figures.depth_profile(SUMMARY).data
    sides = {row["block"]: row["side"] for row in data}
    assert (224, 28, 28, 14, 7) == tuple(sides[block] for block in ("image", "stem", "3b", "4e", "5b"))
    assert 1024 == next(row["channels"] for row in data if row["block"] == "5b")
    assert SUMMARY.main.activations == sum(row["activations"] for row in data if row["block"] != "image")


def test_the_sums_along_the_way_end_at_all_of_it() -> None:
    """Both lines rise to 100 % and never fall."""
    data = figures.cumulative(SUMMARY).data
    for key in ("MACs %", "parameters %"):
        values = [row[key] for row in data]
        assert sorted(values) == values
        assert values[-1] == 100


def test_training_memory_counts_weights_three_times_and_outputs_per_image() -> None:
    """Weights, gradients and momentum are equal; the outputs grow with the batch."""
    data = figures.training_memory(SUMMARY).data
    assert all(row["weights"] == row["gradients"] == row["momentum"] == 13_378_280 * 4 / 1e6 for row in data)
    assert [row["outputs"] / row["batch"] for row in data] == [data[0]["outputs"]] * len(data)
