"""The URL holds the state of a session, through everything that a browser does."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import to_token
from explorer.ui import state
from tests.ui.app import forge, open_app, open_settings, title, totals


def _edited_token() -> str:
    paper = PRESETS["paper"]
    return to_token(Version("paper", with_module(paper, paper.module("4a").replace(ch3x3=210))))


def test_the_unedited_paper_needs_no_token(app: AppTest) -> None:
    """The address of the first page stays clean."""
    assert "net" not in app.query_params


def test_an_edit_is_written_to_the_address(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """The address holds the edited network, so that a copied link opens it."""
    edit({2: {"#3×3": 210}})
    assert app.query_params["net"] == _edited_token()


def test_an_address_opens_its_network() -> None:
    """A link, a reload, or a restarted server restores the edited network with its name."""
    app = open_app(net=_edited_token())
    assert totals(app)["parameters"] == "7,001,002"
    assert title(app) == "paper + 1 edit"


def test_a_broken_link_gets_a_message_and_the_default() -> None:
    """Nothing fails: the page shows the paper, with a message on the link."""
    app = open_app(net="1.paper.broken!")
    assert "The link is broken" in app.warning[0].value
    assert totals(app)["parameters"] == "6,998,552"


def test_a_link_adds_no_image_to_its_message() -> None:
    """The token is shown as text: the browser would request an image from another machine."""
    app = open_app(net="2.![x](//evil)")
    assert r"“!\[x\](//evil)”" in app.warning[0].value


def test_the_next_edit_removes_the_message_of_a_bad_link() -> None:
    """It stays until then, and a reader who edits on has read it."""
    app = open_app(net="1.paper.broken!")
    app.run()
    assert app.warning
    open_settings(app).text_input(key="classes").set_value("10").run()
    assert not app.warning
    app.button(key="undo").click().run()
    assert not app.warning


def test_a_rejected_edit_keeps_the_message_of_a_bad_link() -> None:
    """The network did not change."""
    app = open_app(net="1.paper.broken!")
    open_settings(app).text_input(key="classes").set_value("0").run()
    assert app.warning


def test_a_forged_preset_changes_nothing(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """A name that is no preset gets a message; the network stays."""
    edit({2: {"#3×3": 210}})
    forge(app.selectbox(key="preset"), "<b>evil").run()
    assert not app.exception
    assert r"no preset “\<b>evil”" in app.warning[0].value
    assert title(app) == "paper + 1 edit"


def test_back_in_the_browser_restores_the_network(
    app: AppTest, edit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Back the session follows the URL."""
    edit({2: {"#3×3": 210}})
    monkeypatch.setattr(state, "is_history_navigation", lambda: True)
    del app.query_params["net"]
    app.run()
    assert totals(app)["parameters"] == "6,998,552"


def test_a_run_with_an_old_url_undoes_no_edit(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """A browser that has not yet received the new URL does not lose the edit, and gets the URL again."""
    edit({2: {"#3×3": 210}})
    del app.query_params["net"]
    app.run()
    assert totals(app)["parameters"] == "7,001,002"
    assert app.query_params["net"] == _edited_token()


def test_selecting_a_preset_loads_it_and_undo_restores_the_edit(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """A preset replaces the network and its name; the edited one is one undo away."""
    edit({2: {"#3×3": 210}})
    app.selectbox(key="preset").set_value("naive").run()
    assert totals(app)["parameters"] == "97,526,008"
    assert title(app) == "naive"
    assert app.query_params["net"] == to_token(Version("naive", PRESETS["naive"]))
    app.button(key="undo").click().run()
    assert totals(app)["parameters"] == "7,001,002"
    assert title(app) == "paper + 1 edit"


@pytest.mark.slow
def test_every_preset_can_be_selected(app: AppTest) -> None:
    """Each named network shows its totals and no error."""
    for name, config in PRESETS.items():
        app.selectbox(key="preset").set_value(name).run()
        assert not app.exception
        assert not app.error
        assert open_settings(app).text_input(key="classes").value == str(config.classes)
