"""Editing the table: valid cells count at once, invalid ones are explained and change nothing."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from explorer.diff import with_module
from explorer.ui.explore.network import editor
from tests.ui.app import changes_of_totals, html, other_parts, texts, totals

PAPER = {"parameters": "6,998,552", "in training": "13,378,280", "MACs": "1.583 G"}
Edit = Callable[..., AppTest]


def test_the_first_page_shows_the_paper_with_its_totals(app: AppTest) -> None:
    """A reader who opens the app sees the paper's network and its costs."""
    shown = totals(app)
    assert PAPER == {label: shown[label] for label in PAPER}
    assert shown["receptive field"] == "715 px"
    assert "**6,998,552** parameters · **1.583 G** MACs" in texts(app)


def test_an_edited_cell_changes_the_totals_as_in_the_closed_form(app: AppTest, edit: Edit) -> None:
    """4a's #3×3 from 208 to 210 gives the network with that row, in every total."""
    paper = PRESETS["paper"]
    expected = summarize(with_module(paper, paper.module("4a").replace(ch3x3=210)))
    edit({2: {"#3×3": 210}})
    assert totals(app)["parameters"] == f"{expected.parameters(aux=False):,}"
    assert totals(app)["in training"] == f"{expected.parameters():,}"
    assert changes_of_totals(app)["parameters"].startswith("more +2,450")


def test_an_edit_marks_the_auxiliary_head_that_it_changed(app: AppTest, edit: Edit) -> None:
    """Widening 4a changes the head on 4a, and the page says by how much; the head on 4d keeps its numbers."""
    edit({2: {"#3×3": 210}})
    heads = [part for part in other_parts(app) if "≈" in part]
    assert len(heads) == 1
    assert "3,189,096 parameters" in heads[0]
    assert "input channels 512 → 514, +256 parameters" in heads[0]


def test_a_blank_reduction_is_the_naive_branch(app: AppTest, edit: Edit) -> None:
    """Emptying #5×5 reduce of 4b lets the 5×5 see all 512 channels: 819,200 weights in place of 50,688."""
    edit({3: {"#5×5 reduce": None}})
    assert not app.error
    assert totals(app)["parameters"] == f"{6_998_552 - 50_688 - 24 + 819_200:,}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("heading", "value", "message"),
    [
        ("#3×3", "abc", "4a, #3×3: “abc” is not a number"),
        ("#3×3", float("nan"), "4a, #3×3: the cell is blank"),
        ("#3×3", None, "4a, #3×3: the cell is blank"),
        ("#3×3", -5, "4a, #3×3: -5 is out of range"),
        ("#3×3", 1.5, "4a, #3×3: 1.5 is not a whole number"),
        ("#1×1", 10**9, "4a, #1×1: 1,000,000,000 is out of range"),
        ("#1×1", 10**400, "4a, #1×1: a number of over 15 digits is out of range"),
        ("#3×3", [1], "4a, #3×3: “\\[1\\]” is not a number"),
        ("#5×5 reduce", 0, "Leave the cell blank for no 1×1 there"),
    ],
)
def test_a_bad_cell_is_named_and_the_last_good_network_stays(
    app: AppTest, edit: Edit, heading: str, value: object, message: str
) -> None:
    """Whatever a cell receives, the message names the cell and the totals stay the paper's."""
    edit({2: {heading: value}})
    assert [message in error.value for error in app.error] == [True]
    assert totals(app)["parameters"] == PAPER["parameters"]


def test_a_valid_cell_counts_beside_an_invalid_one(app: AppTest, edit: Edit) -> None:
    """A rejected cell does not affect the others."""
    edit({2: {"#3×3": 210}, 3: {"#3×3": -1}})
    assert totals(app)["parameters"] == "7,001,002"
    assert len(app.error) == 1


def test_a_module_without_branches_is_rejected(app: AppTest, edit: Edit) -> None:
    """A module with four zeros would have no output."""
    edit({0: {"#1×1": 0, "#3×3": 0, "#5×5": 0, "pool proj": 0}})
    assert "all four branches are 0" in app.error[0].value
    assert totals(app)["parameters"] == PAPER["parameters"]


@pytest.mark.parametrize(
    ("rows", "more"),
    [
        ({99: {"#3×3": 210}}, {}),
        ({"-1": {"#3×3": 210}}, {}),
        ({"x": {"#3×3": 210}}, {}),
        ({2: {"evil": 1}}, {}),
        ({2: {"module": "9z"}}, {}),
        ({2: {"parameters": 1}}, {}),
        ({2: {"_index": 7}}, {}),
        ({2: 5}, {}),
        ([1, 2], {}),
        ({}, {"added_rows": [{"#1×1": 3}, {"evil": 4}]}),
        ({}, {"deleted_rows": [0, 77]}),
    ],
)
def test_a_forged_edit_gets_a_message_and_changes_nothing(
    app: AppTest, edit: Edit, rows: object, more: dict[str, object]
) -> None:
    """Rows, columns and shapes that the grid cannot send are ignored with a message, and forgotten."""
    edit(rows, **more)
    assert "ignored" in app.error[0].value
    assert totals(app)["parameters"] == PAPER["parameters"]
    app.run()
    assert not app.exception
    assert not app.error


@pytest.mark.parametrize("heading", ["module", "mark", "in → out", "H×W", "parameters", "MACs", "note"])
def test_an_edit_of_a_read_only_column_is_explained(app: AppTest, edit: Edit, heading: str) -> None:
    """The message names the column of a forged edit, and the column keeps its value."""
    edit({2: {heading: "1"}})
    assert f"no column “{heading}” to be edited" in app.error[0].value
    assert totals(app)["parameters"] == PAPER["parameters"]


def test_a_button_discards_rejected_edits(app: AppTest, edit: Edit) -> None:
    """One click removes the invalid cell and its message."""
    edit({2: {"#3×3": -5}})
    next(button for button in app.button if button.label == "Discard these edits").click().run()
    assert not app.error
    assert totals(app)["parameters"] == PAPER["parameters"]


def test_undo_and_redo_step_through_the_edits(app: AppTest, edit: Edit) -> None:
    """Undo restores the network before the last edit, redo the one after it; at the ends the buttons are disabled."""
    assert "undo" not in [button.key for button in app.button]
    edit({2: {"#3×3": 210}})
    edit({2: {"#3×3": 212}})
    app.button(key="undo").click().run()
    assert totals(app)["parameters"] == "7,001,002"
    app.run()
    assert totals(app)["parameters"] == "7,001,002"
    app.button(key="undo").click().run()
    assert totals(app)["parameters"] == PAPER["parameters"]
    assert app.button(key="undo").disabled
    app.button(key="redo").click().run()
    assert totals(app)["parameters"] == "7,001,002"


def test_the_columns_up_to_the_first_edit_fit_a_phone(monkeypatch: pytest.MonkeyPatch, app: AppTest) -> None:
    """The welcome names the column #3×3: with the ones before it, it is within 358 pixels. The form has a hint."""
    monkeypatch.setattr(editor.state, "presents", lambda: False)
    columns = editor._columns("paper")
    names = list(columns)
    assert sum(columns[name]["width"] for name in names[: names.index("#3×3") + 1]) <= 358
    assert "“Edit a row as a form” below has a field for each number." in html(app)
