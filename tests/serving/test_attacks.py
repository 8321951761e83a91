"""A class server under attack: what a curious student can send is refused, and nobody else notices.

One server for all of it, in its own process, which must survive; no answer may hold a path of the machine.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from socket import socket
from typing import NamedTuple

import pytest
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.classroom import edits_beside_a_flood, wire_bytes_of_an_edit
from benchmarks.streamlit_client import Session
from explorer.classroom.names import new_token
from explorer.classroom.store import ClassStore
from explorer.paths import ROOT
from tests import event_loop
from tests.classroom.conftest import QUESTION
from tests.processes import WAIT_S, wait_for

pytestmark = pytest.mark.slow


class Target(NamedTuple):
    """The server that is attacked: its port, data directory and class."""

    port: int
    store: ClassStore
    classroom: int
    folder: Path

    @property
    def address(self) -> str:
        """The beginning of its addresses."""
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Send a request exactly as written; return the status and the body of the answer."""
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=WAIT_S)) as connection:
            return self._request(connection, method, path, body, headers)

    @staticmethod
    def _request(
        connection: HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in named)
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as answer:
            return answer.status, answer.read()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Start the server; at the end it must still run."""
    folder = tmp_path_factory.mktemp("class")
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-m", "explorer", "serve", "--class", "--port", str(port), "--address", "127.0.0.1"]
    environment = os.environ | {"EXPLORER_DATA": str(folder / "data"), "EXPLORER_DATABASE": ""}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            wait_for(lambda: (folder / "data" / "classes.sqlite").exists() and is_open(port))
            store = ClassStore(folder / "data")
            yield Target(port, store, store.find_class(store.open_codes()[0]), folder / "data")
            store.dispose()
            assert process.poll() is None
        finally:
            process.terminate()


async def drain(connection: websockets.ClientConnection) -> None:
    """Receive until the server ends the connection."""
    with suppress(websockets.ConnectionClosed):
        while True:
            await connection.recv()


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_open(port: int) -> bool:
    """Whether the server answers."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/class/health")
            return connection.getresponse().status == 200
        except OSError:
            return False


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/openapi.json", "/_stcore/agent/interact"])
def test_there_is_nothing_for_operators(target: Target, path: str) -> None:
    """Streamlit's figures and its interface for agents are closed."""
    assert target.request("GET", path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/static/../../../../etc/passwd",
        "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/media/..%2f..%2fetc%2fpasswd",
        "/component/x/../../../etc/passwd",
        "/_stcore/bidi-components/x/..%5c..%5cetc%5cpasswd",
        "/class/..%2fteacher.html%00.js",
        "//evil.example/%2e%2e",
        "/app/static/../class_app.py",
        "/class_app.py",
    ],
)
def test_no_path_leads_out(target: Target, path: str) -> None:
    """No file of the machine or of the app's source, and no path of it in an answer."""
    _, body = target.request("GET", path)
    assert b"root:" not in body
    assert b"def make_app" not in body
    assert str(ROOT).encode() not in body


@pytest.mark.parametrize(
    ("status", "headers"),
    [(421, {"Host": "evil.example"}), (403, {"Cookie": f"explorer_teacher={'A' * 43}"}), (403, {"Cookie": "x"})],
)
def test_a_student_calls_the_teacher_in_vain(target: Target, status: int, headers: dict[str, str]) -> None:
    """With another host, a wrong cookie or none."""
    for path in ("/class/status", "/class/results.csv"):
        assert target.request("GET", path, **headers)[0] == status
    if status == 403:
        assert target.request("POST", "/class/teacher", b"token=" + b"A" * 43, **headers)[0] == 403


def test_uploads_need_a_session_and_fit(target: Target) -> None:
    """No file is left of one that is too large, or of one for a session that does not exist."""
    path = "/_stcore/upload_file/none/file"
    assert target.request("PUT", path, b"x", Content_Length="1")[0] in (400, 403)
    assert target.request("PUT", path, b"", Content_Length=str(10**12))[0] == 413
    assert {file.name for file in target.folder.rglob("*")} <= {
        "classes.sqlite",
        "classes.sqlite-wal",
        "classes.sqlite-shm",
        "runs.sqlite",
        "runs.sqlite-wal",
        "runs.sqlite-shm",
        "checkpoints",
        "lock",
    }


@pytest.mark.parametrize(
    "frame",
    [b"\x00" * 20_000_000, b"\xff" * 1_000, "text", b"\x22\x04\xff\xff\xff\xff"],
    ids=["20MB", "bytes", "text", "bad"],
)
def test_a_bad_frame_ends_its_own_connection(target: Target, frame: bytes | str) -> None:
    """The server closes it and serves the next one."""

    async def attack() -> None:
        async with websockets.connect(
            f"ws://127.0.0.1:{target.port}/_stcore/stream", subprotocols=["streamlit"], max_size=None
        ) as connection:
            with suppress(websockets.ConnectionClosed):
                await connection.send(frame)
            await asyncio.wait_for(drain(connection), 30)
        session = Session(target.address)
        await session.open()
        await session.close()

    event_loop.run(attack())


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1.evil.example"])
def test_a_foreign_page_opens_no_connection(target: Target, origin: str) -> None:
    """Its browser sends its origin."""

    async def attack() -> None:
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(f"ws://127.0.0.1:{target.port}/_stcore/stream", origin=origin)

    event_loop.run(attack())


@pytest.mark.parametrize("kind", ["clear_cache", "set_run_on_save", "debug_shutdown_runtime", "load_git_info"])
def test_a_request_for_developers_ends_its_connection(target: Target, kind: str) -> None:
    """A student cannot clear the caches of all, for example."""

    async def attack() -> None:
        async with websockets.connect(
            f"ws://127.0.0.1:{target.port}/_stcore/stream", subprotocols=["streamlit"]
        ) as connection:
            await connection.send(BackMsg(**{kind: True}).SerializeToString())
            await asyncio.wait_for(drain(connection), 30)

    event_loop.run(attack())


FORGED = [  # what a widget may be sent beside what it expects
    {"trigger_value": True},
    {"bool_value": True},
    {"double_value": float("nan")},
    {"double_value": float("inf")},
    {"int_value": 2**62},
    {"int_value": -1},
    {"string_value": ""},
    {"string_value": "x" * 10_000},
    {"string_value": "<script>alert(1)</script>"},
    {"string_value": "\u202e\x00\ud7ff"},
    {"string_value": json.dumps({"edited_rows": {"-1": {"#1×1": "9" * 5_000}}, "added_rows": [{}] * 99})},
    {"string_value": json.dumps({"edited_rows": [], "deleted_rows": "x"})},
    {"string_value": "{"},
    {"json_value": "{"},
    {"json_value": '{"__proto__": 1}'},
    {"json_trigger_value": '{"news": [1, 2]}'},
    {"bytes_value": b"\xff\xfe"},
]


def test_forged_states_of_every_widget_change_nothing_of_the_class(target: Target) -> None:
    """Each widget of the pages of the class gets values of every kind; a student's page stays a student's page."""
    poll = target.store.polls.start(target.classroom, QUESTION)
    token = new_token()
    member = target.store.members.join(target.classroom, token, "Mallory").number
    before = target.store.news(target.classroom)
    sent = 0

    async def attack(page: str) -> int:
        session = Session(target.address, page, cookies=f"explorer_member={token}; explorer_teacher={new_token()}")
        await session.open()
        count = 0
        for identity in [*session.elements, "$$ID-0123456789abcdef-teach_end", "$$ID-x-teach_start", "teach_reveal"]:
            for values in FORGED[count % 3 :: 3]:
                session.states.clear()
                await session.run(WidgetState(id=identity, **values))
                count += 1
        assert not [text for text in session.errors if str(ROOT) in text or "Traceback" in text]
        await session.close()
        return count

    for page in ("join", "teach"):
        sent += event_loop.run(attack(page))
    assert sent >= 40
    after = target.store.news(target.classroom)
    assert after is not None
    assert (after.classroom, after.poll.question) == (before.classroom, before.poll.question)
    assert len(target.store.polls.own_votes(member, poll)) <= 1


def test_an_answer_holds_no_path(target: Target) -> None:
    """Not in any message of a page, and no version of Python."""

    class Recorder(Session):
        """A session that keeps all that it receives."""

        received = b""

        def _keep(self, message: ForwardMsg) -> str:
            self.received += message.SerializeToString()
            return super()._keep(message)

    async def collect() -> bytes:
        session = Recorder(target.address)
        await session.open()
        await session.close()
        return session.received + session.first_message

    received = event_loop.run(collect())
    assert str(ROOT).encode() not in received
    assert str(Path.home()).encode() not in received
    assert ".".join(map(str, sys.version_info[:3])).encode() not in received


def test_a_tab_that_requests_500_runs_at_once_waits_alone(target: Target) -> None:
    """Its requests are slowed, and meanwhile another tab's edits are answered, and right."""
    alone, beside = event_loop.run(edits_beside_a_flood(target.address, edits=2))
    assert len(alone) == len(beside) == 2  # and each answer was right, or it had raised
    token = target.store.reopen_class(target.store.open_codes()[0])
    status, body = target.request("GET", "/class/status", Cookie=f"explorer_teacher={token}")
    assert status == 200
    assert json.loads(body)["slowed"] > 0


def test_an_edit_sends_little(target: Target) -> None:
    """The network of a class is slow: 34 kB at most for an edit on the page Network, compressed as on the wire.

    Without what the browser has already: the scripts and the font of the diagrams, 25 kB of it.
    """
    assert event_loop.run(wire_bytes_of_an_edit(target.address, edits=2)) < 34_000


def test_messages_of_a_page_are_compressed(target: Target) -> None:
    """Where the browser can: the bound above counts on it."""

    async def extensions() -> list[str]:
        session = Session(target.address)
        await session.open()
        names = [extension.name for extension in session.connection.protocol.extensions]
        await session.close()
        return names

    assert event_loop.run(extensions()) == ["permessage-deflate"]
