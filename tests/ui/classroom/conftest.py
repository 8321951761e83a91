"""A class server for pages: a class in the data directory of the test, and sessions of its teacher and its students."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from explorer.classroom.names import new_token
from explorer.classroom.store import ClassStore, shared_store
from explorer.ui.classroom import session


class OpenClass(NamedTuple):
    """A class: its store, number and code, and the token of its teacher."""

    store: ClassStore
    number: int
    code: str
    token: str


@pytest.fixture
def cookies(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The cookies of the browser whose page runs next."""
    found: dict[str, str] = {}
    monkeypatch.setattr(session, "_token", lambda cookie: found.get(cookie, ""))
    return found


@pytest.fixture
def room(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenClass]:
    """A class that is open on this server."""
    monkeypatch.setenv("EXPLORER_CLASS_LINK", "http://192.168.1.7:8501")
    store = shared_store(data_folder)
    code, token = store.open_class()
    session._news.cache_clear()
    yield OpenClass(store, store.find_class(code), code, token)
    store.dispose()


@pytest.fixture
def student(room: OpenClass, cookies: dict[str, str]) -> int:
    """A member of the class, whose browser runs the pages."""
    cookies["explorer_member"] = new_token()
    return room.store.members.join(room.number, cookies["explorer_member"], "Ada").number


@pytest.fixture
def as_teacher(room: OpenClass, cookies: dict[str, str]) -> Callable[[], None]:
    """Return a function that makes the browser the teacher's."""

    def become() -> None:
        cookies["explorer_teacher"] = room.token

    return become
