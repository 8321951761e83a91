"""What is refused before the app sees it, and that a fast connection is slowed alone."""

import asyncio
from typing import Any

import pytest

from explorer.serving import limits as module
from explorer.serving.limits import Bucket, Limits, LimitsMiddleware
from explorer.serving.usage import Usage
from tests.serving.asgi import call, recorder, request, scope

UPLOAD = "/_stcore/upload_file/session/file"
SMALL = Limits(sessions=2, frame=100, query=50, upload=1_000, uploads_per_session=1_500)


@pytest.fixture
def seen() -> list[Any]:
    """What the app receives."""
    return []


@pytest.fixture
def usage() -> Usage:
    """What the middleware counts."""
    return Usage()


@pytest.fixture
def app(seen: list[Any], usage: Usage) -> LimitsMiddleware:
    """An app behind small limits."""
    return LimitsMiddleware(recorder(seen), SMALL, usage, frozenset({"school.example"}))


@pytest.mark.parametrize(
    ("status", "path", "headers"),
    [
        (414, "/?" + "a" * 51, {}),
        (421, "/", {"host": "evil.example"}),
        (404, "/_stcore/metrics", {}),
        (404, "/_stcore/agent/interact", {}),
        (404, "/_stcore/script-health-check", {}),
        (413, UPLOAD, {"content_length": "1001"}),
        (413, UPLOAD, {"content_length": "-1"}),
        (413, UPLOAD, {"content_length": "9" * 400}),
        (413, UPLOAD, {"content_length": "x"}),
    ],
)
def test_what_is_over_a_limit_is_refused(
    app: LimitsMiddleware, seen: list[Any], usage: Usage, status: int, path: str, headers: dict[str, str]
) -> None:
    """With a status, and the app hears nothing of it."""
    answer = request(app, path, "PUT", **headers)
    assert answer.status == status
    assert seen == []
    assert usage.refused == 1


def test_what_is_within_the_limits_passes(app: LimitsMiddleware, seen: list[Any]) -> None:
    """Unchanged."""
    assert request(app, "/?" + "a" * 50, host="school.example:8501").body == b"page"
    assert request(app, UPLOAD, "PUT", [b"a" * 900], content_length="900").status == 200
    assert seen[-1]["body"] == b"a" * 900


def test_an_upload_that_lies_about_its_size_ends(app: LimitsMiddleware, seen: list[Any]) -> None:
    """When it has become too large."""
    request(app, UPLOAD, "PUT", [b"a" * 400] * 4, content_length="10")
    assert sum(len(message.get("body", b"")) for message in seen) == 800
    assert seen[-1]["type"] == "http.disconnect"


def test_a_session_uploads_only_so_much(app: LimitsMiddleware) -> None:
    """In all; another session is not affected."""
    for _ in range(2):
        assert request(app, UPLOAD, "PUT", [b"a" * 700], content_length="700").status == 200
    assert request(app, UPLOAD, "PUT", [b"a" * 700], content_length="700").status == 413
    assert request(app, "/_stcore/upload_file/other/file", "PUT", [b"a"], content_length="1").status == 200


@pytest.mark.parametrize(("held", "status"), [(2_000, 200), (2_001, 507)])
def test_all_sessions_together_upload_only_so_much(usage: Usage, held: int, status: int) -> None:
    """What the app keeps counts, and goes again when it is freed; the refusal says what to wait for."""
    kept = [held]
    limits = SMALL._replace(uploads_in_all=2_500)
    app = LimitsMiddleware(recorder([]), limits, usage, frozenset(), held=lambda: sum(kept))
    answer = request(app, UPLOAD, "PUT", [b"a" * 500], content_length="500")
    assert answer.status == status
    assert (b"closed their tabs" in answer.body) is (status == 507)
    kept.clear()
    assert request(app, UPLOAD, "PUT", [b"a" * 500], content_length="500").status == 200


@pytest.mark.parametrize("first", [{"content_length": "900"}, {}])
def test_uploads_under_way_count_too(usage: Usage, first: dict[str, str]) -> None:
    """One that comes in pieces without a size counts as much as it may have; after its end it counts no longer."""
    second: list[int] = []

    async def slow(of: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            second.append(message.get("status", 0))

        if not second:
            await app(scope("http", UPLOAD, "PUT", content_length="200"), receive, note)
        await recorder([])(of, receive, send)

    app = LimitsMiddleware(slow, SMALL._replace(uploads_in_all=1_000), usage, frozenset())
    assert request(app, UPLOAD, "PUT", [b"a"], **first).status == 200
    assert second[0] == 507
    assert request(app, UPLOAD, "PUT", [b"a"], content_length="200").status == 200


def test_the_memory_of_uploads_is_bounded(app: LimitsMiddleware, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sessions there were."""
    monkeypatch.setattr(module, "_MAX_UPLOADERS", 3)
    for number in range(9):
        request(app, f"/_stcore/upload_file/{number}/file", "PUT", [b"a"], content_length="1")
    assert len(app.uploaded) == 3


@pytest.mark.parametrize(
    ("frame", "code"), [({"bytes": b"a" * 101}, 1009), ({"text": "a"}, 1003), ({"text": "a" * 10_000}, 1003)]
)
def test_a_frame_that_is_none_of_the_app_ends_the_connection(
    app: LimitsMiddleware, seen: list[Any], frame: dict[str, Any], code: int
) -> None:
    """The app sees a disconnect, never the frame."""
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", **frame}]
    sent = call(app, scope("websocket", "/_stcore/stream"), messages)
    assert sent == [{"type": "websocket.close", "code": code}]
    assert [message["type"] for message in seen] == ["websocket.connect", "websocket.disconnect"]


def test_a_message_that_no_browser_may_send_ends_the_connection(seen: list[Any], usage: Usage) -> None:
    """As Streamlit's request to clear the caches of all sessions."""
    app = LimitsMiddleware(recorder(seen), SMALL, usage, frozenset(), lambda data: data == b"good")
    frames = [{"type": "websocket.receive", "bytes": data} for data in (b"good", b"bad", b"good")]
    sent = call(app, scope("websocket", "/_stcore/stream"), frames)
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert [message.get("bytes") for message in seen] == [b"good", None]


def test_only_so_many_sessions_are_open(app: LimitsMiddleware, usage: Usage, seen: list[Any]) -> None:
    """One more is asked to come later; one that ends makes room."""
    usage.sessions = 2
    sent = call(app, scope("websocket", "/_stcore/stream"), [{"type": "websocket.connect"}])
    assert sent == [{"type": "websocket.close", "code": 1013}]
    assert seen == []
    usage.sessions = 1
    call(app, scope("websocket", "/_stcore/stream"), [{"type": "websocket.connect"}])
    assert usage.sessions == 1
    assert len(seen) == 2


def test_a_foreign_name_opens_no_connection(app: LimitsMiddleware, seen: list[Any]) -> None:
    """As with requests."""
    call(app, scope("websocket", "/_stcore/stream", host="evil.example"), [{"type": "websocket.connect"}])
    assert seen == []


def test_messages_wait_in_their_own_line(app: LimitsMiddleware, usage: Usage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those after the first burst, by the rate; none is lost."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    seen: list[Any] = []
    patient = LimitsMiddleware(recorder(seen), Limits(messages_per_second=10, messages_at_once=5), usage, app.hosts)
    frames = [{"type": "websocket.receive", "bytes": bytes([number])} for number in range(8)]
    call(patient, scope("websocket", "/_stcore/stream"), frames)
    assert [message["bytes"][0] for message in seen[:-1]] == list(range(8))
    assert len(waited) == usage.slowed == 3
    assert waited == pytest.approx([0.1, 0.2, 0.3], abs=0.05)


def test_a_bucket_fills_again() -> None:
    """With time, up to its size."""
    time = [0.0]
    bucket = Bucket(2, 3, lambda: time[0])
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]
    time[0] = 100
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]
