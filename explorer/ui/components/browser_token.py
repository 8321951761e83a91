"""A random token in a cookie of the browser: it proves after a reload, and in other tabs, whose runs are whose.

A reload is a new session, so the session's id alone cannot. The token is in no link and on no page.
"""

import re

import streamlit as st

from explorer.paths import ASSETS
from explorer.ui import state

COOKIE = "explorer_browser"
_TOKEN = re.compile(r"[0-9a-f]{32}")
_set_cookie = st.components.v2.component(
    "browser_token", html="<span></span>", js=(ASSETS / "browser_token.js").read_text("utf-8")
)


def browser_token() -> str:
    """Return the token of the browser; in the session that gives it one, that is the session's id."""
    token = str(st.context.cookies.get(COOKIE, ""))  # in AppTest it is a mock
    return token if _TOKEN.fullmatch(token) else state.session_id()


def store_browser_token() -> None:
    """Let the browser store its token, if it has none. Call this once on a page where something can belong to it."""
    if browser_token() == state.session_id():
        _set_cookie(key="browser_token", data={"name": COOKIE, "token": browser_token()}, height=1)
