"""The class of this session: whether the server has one, who the visitor is in it, and its news.

A visitor is known by cookies that no script reads (:mod:`explorer.serving.headers`). The store is imported only on a
class server, because it loads SQLAlchemy.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.classroom.names import is_token
from explorer.classroom.records import ClassError, Member, News, RefusedError
from explorer.settings import class_link, data_folder
from explorer.ui.state import SessionValue

if TYPE_CHECKING:
    from explorer.classroom.store import ClassStore

_MEMBER_COOKIE, _TEACHER_COOKIE = "explorer_member", "explorer_teacher"
_REASONS = {
    "no_class": "There is no class with this code. Compare it with the one on the projector.",
    "full": "The class is full.",
    "closed": "The vote has ended.",
    "no_question": "This question belongs to another class.",
    "wrong_option": "The question has no such answer.",
    "bad_network": "The network cannot be read.",
    "too_many": "The class has had as many questions as it can have. Start a new class.",
}
_PROBLEM = SessionValue[str]("class_problem", "")


def is_class_server() -> bool:
    """Whether this server was started for a class."""
    return bool(class_link())


def store() -> "ClassStore":
    """Return the store of classes. Raises ClassError if it cannot be opened."""
    from explorer.classroom.store import shared_store

    return shared_store(data_folder())


def member() -> Member | None:
    """Return who this visitor is in a class; None if they have joined none that is open. Raises ClassError."""
    token = _token(_MEMBER_COOKIE)
    return store().members.find(token) if token else None


def news(classroom: int) -> News | None:
    """Return what the members of a class see; all sessions share one answer per version. Raises ClassError."""
    return _news(classroom, store().version(classroom))


@lru_cache(maxsize=64)
def _news(classroom: int, version: int) -> News | None:
    return store().news(classroom) if version else None


def taught_class() -> int | None:
    """Return the class that this visitor leads; None if it leads none. Raises ClassError."""
    token = _token(_TEACHER_COOKIE)
    return store().teacher_class(token) if token else None


def is_teacher() -> bool:
    """Whether this visitor leads a class; False too if the database does not answer."""
    try:
        return is_class_server() and taught_class() is not None
    except ClassError:
        return False


def is_closed(page: str) -> bool:
    """Whether a teacher has closed a page, by its file, to this visitor; False if the database does not answer."""
    try:
        return is_class_server() and page in store().guidance.closed_pages() and taught_class() is None
    except ClassError:
        return False


def join(code: str, nickname: str) -> None:
    """Join the class with a code, or record why that is impossible."""
    _record(lambda: _join(code, nickname))


def _join(code: str, nickname: str) -> None:
    token = _token(_MEMBER_COOKIE)
    if not token:
        _PROBLEM.set("Your browser accepted no cookie. Allow cookies for this server, and open the page again.")
        return
    classroom = store().find_class(code) if code else None
    if classroom is None:
        raise RefusedError("no_class")
    store().members.join(classroom, token, nickname)


def act(action: Callable[["ClassStore", int], object]) -> None:
    """Do what only the teacher of a class may do, after checking that this visitor is."""

    def checked() -> None:
        classroom = taught_class()
        if classroom is None:
            _PROBLEM.set("Only the teacher of this class can do that. Open the teacher's link again.")
        else:
            action(store(), classroom)

    _record(checked)


def act_as_member(action: Callable[["ClassStore", Member], object]) -> None:
    """Do what a member of a class may do."""

    def checked() -> None:
        found = member()
        if found is None:
            _PROBLEM.set("The class has ended, or you have left it.")
        else:
            action(store(), found)

    _record(checked)


def problem() -> str:
    """Return why the last action was refused; empty if it was not."""
    return _PROBLEM.get()


def _record(action: Callable[[], Any]) -> None:
    _PROBLEM.clear()
    try:
        action()
    except RefusedError as error:
        _PROBLEM.set(_REASONS[error.reason])
    except ClassError as error:
        _PROBLEM.set(str(error))


def _token(cookie: str) -> str:
    """Return a token from the cookies of the browser; empty if there is none."""
    token = str(st.context.cookies.get(cookie, ""))  # in AppTest it is a mock
    return token if is_token(token) else ""
