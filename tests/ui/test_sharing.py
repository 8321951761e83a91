"""Links and files that carry the state of a session to another one."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import shelf_to_json, to_json, to_shelf_token, to_token
from explorer.shelf import Variant
from tests.ui.app import html, open_app, open_compare, title

PAPER = PRESETS["paper"]
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))


def open_document(document: bytes) -> dict[str, str | None]:
    """Open a file in a new session; return the tokens of its URL, or the error."""

    def script() -> None:
        import streamlit as st

        from explorer.share import ShareError
        from explorer.ui import sharing, state

        try:
            sharing.open_document(st.session_state["document"])
            st.session_state["tokens"] = state.url_tokens()
        except ShareError as error:
            st.session_state["tokens"] = state.url_tokens() | {"error": str(error)}

    at = AppTest.from_function(script)
    at.session_state["document"] = document
    at.run()
    assert not at.exception
    return {name: token for name, token in at.session_state["tokens"].items() if token}


def test_a_file_can_be_opened() -> None:
    """A network becomes the current one, a shelf joins the shelf; anything else is explained and changes nothing."""
    assert open_document(to_json(WIDE.config).encode()) == {"net": to_token(WIDE)}
    shelf = (Variant("wide", WIDE, "note"), Variant("h", Version("half", PRESETS["half"])))
    assert open_document(shelf_to_json(shelf).encode()) == {"shelf": to_shelf_token(shelf)}
    for bad in (b"", b"{}", b"\xff", b'{"format": "inception-explorer shelf"}', b"x" * 2_000_000):
        (error,) = open_document(bad).values()
        assert error.endswith(".")


def test_a_link_holds_network_shelf_and_comparison(two_variants: AppTest) -> None:
    """A fresh session at the same address shows the same."""
    open_compare(two_variants)
    two_variants.multiselect(key="compare_choice").set_value(["half", "paper_4a", "paper_4a_2"]).run()
    fresh = open_app(**{name: two_variants.query_params[name] for name in ("net", "shelf", "compare")})
    open_compare(fresh)
    assert html(fresh) == html(two_variants)
    assert title(fresh) == title(two_variants)


@pytest.mark.parametrize(
    ("parameter", "token"),
    [("shelf", "2.broken!"), ("shelf", "9.x"), ("shelf", "x" * 10_000), ("net", "2.paper.x")],
)
def test_a_broken_link_loses_nothing(parameter: str, token: str) -> None:
    """A message, the default, and no trace of it in the address."""
    app = open_app(**{parameter: token})
    assert "The link" in app.warning[0].value
    assert parameter not in app.query_params
    open_compare(app)
    assert "6,998,552" in html(app)


def test_a_broken_part_does_not_affect_a_valid_one() -> None:
    """A valid network with a broken shelf opens, with a message."""
    app = open_app(net=to_token(WIDE), shelf="2.broken!")
    assert "The link" in app.warning[0].value
    assert app.query_params["net"] == to_token(WIDE)


def test_unknown_names_in_a_link_are_ignored(app: AppTest) -> None:
    """What exists is compared."""
    app.query_params["compare"] = "nothing.half.__class__.mini"
    open_compare(app)
    assert app.multiselect(key="compare_choice").value == ["half", "mini"]
