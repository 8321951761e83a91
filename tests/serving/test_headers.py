"""Headers on every answer, and the cookie that remembers a member."""

import re
from pathlib import Path

import pytest
import streamlit as st

from explorer.classroom.names import is_token, new_token
from explorer.serving.headers import MEMBER_COOKIE, SecurityHeaders, content_policy, cookie
from tests.serving.asgi import call, recorder, request, scope

INDEX = (Path(st.__file__).parent / "static" / "index.html").read_text("utf-8")
APP = SecurityHeaders(recorder([]), content_policy(INDEX), new_token)


def test_every_answer_has_the_headers_and_no_version() -> None:
    """The name of the server is dropped."""
    headers = request(APP, "/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_policy_allows_no_other_server_and_no_inline_script() -> None:
    """Streamlit's own inline script is named by its hash."""
    policy = dict(part.split(" ", 1) for part in content_policy(INDEX).split("; "))
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"].split()
    assert len(re.findall("'sha256-[A-Za-z0-9+/]{43}='", policy["script-src"])) == INDEX.count("<script>")
    assert "http" not in content_policy(INDEX)


def test_a_page_gets_a_token_once() -> None:
    """Out of reach of scripts; a browser that has one keeps it."""
    first = request(APP, "/").headers["set-cookie"]
    token = first.removeprefix(f"{MEMBER_COOKIE}=").split(";")[0]
    assert is_token(token)
    assert "HttpOnly" in first
    assert "SameSite=Lax" in first
    assert "set-cookie" not in request(APP, "/", cookie=f"a=b; {MEMBER_COOKIE}={token}").headers


@pytest.mark.parametrize(
    ("header", "value"), [("a=1; b=2", "2"), ("b=", ""), ("bb=3", None), ("b", ""), ("x=b=2", None)]
)
def test_a_cookie_is_found_by_its_whole_name(header: str, value: str | None) -> None:
    """Nothing else that looks like it."""
    assert cookie(scope("http", "/", cookie=header), "b") == value


def test_a_websocket_passes_unchanged() -> None:
    """It has no headers of an answer."""
    seen: list[object] = []
    call(SecurityHeaders(recorder(seen), "", new_token), scope("websocket", "/_stcore/stream"), [])
    assert len(seen) == 1
