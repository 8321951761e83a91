"""Formulas say what they compute: the filled-in arithmetic is evaluated and compared with the row."""

import re

import pytest
from hypothesis import given, settings

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.analysis import LayerRow, NetworkSummary
from explorer.views.formulas import channel_ranges, steps
from tests.strategies import networks

VALUE = {
    "output size": lambda row: row.out_shape[1],
    "output channels": lambda row: row.out_shape[0],
    "parameters": lambda row: row.parameters,
    "MACs": lambda row: row.macs,
    "receptive field": lambda row: row.receptive_field,
    "memory": lambda row: 4 * row.activations,
}


def evaluated(text: str) -> int | None:
    """Compute the left side of ``a × b + c = d`` as Python, with floor, ceil and max; None for words."""
    left = text.split("=", maxsplit=1)[0].split("\n", maxsplit=1)[0]
    left = re.sub(r" − 1 \(.*?\)", " − 1", left).replace(",", "") if "max" not in left else left
    for sign, python in (("×", "*"), ("·", "*"), ("−", "-"), ("bytes", ""), ("px", "")):
        left = left.replace(sign, python)
    left = left.replace("⌊", "floor(").replace("⌈", "ceil(").replace("⌋", ")").replace("⌉", ")")
    if re.search(r"[a-z]", re.sub(r"floor|ceil|max", "", left)):
        return None
    import math

    return eval(
        left, {"__builtins__": {}}, {"floor": math.floor, "ceil": math.ceil, "max": lambda *fields: max(fields)}
    )


def check(summary: NetworkSummary, row: LayerRow) -> int:
    """Compare every step of a row with the row; return how many could be computed."""
    computed = 0
    for step in steps(summary, row):
        value = evaluated(step.filled)
        shown = re.search(r"= ([\d,]+)", step.filled.split("\n")[0])
        if value is not None and step.name in VALUE:
            assert VALUE[step.name](row) == value, step
            computed += 1
        if shown and step.name in VALUE:
            assert VALUE[step.name](row) == int(shown[1].replace(",", "")), step
    return computed


@pytest.mark.parametrize("name", PRESETS)
def test_every_formula_of_every_preset_gives_its_row(name: str) -> None:
    """What is written out, computed again, is the number that stands in the table."""
    summary = summarize(PRESETS[name])
    for row in summary.rows:
        computed = check(summary, row)
        assert computed >= {"conv": 5, "linear": 3, "concat": 3}.get(row.kind, 1)


@given(config=networks())
@settings(max_examples=30)
def test_every_formula_of_random_networks_gives_its_row(config: GoogLeNetConfig) -> None:
    """The same on tables that nobody designed."""
    summary = summarize(config)
    for row in summary.rows:
        check(summary, row)


def test_the_formula_of_the_reduction_is_the_one_in_the_lesson() -> None:
    """4b's 5×5 reduction: 512 × 24 × 1 × 1 + 24 = 12,312."""
    summary = summarize(PRESETS["paper"])
    filled = {step.name: step.filled for step in steps(summary, summary.by_path["inception_4b.branch_5x5.reduce"])}
    assert filled["parameters"] == "512 × 24 × 1 × 1 + 24 = 12,312"
    assert filled["MACs"] == "12,288 × 14 × 14 = 2,408,448"


def test_the_concat_of_3a_has_the_channels_of_its_branches() -> None:
    """Channels 64 to 191 of 3a come from the 3×3 branch."""
    assert channel_ranges(summarize(PRESETS["paper"]), "3a") == {
        "1x1": (0, 63),
        "3x3": (64, 191),
        "5x5": (192, 223),
        "pool": (224, 255),
    }


@pytest.mark.parametrize(("pooling", "sign"), [("ceil", "⌈"), ("torchvision", "⌈"), ("padded", "⌊"), ("floor", "⌊")])
def test_a_pool_shows_the_rounding_of_the_network(pooling: str, sign: str) -> None:
    """The bracket is that of the pooling rule, also where both would give the same size."""
    summary = summarize(PRESETS["paper"].replace(pooling=pooling))
    assert steps(summary, summary.by_path["pool3"])[0].filled.startswith(sign)
    assert steps(summary, summary.by_path["inception_3a.branch_pool.pool"])[0].filled.startswith("⌊")
