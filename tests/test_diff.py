"""What differs between two configs, cell by cell."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import PRESETS, GoogLeNetConfig
from explorer.config import HEADINGS, AuxiliaryHeads, Stem
from explorer.diff import SETTINGS, Change, find_changes, with_module
from tests.strategies import networks

PAPER = PRESETS["paper"]


@given(networks())
def test_equal_configs_have_no_changes(config: GoogLeNetConfig) -> None:
    """A config does not differ from itself."""
    assert () == find_changes(config, config)


@given(networks() | st.sampled_from(list(PRESETS.values())), networks())
def test_different_configs_have_changes(base: GoogLeNetConfig, config: GoogLeNetConfig) -> None:
    """Different networks have changes; in the other direction they have the same ones with the values swapped."""
    forward = find_changes(base, config)
    assert (base != config) == bool(forward)
    swapped = {(change.where, change.field, change.after, change.before) for change in find_changes(config, base)}
    assert {(change.where, change.field, change.before, change.after) for change in forward} == swapped


@pytest.mark.parametrize("field", HEADINGS)
def test_an_edited_cell(field: str) -> None:
    """An edit of a cell is one change, under the cell's heading."""
    before = getattr(PAPER.module("4a"), field)
    edited = with_module(PAPER, PAPER.module("4a").replace(**{field: 70}))
    assert (Change("4a", field, HEADINGS[field], before, 70),) == find_changes(PAPER, edited)


OTHER_VALUES: dict[str, Any] = {
    "input_shape": (3, 299, 299),
    "kernel_5x5": "3x3",
    "normalisation": "none",
    "conv_bias": False,
    "pooling": "floor",
    "classes": 10,
    "dropout": 0.5,
}
OTHER_STEM: dict[str, Any] = {"kind": "small", "conv1": 32, "conv2_reduce": 32, "conv2": 96}
OTHER_AUX: dict[str, Any] = {
    "taps": ("4b",),
    "pool": "floor",
    "conv": 64,
    "hidden": 512,
    "dropout": 0.5,
    "loss_weight": 0.0,
}


def test_every_field_can_change() -> None:
    """The tests below cover every field of a config; a new field without a test fails here."""
    assert {*OTHER_VALUES, "modules", "stem", "aux"} == set(GoogLeNetConfig.model_fields)
    assert set(OTHER_STEM) == set(Stem.model_fields)
    assert set(OTHER_AUX) == set(AuxiliaryHeads.model_fields)


@pytest.mark.parametrize("field", OTHER_VALUES)
def test_a_changed_setting(field: str) -> None:
    """A setting of the network is one change, under its label on screen."""
    value = OTHER_VALUES[field]
    expected = Change("network", field, SETTINGS[field], getattr(PAPER, field), value)
    assert (expected,) == find_changes(PAPER, PAPER.replace(**{field: value}))


@pytest.mark.parametrize("field", OTHER_STEM)
def test_a_changed_stem(field: str) -> None:
    """A setting of the stem is one change."""
    (change,) = find_changes(PAPER, PAPER.replace(stem=PAPER.stem.replace(**{field: OTHER_STEM[field]})))
    assert ("stem", field, getattr(PAPER.stem, field), OTHER_STEM[field]) == (*change[:2], *change[3:])
    assert "stem" in change.label


@pytest.mark.parametrize("field", OTHER_AUX)
def test_changed_heads(field: str) -> None:
    """A setting of the auxiliary heads is one change."""
    (change,) = find_changes(PAPER, PAPER.replace(aux=PAPER.aux.replace(**{field: OTHER_AUX[field]})))
    assert ("aux", field, getattr(PAPER.aux, field), OTHER_AUX[field]) == (*change[:2], *change[3:])
    assert "auxiliary" in change.label


def test_an_added_and_a_removed_module() -> None:
    """A new name is an added module, a missing name a removed one."""
    first, *rest = PAPER.modules
    renamed = PAPER.replace(modules=(first.replace(name="3z"), *rest))
    expected = (
        Change("3z", "modules", "module added", None, first.replace(name="3z")),
        Change("3a", "modules", "module removed", first, None),
    )
    assert expected == find_changes(PAPER, renamed)


def test_rows_in_another_order() -> None:
    """Two swapped rows are one change, with both orders as its values."""
    first, second, *rest = PAPER.modules
    (change,) = find_changes(PAPER, PAPER.replace(modules=(second, first, *rest)))
    assert ("table", "modules", "order") == change[:3]
    assert ("3a", "3b") == change.before[:2]
    assert ("3b", "3a") == change.after[:2]


def test_an_added_module_does_not_change_the_order() -> None:
    """A new row between two others does not change their order."""
    first, *rest = PAPER.modules
    added = PAPER.replace(modules=(first, first.replace(name="3z"), *rest))
    assert ["module added"] == [change.label for change in find_changes(PAPER, added)]


def test_the_table_comes_first() -> None:
    """Edits of cells come before settings, stem and heads."""
    edited = with_module(PAPER, PAPER.module("5b").replace(ch1x1=1)).replace(
        classes=10, stem=PAPER.stem.replace(conv1=32), aux=PAPER.aux.replace(conv=64)
    )
    assert ["5b", "network", "stem", "aux"] == [change.where for change in find_changes(PAPER, edited)]


def test_with_module_replaces_the_row_of_that_name() -> None:
    """One row changes; the others and their order do not."""
    row = PAPER.module("4a").replace(ch1x1=1)
    edited = with_module(PAPER, row)
    assert row == edited.module("4a")
    assert [m for m in PAPER.modules if m.name != "4a"] == [m for m in edited.modules if m.name != "4a"]
    assert [m.name for m in PAPER.modules] == [m.name for m in edited.modules]


def test_with_module_needs_the_row() -> None:
    """It raises KeyError where no module has the name."""
    with pytest.raises(KeyError, match="9z"):
        with_module(PAPER, PAPER.module("4a").replace(name="9z"))
