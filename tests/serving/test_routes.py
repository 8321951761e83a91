"""The teacher's door, news, results, status and health: who gets in, and what others get."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.applications import Starlette

from explorer.classroom.names import new_token
from explorer.classroom.store import ClassStore
from explorer.serving.headers import MEMBER_COOKIE, TEACHER_COOKIE
from explorer.serving.news import NewsCache
from explorer.serving.routes import class_routes
from tests.classroom.conftest import QUESTION
from tests.serving.asgi import request


class Server(NamedTuple):
    """The routes with a class in their store, and the teacher's token."""

    app: Starlette
    store: ClassStore
    classroom: int
    token: str


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Routes with one class."""
    store = ClassStore(tmp_path)
    code, token = store.open_class()
    routes = class_routes(store, NewsCache(store), lambda: {"sessions": 7})
    yield Server(Starlette(routes=routes), store, store.find_class(code), token)
    store.dispose()


def test_the_teacher_enters_with_the_token_in_a_form(server: Server) -> None:
    """The cookie is out of reach of scripts and other sites, and the answer's address has no token."""
    answer = request(server.app, "/class/teacher", "POST", [f"token={server.token}".encode()])
    assert (answer.status, answer.headers["location"]) == (303, "/teach")
    assert f"{TEACHER_COOKIE}={server.token}; Path=/; HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "body", [b"", b"token=", b"token=" + b"A" * 43, b"x" * 10_000, b"token=\xff\xfe", b"token=a&token=b", b"%00"]
)
def test_nobody_else_enters(server: Server, body: bytes) -> None:
    """Whatever is in the form."""
    answer = request(server.app, "/class/teacher", "POST", [body])
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_another_site_cannot_send_the_form(server: Server) -> None:
    """Even with a token that is right: nobody becomes the teacher of another class unasked."""
    body = [f"token={server.token}".encode()]
    assert request(server.app, "/class/teacher", "POST", body, sec_fetch_site="cross-site").status == 403


def test_the_door_has_no_inline_script() -> None:
    """The content security policy would stop it."""
    door = Path("assets/class/teacher.html").read_text("utf-8")
    assert "<script src=" in door
    assert door.count("<script") == 1
    assert "style=" not in door


@pytest.mark.parametrize("path", ["/class/results.csv", "/class/status"])
@pytest.mark.parametrize("cookie", ["", f"{TEACHER_COOKIE}=x", f"{TEACHER_COOKIE}={'A' * 43}"])
def test_results_and_status_are_for_the_teacher(server: Server, path: str, cookie: str) -> None:
    """A student who calls them gets nothing."""
    assert request(server.app, path, cookie=cookie).status == 403


def test_the_teacher_gets_results_and_status(server: Server) -> None:
    """The results as a table with a row per vote."""
    member = server.store.members.join(server.classroom, new_token(), "Ada").number
    poll = server.store.polls.start(server.classroom, QUESTION)
    server.store.polls.vote(member, poll, 1, QUESTION.correct_index)
    cookie = f"{TEACHER_COOKIE}={server.token}"
    answer = request(server.app, "/class/results.csv", cookie=cookie)
    (row,) = csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig")))
    assert row["text"] == QUESTION.text
    assert (row["member"], row["round"], row["correct"]) == ("1", "1", "yes")
    assert b"Ada" not in answer.body
    assert request(server.app, "/class/status", cookie=cookie).body == b'{"sessions":7}'


def test_a_member_gets_news(server: Server) -> None:
    """Others get 0, whatever their cookie holds."""
    token = new_token()
    server.store.members.join(server.classroom, token)
    assert request(server.app, "/class/news", cookie=f"{MEMBER_COOKIE}={token}").body == b'{"version":1}'
    for other in ("", "x", new_token(), "ä" * 43):
        assert request(server.app, "/class/news", cookie=f"{MEMBER_COOKIE}={other}").body == b'{"version":0}'


def test_health_needs_the_database(server: Server) -> None:
    """It answers while the database does."""
    assert request(server.app, "/class/health").body == b"ok"
