"""Headers on every answer: what a browser may load, and whom it may tell.

The policy is as narrow as Streamlit's own page allows. It creates styles at run time (``unsafe-inline`` for styles
alone), loads the scripts of its components from blobs, and compiles WebAssembly for its diagrams. No page of another
server can be loaded, embed ours, or learn an address of it.
"""

import re
from base64 import b64encode
from collections.abc import Callable, MutableMapping
from hashlib import sha256
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEMBER_COOKIE = "explorer_member"
TEACHER_COOKIE = "explorer_teacher"
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
DAY_S = 24 * 3_600


def content_policy(index_html: str) -> str:
    """Return the content security policy for Streamlit's page, whose own inline scripts are named by their hashes."""
    hashes = [f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'" for code in _INLINE.findall(index_html)]
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' blob: 'wasm-unsafe-eval'", *hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class SecurityHeaders:
    """Middleware that puts the headers on every answer, and a random token in a cookie on a page's first answer.

    No script reads that cookie; it tells the server after a reload who has joined the class.
    """

    def __init__(self, app: ASGIApp, policy: str, new_token: Callable[[], str]) -> None:
        self.app = app
        self.new_token = new_token
        self.headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and complete its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(scope, message)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _complete(self, scope: Scope, message: MutableMapping[str, Any]) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in self.headers.items():
            headers[name] = value
        if "server" in headers:
            del headers["server"]
        is_page = headers.get("content-type", "").startswith("text/html") and message["status"] == 200
        if is_page and cookie(scope, MEMBER_COOKIE) is None:
            headers.append("Set-Cookie", set_cookie(MEMBER_COOKIE, self.new_token(), "Lax", DAY_S))


def set_cookie(name: str, value: str, same_site: str, seconds: int) -> str:
    """Return the header that stores a cookie for a time, out of reach of scripts."""
    return f"{name}={value}; Path=/; HttpOnly; SameSite={same_site}; Max-Age={seconds}"


def cookie(scope: Scope, name: str) -> str | None:
    """Return a cookie of a request; None if it has none of that name."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, found = part.strip().partition("=")
                if key == name:
                    return str(found)
    return None
