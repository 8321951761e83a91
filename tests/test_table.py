"""The editor's table: config to rows and back, and validation of every edit that a browser can send."""

import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from math import inf, nan
from string import ascii_lowercase
from typing import Any

import pytest
from hypothesis import given

from explorer import PRESETS, GoogLeNetConfig, Problem, problems
from explorer.config import HEADINGS, MAX_MODULES
from explorer.table import (
    MODULE,
    TableResult,
    add_below,
    apply_edits,
    from_rows,
    insert_after,
    overlay_edits,
    remove,
    rename,
    reset,
    to_rows,
    unused_name,
)
from tests.strategies import networks

PAPER = PRESETS["paper"]
COLUMNS = list(HEADINGS.values())
FIELDS = {heading: field for field, heading in HEADINGS.items()}
BLANKABLE = {"#3×3 reduce", "#5×5 reduce", "pool proj"}


def parse(row: int, heading: str, value: Any, config: GoogLeNetConfig = PAPER) -> TableResult:
    """Return the result for the table after one cell is overwritten."""
    rows = to_rows(config)
    rows[row][heading] = value
    return from_rows(rows, config)


@given(networks())
def test_rows_round_trip(config: GoogLeNetConfig) -> None:
    """A config round-trips through its rows."""
    assert TableResult(config, ()) == from_rows(to_rows(config), config)


@pytest.mark.parametrize("config", PRESETS.values(), ids=PRESETS)
def test_rows_of_presets_round_trip(config: GoogLeNetConfig) -> None:
    """A preset round-trips through its rows."""
    assert TableResult(config, ()) == from_rows(to_rows(config), config)


def test_rows_are_headed_as_in_the_paper() -> None:
    """A row is the module's name and its six numbers under the paper's headings; a blank cell is None."""
    expected = {
        "module": "3a",
        "#1×1": 64,
        "#3×3 reduce": None,
        "#3×3": 128,
        "#5×5 reduce": None,
        "#5×5": 32,
        "pool proj": None,
    }
    assert expected == to_rows(PRESETS["naive"])[0]


@pytest.mark.parametrize("heading", COLUMNS)
@pytest.mark.parametrize("value", [70, 70.0, "70", " 70 ", "070", "７０"])
def test_whole_numbers_of_every_type(heading: str, value: Any) -> None:
    """An int, a float or a text of 70, in full-width digits too, means 70."""
    config = parse(2, heading, value).config
    assert 70 == getattr(config.module("4a"), FIELDS[heading])
    assert type(getattr(config.module("4a"), FIELDS[heading])) is int


@pytest.mark.parametrize("heading", COLUMNS)
@pytest.mark.parametrize("value", [None, nan, "", "  "])
def test_blanks_of_every_type(heading: str, value: Any) -> None:
    """None, NaN and empty text are a blank cell: valid in the reducing columns, else a problem at the cell."""
    result = parse(2, heading, value)
    if heading in BLANKABLE:
        assert getattr(result.config.module("4a"), FIELDS[heading]) is None
    else:
        assert_names_cell(result, "4a", heading, "blank")


def assert_names_cell(result: TableResult, module: str, heading: str, *words: str) -> None:
    """Expect one problem, at that cell, whose message names it and contains those words."""
    assert result.config is None
    (problem,) = result.problems
    assert (module, FIELDS[heading]) == problem[:2]
    for word in (module, heading, *words):
        assert word in problem.message


@pytest.mark.parametrize("heading", COLUMNS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("abc", ["“abc” is not a number", "whole number"]),
        ("12a", ["“12a” is not a number"]),
        ("1e9", ["“1e9” has an exponent"]),
        ("1,5", ["“1,5” is not a whole number"]),
        ("1.5", ["1.5 is not a whole number"]),
        ("-5", ["-5 is out of range"]),
        ("１０，０００", ["10,000 is out of range"]),
        ("9" * 16, ["over 15 digits is out of range"]),
        pytest.param("9" * 5_000, ["is not a number"], id="long"),
        (True, ["“True” is not a number"]),
        ([64], ["“[64]” is not a number"]),
        ({"a": 1}, ["is not a number"]),
        (b"64", ["is not a number"]),
        (0.5, ["0.5 is not a whole number"]),
        (-0.5, ["-0.5 is not a whole number"]),
        (inf, ["inf is not a whole number"]),
        (Fraction(1, 3), ["1/3 is not a whole number"]),
        (-1, ["-1 is out of range", "whole number from"]),
        (-1.0, ["-1 is out of range"]),
        (10**9, ["1,000,000,000 is out of range", "to 4,096"]),
        ("1000000000", ["1,000,000,000 is out of range"]),
        (1e300, ["over 15 digits is out of range"]),
        pytest.param(10**5_000, ["over 15 digits is out of range"], id="huge"),
    ],
)
def test_a_bad_cell_is_named(heading: str, value: Any, words: list[str]) -> None:
    """Text, fractions, negative or huge numbers and other values are refused at their cell, in short messages."""
    result = parse(2, heading, value)
    assert_names_cell(result, "4a", heading, *words)
    assert len(result.problems[0].message) < 200


@pytest.mark.parametrize("heading", ["#3×3 reduce", "#5×5 reduce"])
@pytest.mark.parametrize("value", [0, 0.0, "0"])
def test_zero_in_a_reduce_column(heading: str, value: Any) -> None:
    """0 in a reduce column is refused with the advice to leave it blank."""
    assert_names_cell(parse(2, heading, value), "4a", heading, "Leave the cell blank")


def test_every_bad_cell_is_reported_in_order() -> None:
    """All bad cells are reported at once, row by row."""
    rows = to_rows(PAPER)
    rows[4]["#1×1"], rows[1]["pool proj"], rows[1]["#3×3"] = "x", -1, 0.5
    expected = [("3b", "ch3x3"), ("3b", "pool_proj"), ("4c", "ch1x1")]
    assert expected == [problem[:2] for problem in from_rows(rows, PAPER).problems]


def test_no_branch_left() -> None:
    """A row whose branches are all 0 is refused by name."""
    rows = to_rows(PAPER)
    rows[2] |= {"#1×1": 0, "#3×3": 0, "#5×5": 0, "pool proj": 0}
    (problem,) = from_rows(rows, PAPER).problems
    assert ("4a", "branches") == problem[:2]
    assert "at least one branch" in problem.message


def test_a_missing_column_is_blank_and_another_is_ignored() -> None:
    """A row without a column has a blank there; an unknown column of a row is ignored."""
    rows = to_rows(PAPER)
    del rows[2]["pool proj"]
    rows[2] |= {"parameters": "x", 7: None}
    assert from_rows(rows, PAPER).config.module("4a").pool_proj is None
    del rows[2]["#3×3"]
    assert_names_cell(from_rows(rows, PAPER), "4a", "#3×3", "blank")


def test_no_rows() -> None:
    """The problem of a table without rows asks for one."""
    (problem,) = from_rows([], PAPER).problems
    assert ("table", "modules") == problem[:2]
    assert "at least one row" in problem.message


@pytest.mark.parametrize("count", [MAX_MODULES + 1, 200, 10_000])
def test_too_many_rows(count: int) -> None:
    """A table of 200 rows is refused for its length, with any cells."""
    (problem,) = from_rows(to_rows(PAPER)[:1] * count, PAPER).problems
    assert ("table", "modules") == problem[:2]
    assert f"{count:,} rows. At most {MAX_MODULES}" in problem.message


def test_a_duplicate_name() -> None:
    """Two rows with one name are refused at the second."""
    (problem,) = parse(3, MODULE, "4a").problems
    assert ("4a", "name") == problem[:2]
    assert "two modules of this name" in problem.message


@pytest.mark.parametrize(
    "name",
    ["", "4A", "04a", "00a", "100a", "inception", "<b>4a</b>", "4a\n", None, 4, nan, ["4a"], "x" * 10_000, "\ud800"],
)
def test_a_bad_name(name: Any) -> None:
    """An invalid name of a module is refused in a short message with a valid example."""
    (problem,) = parse(8, MODULE, name).problems
    assert "name" == problem.field
    assert problem.where
    assert str(name)[:20] in problem.message
    assert "such as 4b" in problem.message
    assert len(problem.message) < 200


def test_a_tap_without_its_row() -> None:
    """Rows without the tapped module are refused, with the modules that could be tapped."""
    rows = [row for row in to_rows(PAPER) if row[MODULE] != "4a"]
    (problem,) = from_rows(rows, PAPER).problems
    assert ("4a", "taps") == problem[:2]
    assert "Tap one of 3a" in problem.message


def test_a_feature_map_that_becomes_too_small() -> None:
    """Rows with too many stages are refused at the first pool that does not fit."""
    rows = to_rows(PAPER)
    rows += [rows[-1] | {MODULE: f"{stage}a"} for stage in range(6, 10)]
    (problem,) = from_rows(rows, PAPER).problems
    assert ("pool7", "input_shape") == problem[:2]
    assert "fewer stages" in problem.message


def test_a_head_that_no_longer_fits() -> None:
    """Rows are refused if the feature map of the tapped module is too small for the head's pool."""
    rows = to_rows(PAPER)
    rows[2][MODULE] = "3c"
    rows[5][MODULE], rows[6][MODULE], rows[7][MODULE], rows[8][MODULE] = "5a", "5b", "6a", "6b"
    config = PAPER.replace(aux=PAPER.aux.replace(taps=("6a",), pool="floor"))
    (problem,) = from_rows(rows, config).problems
    assert ("6a", "aux") == problem[:2]
    assert "tap an earlier module" in problem.message


# Random tables.

WEIRD_CELLS = [
    *(None, nan, inf, -inf, True, False, "", " ", "64", " 70 ", "abc", "-5", "1e3", "３", "٣", "½", "0x10", "\x00"),
    *(0.5, 70.0, -0.0, 1e300, 5e-324, 10**5_000, -(10**5_000), 2**63, [], [1], [10**5_000], {}, (), {1}, b"64"),
    *(Fraction(1, 2), Fraction(10**5_000, 3), Decimal("NaN"), Decimal(3), 1j, object(), int, len, "x" * 10_000),
    *("\ud800", "<script>alert(1)</script>", "'; DROP TABLE modules; --", "=1+1", "#1×1", "🧠"),
]
WEIRD_NAMES = [*WEIRD_CELLS, 4, "4", "a", "4A", "100a", "4a ", "4a.b", "４a", "pool3", "classifier"]
WEIRD_COLUMNS = [None, 0, "", "#7×7", "ch1x1", "#1x1", MODULE.upper(), ("#1×1",), "x" * 10_000, 10**5_000]


def random_cell(rng: random.Random) -> Any:
    """Return a likely, an unlikely or an impossible value of a cell."""
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randint(-10, 10**12)
    if kind == 1:
        return rng.choice(WEIRD_CELLS)
    return rng.choice([None, 0, rng.randint(-10, 20), rng.randint(1, 512), str(rng.randint(1, 512))])


def random_name(rng: random.Random) -> Any:
    """Return a name that is usually valid."""
    return rng.choice(WEIRD_NAMES) if rng.random() < 0.1 else f"{rng.randint(3, 6)}{rng.choice('abcdef')}"


def random_table(rng: random.Random) -> list[dict[Any, Any]]:
    """Return a preset's table with some cells overwritten, or one of nothing but random cells."""
    if rng.random() < 0.5:
        rows = to_rows(PRESETS[rng.choice(list(PRESETS))])
        for _ in range(rng.randint(1, 4)):
            row = rng.choice(rows)
            heading = rng.choice([MODULE, *COLUMNS])
            row[heading] = random_name(rng) if heading == MODULE else random_cell(rng)
    else:
        count = rng.choice([0, 1, 2, 3, 4, 9, rng.randint(0, 100)])
        rows = [{MODULE: random_name(rng), **{heading: random_cell(rng) for heading in COLUMNS}} for _ in range(count)]
        rows.sort(key=lambda row: str(row[MODULE])[:2] if isinstance(row[MODULE], str) else "")
    for row in rows:
        if rng.random() < 0.02:
            row.pop(rng.choice([MODULE, *COLUMNS]), None)
        if rng.random() < 0.02:
            row[rng.choice(WEIRD_COLUMNS)] = random_cell(rng)
    return rows


def assert_well_formed(found: tuple[Problem, ...]) -> None:
    """Expect problems that are short sentences with a place and a field."""
    for problem in found:
        assert type(problem) is Problem
        assert type(problem.where) is str
        assert problem.field
        assert problem.message.endswith(".")
        assert len(problem.where) <= 40
        assert len(problem.message) < 700


@pytest.mark.slow
def test_ten_thousand_random_tables() -> None:
    """Any table gives a network that can be built, or problems, and never raises."""
    good = 0
    for seed in range(10_000):
        rng = random.Random(seed)
        base = PRESETS[rng.choice(list(PRESETS))]
        rows = random_table(rng)
        try:
            result = from_rows(rows, base)
        except Exception as error:
            raise AssertionError(f"table {seed} raised") from error
        assert (result.config is None) == bool(result.problems), seed
        assert_well_formed(result.problems)
        if result.config is not None:
            good += 1
            assert () == problems(result.config), seed
            assert len(rows) == len(result.config.modules), seed
            assert base == result.config.replace(modules=base.modules), seed
    assert 500 < good < 5_000  # valid and invalid tables both occur


# Edits as a browser sends them.


def test_edits_change_copies_of_the_rows() -> None:
    """An edit changes its cell in a copy; the rows themselves do not change."""
    rows = to_rows(PAPER)
    new, found = overlay_edits(rows, {2: {"#3×3": 70}, "3": {"#1×1": None, "pool proj": "x"}})
    assert () == found
    assert to_rows(PAPER) == rows
    expected = to_rows(PAPER)
    expected[2]["#3×3"], expected[3]["#1×1"], expected[3]["pool proj"] = 70, None, "x"
    assert expected == new


FORGED_POSITIONS = [-1, 9, 10**6, "-1", "9", "x", "", "1.0", "٣", "1" * 5_000, 1.0, True, None, (0,), b"0"]


@pytest.mark.parametrize("position", FORGED_POSITIONS, ids=lambda position: repr(position)[:20])
def test_a_forged_row_is_refused(position: Any) -> None:
    """An edit of a row that the table does not have is ignored, with a problem."""
    new, found = overlay_edits(to_rows(PAPER), {position: {"#1×1": 1}, 0: {"#1×1": 2}})
    assert 2 == new[0]["#1×1"]
    assert to_rows(PAPER)[1:] == new[1:]
    (problem,) = found
    assert "no row" in problem.message
    assert_well_formed(found)


@pytest.mark.parametrize("heading", [*WEIRD_COLUMNS, MODULE], ids=lambda heading: str(type(heading).__name__))
def test_a_forged_column_is_refused(heading: Any) -> None:
    """An edit of a read-only column is ignored, with a problem; names are changed elsewhere."""
    new, found = overlay_edits(to_rows(PAPER), {0: {heading: 1, "#1×1": 2}})
    assert 2 == new[0]["#1×1"]
    assert to_rows(PAPER)[0] | {"#1×1": 2} == new[0]
    (problem,) = found
    assert "no column" in problem.message
    assert_well_formed(found)


@pytest.mark.parametrize("cells", [None, 1, "x", [], [("#1×1", 1)]])
def test_a_forged_row_of_cells_is_refused(cells: Any) -> None:
    """An edit that does not map columns to values is ignored, with a problem."""
    new, found = overlay_edits(to_rows(PAPER), {0: cells})
    assert to_rows(PAPER) == new
    assert ["table"] == [problem.where for problem in found]


@pytest.mark.parametrize("edited", [None, 1, "x", [], [{"#1×1": 1}], {}])
def test_no_edits_change_nothing(edited: Any) -> None:
    """Edits that are empty, or do not map rows to cells, leave the rows unchanged."""
    assert (to_rows(PAPER), ()) == overlay_edits(to_rows(PAPER), edited)


def test_valid_cells_are_applied() -> None:
    """Of several edits the valid ones change the network, and the others are explained."""
    cells = {0: {"#1×1": 70, "#3×3": "x"}, 2: {"#5×5 reduce": 0}, 3: {"pool proj": None}}
    result = apply_edits(PAPER, {"edited_rows": cells, "added_rows": [], "deleted_rows": []})
    assert 70 == result.config.module("3a").ch1x1
    assert result.config.module("4b").pool_proj is None
    assert (128, 16) == (result.config.module("3a").ch3x3, result.config.module("4a").ch5x5_reduce)
    assert [("3a", "ch3x3"), ("4a", "ch5x5_reduce")] == [problem[:2] for problem in result.problems]
    assert not result.is_forged


def test_a_row_without_branches_stays() -> None:
    """Four zeros in a row are all ignored, because no single cell is invalid; other rows change."""
    cells = {2: dict.fromkeys(("#1×1", "#3×3", "#5×5", "pool proj"), 0), 3: {"#1×1": 170}}
    result = apply_edits(PAPER, {"edited_rows": cells})
    assert PAPER.module("4a") == result.config.module("4a")
    assert 170 == result.config.module("4b").ch1x1
    assert [("4a", "branches")] == [problem[:2] for problem in result.problems]


def test_a_network_that_is_too_large_stays() -> None:
    """If no single cell is invalid, as when the network is too large, no edit is applied."""
    cells = {row: {"#3×3": 4_096, "#3×3 reduce": None} for row in range(9)}
    result = apply_edits(PAPER, {"edited_rows": cells})
    assert PAPER == result.config
    assert "parameters" in [problem.field for problem in result.problems]


def test_ignored_edits_keep_the_accepted_ones() -> None:
    """The editor sends all edits again; a refused one does not undo those that were accepted before."""
    zeros = {2: dict.fromkeys(("#1×1", "#3×3", "#5×5"), 0)}
    last = apply_edits(PAPER, {"edited_rows": zeros}).config
    assert ("pool",) == last.module("4a").branches
    refused = apply_edits(PAPER, {"edited_rows": {2: zeros[2] | {"pool proj": 0}}}, last)
    assert last == refused.config
    wide = apply_edits(PAPER, {"edited_rows": {2: {"#3×3": 300}}}).config
    cells = {row: {"#3×3": 4_096, "#3×3 reduce": None} for row in range(9)}
    assert wide == apply_edits(PAPER, {"edited_rows": cells}, wide).config


def test_no_edits() -> None:
    """An editor without edits leaves the network unchanged."""
    assert (PAPER, (), False) == apply_edits(PAPER, {"edited_rows": {}, "added_rows": [], "deleted_rows": []})


@pytest.mark.parametrize(
    "edits",
    [
        1,
        "x",
        [{"#1×1": 1}],
        {"edited_rows": [1]},
        {"edited_rows": {99: {"#1×1": 1}}},
        {"edited_rows": {0: {"#7×7": 1}}},
        {"added_rows": [{"#1×1": 1}]},
        {"deleted_rows": [0]},
    ],
)
def test_forged_edits(edits: Any) -> None:
    """An edit that the editor never sends is ignored, has a problem and is marked as forged."""
    result = apply_edits(PAPER, edits)
    assert (PAPER, True) == (result.config, result.is_forged)
    assert_well_formed(result.problems)
    assert len(result.problems) == 1


def test_random_edits() -> None:
    """Any edits that a browser can send give a network that can be built, and never raise."""
    headings = [MODULE, *COLUMNS, *COLUMNS, *WEIRD_COLUMNS]
    for seed in range(1_000):
        rng = random.Random(seed)
        base = PRESETS[rng.choice(list(PRESETS))]
        cells = {
            rng.choice([rng.randrange(9), str(rng.randrange(9)), *FORGED_POSITIONS]): {
                rng.choice(headings): random_cell(rng) for _ in range(rng.randrange(4))
            }
            for _ in range(rng.randrange(4))
        }
        edits = rng.choice([{"edited_rows": cells}, {"edited_rows": cells, "added_rows": [{}]}, random_cell(rng)])
        result = apply_edits(base, edits)
        assert () == problems(result.config), seed
        assert_well_formed(result.problems)
        if result.config == base and not result.problems and isinstance(edits, dict):
            assert base == from_rows(overlay_edits(to_rows(base), edits.get("edited_rows"))[0], base).config, seed


# Rows added, removed and renamed.


def test_the_unused_name_has_the_first_unused_letter() -> None:
    """A new row gets the first letter that its stage does not use."""
    assert "3c" == unused_name(PAPER, "3a")
    assert "4f" == unused_name(PAPER, "4c")
    assert "4b" == unused_name(remove(PAPER, "4b").config, "4e")


def test_no_unused_name() -> None:
    """A stage with 26 rows has none."""
    first = PAPER.modules[0]
    rows = tuple(first.replace(name=f"3{letter}") for letter in "abcdefghijklmnopqrstuvwxyz")
    assert unused_name(PAPER.replace(modules=rows), "3a") is None


def test_insert_after() -> None:
    """A new row is below the one it copies, and the taps stay."""
    config = insert_after(PAPER, "4a", "4f").config
    assert ["3a", "3b", "4a", "4f", "4b"] == [module.name for module in config.modules[:5]]
    assert PAPER.module("4a").replace(name="4f") == config.module("4f")
    assert PAPER.aux == config.aux


@pytest.mark.parametrize(
    ("name", "where", "words"),
    [
        ("4b", "4b", "two modules of this name"),
        ("3c", "3c", "must increase"),
        ("bad", "4a", "is not a module name"),
        ("", "4a", "“” is not a module name"),
        (None, "4a", "is not a module name"),
        pytest.param(10**5_000, "4a", "is not a module name", id="huge"),
    ],
)
def test_insert_with_an_invalid_name(name: Any, where: str, words: str) -> None:
    """A new row needs an unused name of its stage."""
    result = insert_after(PAPER, "4a", name)
    assert result.config is None
    assert (where, "name") == result.problems[0][:2]
    assert words in result.problems[0].message


@pytest.mark.parametrize("name", ["9z", "", "<b>", None, 10**5_000], ids=lambda name: repr(type(name)))
@pytest.mark.parametrize(
    "step",
    [
        lambda name: insert_after(PAPER, name, "9a"),
        lambda name: add_below(PAPER, name),
        lambda name: remove(PAPER, name),
        lambda name: rename(PAPER, name, "9a"),
        lambda name: reset(PAPER, PAPER, name),
        lambda name: reset(PAPER, PAPER.replace(modules=PAPER.modules[:1]), "4a"),
    ],
    ids=["insert", "add", "remove", "rename", "reset", "reset to a preset without it"],
)
def test_a_step_with_an_unknown_row(step: Callable[[Any], TableResult], name: Any) -> None:
    """No menu offers it; a forged choice is refused with a list of the rows."""
    result = step(name)
    assert result.config is None
    assert [("table", "modules")] == [problem[:2] for problem in result.problems]
    assert "There is no module" in result.problems[0].message
    assert "3a" in result.problems[0].message
    assert_well_formed(result.problems)


def test_add_below() -> None:
    """A new row copies the row above it; a stage with all 26 letters is full."""
    config = add_below(PAPER, "4a").config
    assert PAPER.module("4a").replace(name="4f") == config.modules[3]
    rows = tuple(PAPER.modules[0].replace(name=f"3{letter}") for letter in ascii_lowercase)
    full = PAPER.replace(modules=rows, aux=PAPER.aux.replace(taps=()))
    (problem,) = add_below(full, "3c").problems
    assert ("3c", "name") == problem[:2]
    assert "all 26 letters" in problem.message


def test_a_row_is_reset() -> None:
    """It gets the widths of the other config, and the rest stays."""
    edited = from_rows([row | {"#1×1": 70} for row in to_rows(PAPER)], PAPER).config
    config = reset(edited, PAPER, "4a").config
    assert PAPER.module("4a") == config.module("4a")
    assert 70 == config.module("4b").ch1x1


def test_remove_removes_the_head() -> None:
    """Removing a row removes its auxiliary head and no other."""
    config = remove(PAPER, "4a").config
    assert ["3a", "3b", "4b"] == [module.name for module in config.modules[:3]]
    assert ("4d",) == config.aux.taps


def test_remove_the_last_row() -> None:
    """The last row cannot be removed: a table needs one."""
    alone = PAPER.replace(modules=PAPER.modules[:1], aux=PAPER.aux.replace(taps=()))
    result = remove(alone, "3a")
    assert result.config is None
    assert ("table", "modules") == result.problems[0][:2]


def test_rename_keeps_the_head() -> None:
    """A renamed row keeps its widths, its position and its head."""
    config = rename(PAPER, "4a", "4z").config
    assert PAPER.module("4a").replace(name="4z") == config.modules[2]
    assert ("4z", "4d") == config.aux.taps
    assert PAPER == rename(config, "4z", "4a").config


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("4b", "two modules of this name"),
        ("6a", "must increase"),
        ("4A", "not a module name"),
        ("", "not a module name"),
    ],
)
def test_rename_to_an_invalid_name(name: str, words: str) -> None:
    """A row cannot get a used name, a name that breaks the order of stages, or an invalid one."""
    result = rename(PAPER, "4a", name)
    assert result.config is None
    assert "name" == result.problems[0].field
    assert result.problems[0].where
    assert words in result.problems[0].message
