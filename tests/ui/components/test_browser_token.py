"""Whose run it is: a random token in a cookie of the browser, which is in no link."""

import pytest
import streamlit as st

from explorer.ui import state
from explorer.ui.components.browser_token import COOKIE, browser_token

TOKEN = "0123456789abcdef" * 2


@pytest.mark.parametrize(("cookie", "is_token"), [(TOKEN, True), ("", False), ("x" * 32, False), (TOKEN + "0", False)])
def test_the_token_is_that_of_the_cookie(monkeypatch: pytest.MonkeyPatch, cookie: str, is_token: bool) -> None:
    """Without a valid one it is the session's own."""
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: cookie})
    monkeypatch.setattr(state, "session_id", lambda: "session")
    assert browser_token() == (TOKEN if is_token else "session")
