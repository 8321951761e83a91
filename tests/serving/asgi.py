"""Call an ASGI app without a server: one request, or the messages of one websocket."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from starlette.types import ASGIApp, Message, Scope

from tests import event_loop


class Answer(NamedTuple):
    """What an app answered; names of headers are small, and a header that occurs twice has its last value."""

    status: int
    headers: dict[str, str]
    body: bytes


def scope(kind: str, path: str, method: str = "GET", **headers: str) -> Scope:
    """Return the scope of a request; underscores in names of headers are hyphens."""
    path, _, query = path.partition("?")
    pairs = {"host": "127.0.0.1:8501"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "type": kind,
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in pairs.items()],
    }


def request(app: ASGIApp, path: str, method: str = "GET", body: Iterable[bytes] = (b"",), **headers: str) -> Answer:
    """Send a request whose body comes in pieces."""
    pieces = list(body)
    received = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces)}
        for number, piece in enumerate(pieces, start=1)
    ]
    sent = call(app, scope("http", path, method, **headers), received)
    start = next(message for message in sent if message["type"] == "http.response.start")
    found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(message.get("body", b"") for message in sent))


def call(app: ASGIApp, of: Scope, received: Iterable[Message]) -> list[Message]:
    """Call an app with the messages that it will receive, then with a disconnect. Return those that it sent."""
    waiting, sent = list(received), []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": f"{of['type']}.disconnect", "code": 1000}

    async def send(message: Message) -> None:
        sent.append(message)

    event_loop.run(app(of, receive, send))
    return sent


def recorder(seen: list[Any]) -> ASGIApp:
    """Return an app that records what it receives until the disconnect, and answers a page."""

    async def app(of: Scope, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            seen.append(message)
            if message["type"].endswith("disconnect") or (of["type"] == "http" and not message.get("more_body")):
                break
        if of["type"] == "http":
            headers = [(b"content-type", b"text/html; charset=utf-8"), (b"server", b"secret/1.2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"page"})

    return app
