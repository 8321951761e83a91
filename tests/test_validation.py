"""Checks before any arithmetic: each problem names its cell and says what is valid."""

from typing import Any

import pytest

from explorer import PRESETS, GoogLeNetConfig, Problem
from explorer.config import (
    HEADINGS,
    MAX_CHANNELS,
    MAX_CLASSES,
    MAX_INPUT_CHANNELS,
    MAX_MODULES,
    MAX_SIDE,
)
from explorer.diff import with_module
from explorer.validation import cell_problem, field_problems

PAPER = PRESETS["paper"]
REDUCING = ("ch3x3_reduce", "ch5x5_reduce")
MAY_BE_BLANK = (*REDUCING, "pool_proj")


def places(found: tuple[Problem, ...]) -> list[tuple[str, str]]:
    """Return where the problems are."""
    return [(problem.where, problem.field) for problem in found]


def with_cell(module: str, **cells: int | None) -> GoogLeNetConfig:
    """Return the paper's network with cells of one row changed."""
    return with_module(PAPER, PAPER.module(module).replace(**cells))


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_presets_have_no_problems(config: GoogLeNetConfig) -> None:
    """Every preset is valid."""
    assert () == field_problems(config)


@pytest.mark.parametrize("field", HEADINGS)
@pytest.mark.parametrize("value", [1, 64, MAX_CHANNELS])
def test_cells_from_1_to_the_limit_are_valid(field: str, value: int) -> None:
    """Each column accepts any number of filters up to the limit."""
    assert cell_problem("4a", field, value) is None
    assert () == field_problems(with_cell("4a", **{field: value}))


@pytest.mark.parametrize("field", HEADINGS)
@pytest.mark.parametrize("value", [-1, MAX_CHANNELS + 1, 10**9, 10**12, -(10**12), pytest.param(10**5_000, id="huge")])
def test_cells_out_of_range_are_named(field: str, value: int) -> None:
    """A number below 0 or above the limit is refused at its cell, with the valid range."""
    problem = cell_problem("4a", field, value)
    assert ("4a", field) == problem[:2]
    assert problem.message.startswith(f"4a, {HEADINGS[field]}: ")
    assert f"from {1 if field in REDUCING else 0} to {MAX_CHANNELS:,}" in problem.message
    assert ("(or blank)" in problem.message) == (field in MAY_BE_BLANK)
    assert len(problem.message) < 200
    assert (problem,) == field_problems(with_cell("4a", **{field: value}))


def test_range_message_shows_the_number() -> None:
    """The message contains a readable number, and not one of 5,000 digits."""
    assert "1,000,000,000 is out of range" in cell_problem("4a", "ch1x1", 10**9).message
    assert "-1 is out of range" in cell_problem("4a", "ch1x1", -1).message
    assert "a number of over 15 digits is out of range" in cell_problem("4a", "ch1x1", 10**5_000).message


@pytest.mark.parametrize("field", REDUCING)
def test_zero_in_a_reduce_column_is_refused_with_advice(field: str) -> None:
    """A reduction to 0 channels has no output: the advice is to leave the cell blank."""
    (problem,) = field_problems(with_cell("4a", **{field: 0}))
    assert ("4a", field) == problem[:2]
    assert "blank" in problem.message


@pytest.mark.parametrize("field", [field for field in HEADINGS if field not in REDUCING])
def test_zero_elsewhere_means_no_such_branch(field: str) -> None:
    """0 in the other columns is valid: the branch does not exist."""
    assert () == field_problems(with_cell("4a", **{field: 0}))


@pytest.mark.parametrize("field", HEADINGS)
def test_blank_is_valid_where_it_means_no_1x1(field: str) -> None:
    """A blank is valid in the reducing columns; elsewhere the problem asks for a number or 0."""
    problem = cell_problem("4a", field, None)
    if field in MAY_BE_BLANK:
        assert problem is None
    else:
        assert ("4a", field) == problem[:2]
        assert "0 for no such branch" in problem.message


def test_a_module_needs_a_branch() -> None:
    """A row whose four branches are all 0 is refused; a pool that passes on all channels is a branch."""
    empty = {"ch1x1": 0, "ch3x3": 0, "ch5x5": 0, "pool_proj": 0}
    (problem,) = field_problems(with_cell("4a", **empty))
    assert ("4a", "branches") == problem[:2]
    assert "all four branches are 0" in problem.message
    assert () == field_problems(with_cell("4a", **(empty | {"pool_proj": None})))


def test_a_table_needs_a_module() -> None:
    """An empty table is one problem; the taps of the heads are not problems too."""
    (problem,) = field_problems(PAPER.replace(modules=()))
    assert ("table", "modules") == problem[:2]
    assert "Add at least one row" in problem.message


def rows(count: int) -> GoogLeNetConfig:
    """Return a network of so many narrow rows."""
    first = PRESETS["mini"].module("3a")
    names = [f"{stage}{letter}" for stage in range(3, 100) for letter in "abcdefghijklmnopqrstuvwxyz"]
    return PRESETS["mini"].replace(
        modules=tuple(first.replace(name=name) for name in names[:count]), aux=PRESETS["mini"].aux.replace(taps=())
    )


def test_the_number_of_modules_has_a_limit() -> None:
    """The maximum number of modules has no problem; one more, or 200, has one that names the limit."""
    assert () == field_problems(rows(MAX_MODULES))
    for count in (MAX_MODULES + 1, 200):
        (problem,) = field_problems(rows(count))
        assert ("table", "modules") == problem[:2]
        assert f"{count} modules. At most {MAX_MODULES}" in problem.message


def test_thousands_of_bad_rows_are_one_problem() -> None:
    """A table of thousands of bad rows with thousands of heads is refused for its length, in a short message."""
    config = PAPER.replace(
        modules=(PAPER.module("3a").replace(ch1x1=-1),) * 20_000, aux=PAPER.aux.replace(taps=("9z",) * 20_000)
    )
    found = field_problems(config)
    assert [("table", "modules"), ("aux", "taps")] == places(found)
    assert sum(len(problem.message) for problem in found) < 400


def test_names_are_unique() -> None:
    """The problem is at the second module with a name."""
    modules = (*PAPER.modules, PAPER.module("5b"))
    (problem,) = field_problems(PAPER.replace(modules=modules))
    assert ("5b", "name") == problem[:2]
    assert "two modules of this name" in problem.message


def test_stages_increase() -> None:
    """A module of an earlier stage after one of a later stage is refused, once; any order within a stage is valid."""
    swapped = (PAPER.modules[1], PAPER.modules[0], *PAPER.modules[2:])
    assert () == field_problems(PAPER.replace(modules=swapped))
    backwards = (*PAPER.modules[2:], *PAPER.modules[:2])
    found = field_problems(PAPER.replace(modules=backwards))
    assert [("3a", "name")] == places(found)
    assert "stage 3 comes after stage 5" in found[0].message


@pytest.mark.parametrize(
    ("shape", "labels"),
    [
        ((0, 224, 224), ["Input channels"]),
        ((MAX_INPUT_CHANNELS + 1, 224, 224), ["Input channels"]),
        ((3, 0, 224), ["Input height"]),
        ((3, 224, -1), ["Input width"]),
        ((3, 100_000, 100_000), ["Input height", "Input width"]),
        ((10**100, MAX_SIDE + 1, MAX_SIDE + 1), ["Input channels", "Input height", "Input width"]),
    ],
)
def test_input_shape_has_limits(shape: tuple[int, int, int], labels: list[str]) -> None:
    """Channels, height and width out of range are named."""
    found = field_problems(PAPER.replace(input_shape=shape))
    assert [("input", "input_shape")] * len(labels) == places(found)
    assert labels == [problem.message.partition(":")[0] for problem in found]


@pytest.mark.parametrize("field", ["conv1", "conv2_reduce", "conv2"])
@pytest.mark.parametrize("value", [0, -1, MAX_CHANNELS + 1])
def test_stem_widths_have_limits(field: str, value: int) -> None:
    """A stem width out of range is named."""
    found = field_problems(PAPER.replace(stem=PAPER.stem.replace(**{field: value})))
    assert [("stem", field)] == places(found)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("conv", 0),
        ("conv", MAX_CHANNELS + 1),
        ("hidden", 0),
        ("hidden", MAX_CHANNELS + 1),
        ("dropout", -0.1),
        ("dropout", 1.0),
        ("dropout", float("nan")),
        ("loss_weight", -0.1),
        ("loss_weight", 10.5),
        ("loss_weight", float("nan")),
        ("loss_weight", float("inf")),
    ],
)
def test_settings_of_the_heads_have_limits(field: str, value: Any) -> None:
    """A setting of the auxiliary heads that is out of range or NaN is named."""
    found = field_problems(PAPER.replace(aux=PAPER.aux.replace(**{field: value})))
    assert [("aux", field)] == places(found)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", 1),
        ("classes", 0),
        ("classes", MAX_CLASSES + 1),
        ("dropout", 1.0),
        ("dropout", -1.0),
        ("dropout", float("nan")),
    ],
)
def test_settings_of_the_classifier_have_limits(field: str, value: Any) -> None:
    """A number of classes or a dropout out of range is named."""
    assert [("classifier", field)] == places(field_problems(PAPER.replace(**{field: value})))


def test_settings_at_their_limits_are_valid() -> None:
    """The ends of a range belong to it."""
    config = PAPER.replace(
        input_shape=(MAX_INPUT_CHANNELS, MAX_SIDE, MAX_SIDE),
        stem=PAPER.stem.replace(conv1=1, conv2_reduce=MAX_CHANNELS),
        aux=PAPER.aux.replace(conv=1, hidden=MAX_CHANNELS, dropout=0.0, loss_weight=10.0),
        classes=MAX_CLASSES,
        dropout=0.0,
    )
    assert () == field_problems(config)
    assert () == field_problems(config.replace(input_shape=(1, 1, 1), classes=2))


def test_a_tap_needs_its_module() -> None:
    """A head at a missing module is refused, with a list of the modules."""
    (problem,) = field_problems(PAPER.replace(aux=PAPER.aux.replace(taps=("4a", "9z"))))
    assert ("9z", "taps") == problem[:2]
    assert ", ".join(module.name for module in PAPER.modules) in problem.message


def test_one_head_per_module() -> None:
    """A second head at the same module is refused."""
    (problem,) = field_problems(PAPER.replace(aux=PAPER.aux.replace(taps=("4a", "4a"))))
    assert ("4a", "taps") == problem[:2]


def test_all_problems_are_reported_at_once() -> None:
    """Problems in several places are all reported, those of the table first and in its order."""
    config = with_cell("4b", ch1x1=-1, ch5x5_reduce=0).replace(classes=0, input_shape=(3, 0, 224))
    expected = [("4b", "ch1x1"), ("4b", "ch5x5_reduce"), ("input", "input_shape"), ("classifier", "classes")]
    assert expected == places(field_problems(config))
