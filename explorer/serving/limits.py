"""What one client may take from the server: frames, messages, sessions, addresses, uploads.

A connection that sends messages too fast is slowed, not closed: its messages wait in its own line, while the others are
answered. All else over a limit is refused, before the app sees it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.serving.addresses import is_known_host
from explorer.serving.usage import Usage

_UPLOADS = "/_stcore/upload_file/"
# Streamlit's routes for its operators and for agents: the status page of the class has what a teacher needs.
_HIDDEN = ("/_stcore/metrics", "/_stcore/script-health-check", "/_stcore/agent")
_CLOSE_UNSUPPORTED, _CLOSE_POLICY, _CLOSE_TOO_BIG, _CLOSE_LATER = 1003, 1008, 1009, 1013  # codes of RFC 6455
_MAX_UPLOADERS = 4_096  # sessions whose uploads are counted; the oldest is forgotten


class Limits(NamedTuple):
    """How much is accepted. Sizes are in bytes."""

    sessions: int = 400
    frame: int = 1_000_000
    messages_per_second: float = 20
    messages_at_once: int = 60
    query: int = 16_000
    upload: int = 20_000_000
    uploads_per_session: int = 60_000_000
    uploads_in_all: int = 600_000_000  # that the server holds at once


class Bucket:
    """Says how long the next message of a connection has to wait, so that the rate stays below a limit.

    The first ``burst`` messages do not wait. ``now`` is a clock in seconds.
    """

    def __init__(self, rate: float, burst: int, now: Callable[[], float] = monotonic) -> None:
        self.rate, self.burst, self.now = rate, burst, now
        self.level, self.last = float(burst), now()

    def take(self) -> float:
        """Count a message; return the seconds until it may be passed on."""
        time = self.now()
        self.level = min(self.burst, self.level + (time - self.last) * self.rate) - 1
        self.last = time
        return max(0.0, -self.level / self.rate)


class LimitsMiddleware:
    """Middleware that applies :class:`Limits` to every request and connection, and counts in :class:`Usage`.

    ``hosts`` are this server's names; a request under another name is refused. ``is_allowed`` says whether a frame is a
    message that a browser of a class may send; ``held`` how many bytes of uploads the app keeps now.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        usage: Usage,
        hosts: frozenset[str],
        is_allowed: Callable[[bytes], bool] = lambda _: True,
        held: Callable[[], int] = lambda: 0,
    ) -> None:
        self.app, self.limits, self.usage, self.hosts, self.is_allowed = app, limits, usage, hosts, is_allowed
        self.held = held
        self.uploaded: OrderedDict[str, int] = OrderedDict()
        self.arriving = 0  # bytes of the uploads that are under way, as announced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request or connection, or pass it on within its limits."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, reason = self._problem(scope)
        if status:
            self.usage.refused += 1
            await PlainTextResponse(reason, status)(scope, receive, send)
            return
        if scope["path"].startswith(_UPLOADS) and scope["method"] == "PUT":
            await self._upload(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an upload on; until it is over, its bytes are taken."""
        announced = self._announced(scope)
        self.arriving += announced
        try:
            await self.app(scope, self._counted(scope["path"], receive), send)
        finally:
            self.arriving -= announced

    def _announced(self, scope: Scope) -> int:
        """Return the size of an upload: what its request says, or as much as one may have if it comes in pieces."""
        size = dict(scope["headers"]).get(b"content-length", str(self.limits.upload).encode()).decode("latin-1")
        return int(size) if size.isdecimal() and len(size) < 20 else self.limits.upload + 1

    def _problem(self, scope: Scope) -> tuple[int, str]:
        """Return the status and the reason with which a request is refused; 0 if it is not."""
        headers = dict(scope["headers"])
        if not is_known_host(headers.get(b"host", b"").decode("latin-1"), self.hosts):
            return 421, "This server has another name."
        if len(scope["query_string"]) > self.limits.query:
            return 414, "The address is too long."
        if scope["path"].startswith(_HIDDEN):
            return 404, "There is nothing here."
        if scope["path"].startswith(_UPLOADS) and scope["method"] == "PUT":
            return self._upload_problem(_session(scope["path"]), self._announced(scope))
        return 0, ""

    def _upload_problem(self, session: str, announced: int) -> tuple[int, str]:
        if announced > self.limits.upload:
            return 413, "The file is too large."
        if self.uploaded.get(session, 0) + announced > self.limits.uploads_per_session:
            return 413, "This browser tab has uploaded enough. Open the page again to go on."
        if self.held() + self.arriving + announced > self.limits.uploads_in_all:
            return (
                507,
                "The server keeps no more uploads. Try again when others have closed their tabs.",
            )
        return 0, ""

    def _counted(self, path: str, receive: Receive) -> Receive:
        """Return a ``receive`` that counts the bytes of an upload for its session, and ends one that is too long."""
        session, received = _session(path), 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            self.uploaded[session] = self.uploaded.get(session, 0) + size
            self.uploaded.move_to_end(session)
            if len(self.uploaded) > _MAX_UPLOADERS:
                self.uploaded.popitem(last=False)
            is_over = received > self.limits.upload or self.uploaded[session] > self.limits.uploads_per_session
            if is_over:
                self.usage.refused += 1
                return {"type": "http.disconnect"}
            return message

        return counted

    async def _connection(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        is_known = is_known_host(headers.get(b"host", b"").decode("latin-1"), self.hosts)
        if not is_known or self.usage.sessions >= self.limits.sessions:
            self.usage.refused += 1
            await receive()  # the request to connect
            await send({"type": "websocket.close", "code": _CLOSE_LATER})
            return
        self.usage.sessions += 1
        try:
            await self.app(scope, self._limited(receive, send), send)
        finally:
            self.usage.sessions -= 1

    def _frame_problem(self, data: bytes | None) -> int:
        """Return the code with which a frame ends its connection; 0 if it is passed on."""
        if data is None:
            return _CLOSE_UNSUPPORTED
        if len(data) > self.limits.frame:
            return _CLOSE_TOO_BIG
        return 0 if self.is_allowed(data) else _CLOSE_POLICY

    def _limited(self, receive: Receive, send: Send) -> Receive:
        """Return a ``receive`` that slows messages down, and ends a connection whose frames are none of Streamlit's."""
        bucket = Bucket(self.limits.messages_per_second, self.limits.messages_at_once)

        async def limited() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            if code := self._frame_problem(message.get("bytes")):
                self.usage.refused += 1
                await send({"type": "websocket.close", "code": code})
                return {"type": "websocket.disconnect", "code": code}
            if (seconds := bucket.take()) > 0:
                self.usage.slowed += 1
                await asyncio.sleep(seconds)
            return message

        return limited


def _session(path: str) -> str:
    """Return the session in the path of an upload."""
    return path.removeprefix(_UPLOADS).partition("/")[0][:64]
