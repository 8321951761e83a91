"""The heading of the page Network: a welcome on a first visit, and what was edited after that."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from explorer.history import Version
from explorer.presets import PRESETS
from explorer.share import to_token
from tests.ui.app import click, open_app, texts

WELCOME = "See what every layer of GoogLeNet computes and costs"


def links(app: AppTest) -> list[str]:
    """Return the labels of the links to pages."""
    return [link.proto.label for link in app.get("page_link") if link.proto.label.startswith("Lesson")]


def test_the_welcome_says_what_to_do_first_and_links_to_lesson_1(app: AppTest) -> None:
    """On a visit without a link to a network."""
    assert WELCOME in texts(app)
    assert "**Change a number:** in row 4a, click the cell #3×3, type 300" in texts(app)
    assert links(app) == ["Lesson 1: 1×1 reduction"]


def test_the_first_edit_replaces_the_welcome(edit: Callable[..., AppTest]) -> None:
    """With what was edited, and what changed with it; undo does not bring it back."""
    app = edit({2: {"#3×3": 300}})
    assert WELCOME not in texts(app)
    assert r"**Edited:** 4a \#3×3 208 → 300." in texts(app)
    assert links(app) == []
    click(app, "undo")
    assert WELCOME not in texts(app)
    assert "The network is the preset paper, without edits." in texts(app)


def test_a_link_with_a_network_shows_no_welcome() -> None:
    """Its reader has come for that network."""
    app = open_app(net=to_token(Version("half", PRESETS["half"])))
    assert WELCOME not in texts(app)
    assert "The network is the preset half width, without edits." in texts(app)
