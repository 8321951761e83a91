"""The config: frozen, strictly typed, hashable, and checked whenever a new one is made."""

from typing import Any, get_args

import pytest
from hypothesis import given
from pydantic import ValidationError

from explorer import PRESETS, GoogLeNetConfig, InceptionModule
from explorer.config import BRANCHES, HEADINGS, POOL_RULES, AuxiliaryHeads, Pooling, Stem
from tests.strategies import typed

ROW = InceptionModule(name="3a", ch1x1=64, ch3x3_reduce=96, ch3x3=128, ch5x5_reduce=16, ch5x5=32, pool_proj=32)
SMALLEST = GoogLeNetConfig(modules=(ROW,))


@pytest.mark.parametrize("value", [ROW, Stem(), AuxiliaryHeads(), SMALLEST], ids=lambda value: type(value).__name__)
def test_values_cannot_be_edited_in_place(value: Any) -> None:
    """No field of a config or of its parts can be assigned or deleted."""
    field = next(iter(type(value).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(value, field, getattr(value, field))
    with pytest.raises(ValidationError, match="frozen"):
        delattr(value, field)


def test_equal_configs_are_one_key() -> None:
    """Two configs with the same values are equal and have one hash, so that a cache finds either."""
    again = GoogLeNetConfig.model_validate_json(PRESETS["paper"].model_dump_json())
    assert PRESETS["paper"] is not again
    assert {PRESETS["paper"]: "found"}[again] == "found"


def test_different_configs_are_different_keys() -> None:
    """No two presets are equal."""
    assert len(PRESETS) == len(set(PRESETS.values()))


@given(typed())
def test_json_round_trip(config: GoogLeNetConfig) -> None:
    """A config round-trips through JSON, whether it can be built or not."""
    assert config == GoogLeNetConfig.model_validate_json(config.model_dump_json())


def test_replace_makes_a_new_value() -> None:
    """Replacing a field changes neither the old config nor any other field."""
    new = SMALLEST.replace(classes=10)
    assert (1_000, 10) == (SMALLEST.classes, new.classes)
    assert SMALLEST == new.replace(classes=1_000)


def test_replace_without_changes_is_the_same_value() -> None:
    """Replacing nothing gives an equal config."""
    assert SMALLEST == SMALLEST.replace()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("classes", "10"),
        ("classes", 10.0),
        ("classes", True),
        ("classes", None),
        ("input_shape", (3, 224)),
        ("input_shape", [3, 224, 224]),
        ("input_shape", (3, 224.0, 224)),
        ("modules", None),
        ("modules", (1,)),
        ("conv_bias", 1),
        ("dropout", "0.4"),
        ("kernel_5x5", "7x7"),
        ("normalisation", "layer"),
        ("pooling", "round"),
        ("stem", {"kind": "large"}),
        ("aux", None),
        ("depth", 22),
    ],
)
def test_replace_checks_like_the_constructor(field: str, value: Any) -> None:
    """A value of the wrong type, an unknown choice and an unknown field are refused, and named."""
    with pytest.raises(ValidationError, match=field):
        SMALLEST.replace(**{field: value})


@pytest.mark.parametrize("field", HEADINGS)
@pytest.mark.parametrize("value", ["64", 64.0, True, float("nan"), [64]])
def test_cells_are_whole_numbers(field: str, value: Any) -> None:
    """A cell accepts an int and nothing that looks like one."""
    with pytest.raises(ValidationError, match=field):
        ROW.replace(**{field: value})


@pytest.mark.parametrize("field", HEADINGS)
def test_blanks_are_for_the_reducing_columns(field: str) -> None:
    """A blank is possible in the two reduce columns and in pool proj, and nowhere else."""
    if field in {"ch3x3_reduce", "ch5x5_reduce", "pool_proj"}:
        assert getattr(ROW.replace(**{field: None}), field) is None
    else:
        with pytest.raises(ValidationError, match=field):
            ROW.replace(**{field: None})


@pytest.mark.parametrize("name", ["3a", "10a", "0z", "99z"])
def test_module_names(name: str) -> None:
    """A name is a number below 100, without leading zeros, and a lowercase letter."""
    assert name == ROW.replace(name=name).name


BAD_NAMES = [
    "",
    "a",
    "3",
    "3A",
    "3ab",
    "100a",
    "03a",
    "00a",
    "-3a",
    "3a ",
    " 3a",
    "3a\n",
    "３a",
    "3à",
    "3_",
    "<b>",
    "3a.conv",
    None,
    3,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_other_names_are_refused(name: Any) -> None:
    """No other text is a valid name, so that names need no escaping; a tap is such a name too."""
    with pytest.raises(ValidationError, match="name"):
        ROW.replace(name=name)
    with pytest.raises(ValidationError, match="taps"):
        AuxiliaryHeads(taps=(name,))


@pytest.mark.parametrize(("name", "stage"), [("3a", 3), ("10b", 10), ("0c", 0)])
def test_stage_is_the_number_in_the_name(name: str, stage: int) -> None:
    """The stage is the number before the letter."""
    assert stage == ROW.replace(name=name).stage


@pytest.mark.parametrize(
    ("changes", "branches"),
    [
        ({}, ("1x1", "3x3", "5x5", "pool")),
        ({"ch1x1": 0}, ("3x3", "5x5", "pool")),
        ({"ch3x3": 0}, ("1x1", "5x5", "pool")),
        ({"ch5x5": 0}, ("1x1", "3x3", "pool")),
        ({"pool_proj": 0}, ("1x1", "3x3", "5x5")),
        ({"pool_proj": None, "ch3x3_reduce": None, "ch5x5_reduce": None}, ("1x1", "3x3", "5x5", "pool")),
        ({"ch1x1": 0, "ch3x3": 0, "ch5x5": 0, "pool_proj": 0}, ()),
    ],
)
def test_branches_are_those_with_filters(changes: dict[str, int | None], branches: tuple[str, ...]) -> None:
    """0 removes a branch, a blank does not."""
    assert branches == ROW.replace(**changes).branches


def test_module_is_found_by_name() -> None:
    """A module is found by its name; an unknown name raises KeyError."""
    assert ROW == SMALLEST.module("3a")
    with pytest.raises(KeyError, match="3b"):
        SMALLEST.module("3b")


def test_headings_are_the_columns_of_table_1() -> None:
    """The headings are in the paper's order, one for each number of a module."""
    assert ["#1×1", "#3×3 reduce", "#3×3", "#5×5 reduce", "#5×5", "pool proj"] == list(HEADINGS.values())
    assert ["name", *HEADINGS] == list(InceptionModule.model_fields)


def test_defaults_are_the_papers() -> None:
    """A config with only its modules given is the paper's network."""
    assert PRESETS["paper"] == GoogLeNetConfig(modules=PRESETS["paper"].modules)


def test_every_pooling_has_a_rule() -> None:
    """Each pooling that a config can name has a rule with a unique title."""
    assert set(get_args(Pooling)) == set(POOL_RULES)
    assert len(POOL_RULES) == len({rule.title for rule in POOL_RULES.values()})


def test_branches_are_named_in_the_order_of_concatenation() -> None:
    """The branches are the paper's four, from left to right in Figure 2b."""
    assert ("1x1", "3x3", "5x5", "pool") == BRANCHES
