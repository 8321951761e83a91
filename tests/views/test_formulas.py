"""Formulas say what they compute: the filled-in arithmetic is evaluated and compared with the row."""

import re

import pytest
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.analysis import LayerRow, NetworkSummary
from explorer.views.formulas import channel_ranges, steps, symbols
from tests.strategies import examples, networks

VALUE = {
    "output size": lambda row: row.out_shape[1],
    "output shape": lambda row: row.out_shape[0],
    "output channels": lambda row: row.out_shape[0],
    "parameters": lambda row: row.parameters,
    "MACs": lambda row: row.macs,
    "receptive field": lambda row: row.receptive_field,
    "memory": lambda row: 4 * row.activations,
}
COMPUTED = {"conv": 4, "linear": 5, "concat": 3, "max_pool": 3, "avg_pool": 2, "dropout": 2, "lrn": 2}


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
        result = re.search(r"(?:= |^)([\d,]+)(?: px)?$", step.filled.split("\n")[0].removesuffix(" bytes"))
        if value is not None and step.name != "output shape":
            assert VALUE[step.name](row) == value, step
            computed += 1
        if result and step.name != "output shape":
            assert VALUE[step.name](row) == int(result[1].replace(",", "")), step
    return computed


@pytest.mark.parametrize("name", PRESETS)
def test_every_formula_of_every_preset_gives_its_row(name: str) -> None:
    """Each formula, computed again, gives the number in the table."""
    summary = summarize(PRESETS[name])
    for row in summary.rows:
        assert check(summary, row) >= COMPUTED[row.kind], row


@given(config=networks())
@examples(30)
def test_every_formula_of_random_networks_gives_its_row(config: GoogLeNetConfig) -> None:
    """The same for random tables."""
    summary = summarize(config)
    for row in summary.rows:
        check(summary, row)


@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_has_all_five_numbers_and_every_symbol_is_explained(name: str) -> None:
    """Size, parameters, MACs, receptive field and memory of each kind of layer, in one order."""
    summary = summarize(PRESETS[name])
    for row in summary.rows:
        made = steps(summary, row)
        assert ["parameters", "MACs", "receptive field", "memory"] == [step.name for step in made][1:]
        assert made[0].name.startswith("output ")
        named = symbols(made)
        for step in made:
            formula = step.symbols.split(",")[0].replace("2p", "2 · p")
            letters = re.findall(r"\b[A-Za-z](?:_in|_out)?\b", formula)
            assert set(letters) <= set(named), step
            assert ("weights" in step.symbols) <= ("weights" in named)
        assert all(any(symbol.split()[0] in step.symbols for step in made) for symbol in named)


def test_what_is_not_counted_says_why() -> None:
    """Layers without weights have their usual names, and the reason why their MACs are 0."""
    summary = summarize(PRESETS["paper"])
    said = {
        path: {step.name: step.filled for step in steps(summary, summary.by_path[path])}
        for path in ("stem.norm1", "inception_4a.concat", "classifier.dropout", "pool3", "classifier.pool")
    }
    assert said["stem.norm1"]["parameters"] == "LRN learns nothing = 0"
    assert said["pool3"]["parameters"] == "max pool learns nothing = 0"
    assert all(numbers["MACs"].endswith(" = 0") for numbers in said.values())
    assert len({numbers["MACs"] for numbers in said.values()}) == len(said)


def test_the_fields_after_the_last_feature_map_are_of_all_its_positions() -> None:
    """The classifier sees 7 × 7 positions of 5b: 715 + 6 · 32 = 907; torchvision's head pools uneven windows of 4a."""
    paper, torchvision = (summarize(PRESETS[name]) for name in ("paper", "torchvision"))
    for path in ("classifier.pool", "classifier.dropout", "classifier.fc"):
        field = next(step for step in steps(paper, paper.by_path[path]) if step.name == "receptive field")
        assert field.filled == "715 + (7 − 1) · 32 = 907 px"
        assert "of 5b" in field.symbols
    pool = torchvision.by_path["aux_4a.pool"]
    filled = {step.name: step.filled for step in steps(torchvision, pool)}
    before = torchvision.concat("4a").receptive_field
    assert filled["receptive field"] == f"{before} + (4 − 1) · 16 = {pool.receptive_field} px"


def test_height_and_width_are_computed_apart_where_they_differ() -> None:
    """A wide image has two sizes, each with its own line."""
    summary = summarize(PRESETS["paper"].replace(input_shape=(3, 224, 320)))
    size = steps(summary, summary.by_path["pool3"])[0]
    assert size.filled == "⌈(28 + 2·0 − 3) / 2⌉ + 1 = 14\n⌈(40 + 2·0 − 3) / 2⌉ + 1 = 20"


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
    """The bracket is that of the pooling rule, even where both give the same size."""
    summary = summarize(PRESETS["paper"].replace(pooling=pooling))
    assert steps(summary, summary.by_path["pool3"])[0].filled.startswith(sign)
    assert steps(summary, summary.by_path["inception_3a.branch_pool.pool"])[0].filled.startswith("⌊")
