"""Rows of the table can be added, removed, renamed and reset, and each step can be undone."""

from collections.abc import Callable
from string import ascii_lowercase

import pytest
from streamlit.testing.v1 import AppTest

from explorer.history import Version
from explorer.presets import PRESETS
from explorer.share import to_token
from explorer.ui.explore.network.rows import FORM
from tests.ui.app import forge, open_app, open_settings, other_parts, texts, title, totals, type_into

PAPER = PRESETS["paper"]


@pytest.fixture
def app(app: AppTest) -> AppTest:
    """The first page with its settings open."""
    return open_settings(app)


def test_adding_a_row_makes_a_deeper_network(app: AppTest) -> None:
    """A row added below 4e is 4f, with the widths of 4e on 832 channels; undo removes it."""
    app.selectbox(key="row").set_value("4e").run()
    app.button(key="row_add").click().run()
    assert app.selectbox(key="row").options == ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "4f", "5a", "5b"]
    assert app.selectbox(key="row").value == "4f"
    assert title(app) == "paper + 1 edit"
    app.button(key="undo").click().run()
    assert totals(app)["parameters"] == "6,998,552"


def test_removing_a_tapped_row_removes_its_head(app: AppTest) -> None:
    """Without 4a there is no head on 4a, and the network still builds."""
    app.selectbox(key="row").set_value("4a").run()
    app.button(key="row_remove").click().run()
    assert not app.error
    assert ["aux 4d"] == [name for name in _parts(app) if name.startswith("aux")]


def test_renaming_a_tapped_row_renames_its_head(app: AppTest) -> None:
    """The head follows its module to the new name."""
    app.selectbox(key="row").set_value("4d").run()
    app.text_input(key="row_name").set_value("4z").run()
    assert not app.error
    assert "aux 4z" in _parts(app)
    assert app.selectbox(key="row").value == "4z"


def test_a_stage_with_all_letters_is_full() -> None:
    """The 27th row of a stage is rejected with the reason, and nothing changes."""
    last = PAPER.modules[-1]
    rows = (last.replace(name=f"5{letter}") for letter in ascii_lowercase[2:])
    app = open_settings(open_app(net=to_token(Version("paper", PAPER.replace(modules=(*PAPER.modules, *rows))))))
    app.button(key="row_add").click().run()
    assert "Stage 5 has all 26 letters" in app.error[0].value
    assert len(app.selectbox(key="row").options) == 7 + 26


@pytest.mark.parametrize("button", ["row_add", "row_remove", "row_reset"])
def test_a_forged_row_is_rejected(app: AppTest, edit: Callable[..., AppTest], button: str) -> None:
    """A row that does not exist gets a message, and the network stays as it is."""
    edit({8: {"#3×3": 210}})
    forge(app.selectbox(key="row"), "9z")
    app.button(key=button).click().run()
    assert not app.exception
    assert "There is no module “9z”" in app.error[0].value
    assert title(app) == "paper + 1 edit"


def test_a_forged_row_is_not_renamed(app: AppTest) -> None:
    """The message is below the name."""
    forge(app.selectbox(key="row"), "9z")
    app.text_input(key="row_name").set_value("9a").run()
    assert not app.exception
    assert "There is no module “9z”" in app.error[0].value


def test_an_edit_does_not_change_the_row_of_the_menu(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """The browser gets row and name in each run, also while the menu is closed."""
    edit({0: {"#1×1": 70}})
    assert app.selectbox(key="row").value == app.text_input(key="row_name").value == "5b"
    assert app.selectbox(key="row").proto.set_value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("4b", "two modules of this name"),
        ("<b>", r"“\<b>” is not a module name"),
        ("", "“” is not a module name"),
        ("9a", "comes after stage 9"),
    ],
)
def test_an_invalid_name_is_rejected_with_the_reason(app: AppTest, name: str, message: str) -> None:
    """A name that is taken, invalid or out of order changes nothing."""
    app.selectbox(key="row").set_value("4a").run()
    app.text_input(key="row_name").set_value(name).run()
    assert not app.exception
    assert any(message in error.value for error in app.error)
    assert totals(app)["parameters"] == "6,998,552"


def test_resetting_a_row_leaves_the_others(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """Only the selected row gets the preset's widths."""
    edit({2: {"#3×3": 210}, 3: {"#1×1": 170}})
    edited = totals(app)["parameters"]
    app.selectbox(key="row").set_value("4a").run()
    app.button(key="row_reset").click().run()
    assert edited != totals(app)["parameters"] != "6,998,552"
    app.button(key="table_reset").click().run()
    assert totals(app)["parameters"] == "6,998,552"


@pytest.mark.slow
def test_the_last_row_cannot_be_removed(app: AppTest) -> None:
    """A network needs a module."""
    for _ in range(8):
        app.button(key="row_remove").click().run()
    assert len(app.selectbox(key="row").options) == 1
    assert app.button(key="row_remove").disabled


def _parts(app: AppTest) -> list[str]:
    return [part.split("</b>")[0].removeprefix("<b>") for part in other_parts(app)]


def test_a_row_can_be_edited_as_a_form(app: AppTest) -> None:
    """The same edit as in the table, with the row's results beside it; what is refused stays at its field."""
    assert not [field for field in app.text_input if (field.key or "").startswith("cell_")]
    app.session_state[FORM] = True
    app.run()
    app.selectbox(key="row_of_form").set_value("4a").run()
    type_into(app, "cell_4a_ch3x3", "210")
    assert totals(app)["parameters"] == "7,001,002"
    assert "480 → 514 channels · 14×14 · 377,906 parameters" in texts(app)
    type_into(app, "cell_4a_ch5x5_reduce", "0")
    assert "Leave the cell blank" in app.error[0].value
    type_into(app, "cell_4a_ch5x5_reduce", None)
    assert not app.error
