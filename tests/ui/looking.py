"""What the tests of *Look inside* share: opening the page, and a looker that answers at once, in this process."""

import importlib
from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs.inspection import InputError
from explorer.jobs.queue import Pending
from explorer.jobs.requests import KINDS, Failure
from explorer.ui import cache
from explorer.ui.lab.look_inside import requests
from tests.ui.conftest import open_app


class DirectLooker:
    """Does the work itself, unless ``answer`` is set; notes what was asked, cancelled and forgotten."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.asked: list[Any] = []
        self.cancelled: list[Any] = []
        self.forgotten: list[Any] = []
        self.known: dict[Any, Any] = {}

    def ask(self, request: Any, session: str = "") -> Any:
        """Return what the test has set, or the result."""
        self.asked.append(request)
        if self.answer is not None:
            return self.answer
        if request not in self.known:
            self.known[request] = self._done(request)
        return self.known[request]

    def _done(self, request: Any) -> Any:
        module, _, name = KINDS[request.kind].work.partition(":")
        work = getattr(importlib.import_module(module), name)
        try:
            found = work(**{field: getattr(request, field) for field in type(request).model_fields if field != "kind"})
            return list(found)[-1] if isinstance(found, Iterator) else found
        except InputError as error:
            return Failure(reason=str(error))

    def cancel(self, request: Any, session: str = "") -> None:
        """Note it."""
        self.cancelled.append(request)

    def forget(self, request: Any) -> None:
        """Note it."""
        self.forgotten.append(request)

    def of(self, kind: str) -> list[Any]:
        """Return what was asked of a kind."""
        return [request for request in self.asked if request.kind == kind]


@pytest.fixture
def looker(monkeypatch: pytest.MonkeyPatch) -> DirectLooker:
    """Put a looker that answers at once in the place of the real one and of those that bring weights; wait for none."""
    direct = DirectLooker()
    monkeypatch.setattr(cache, "looker", lambda: direct)
    monkeypatch.setattr(cache, "bringer", lambda _kind: direct)
    monkeypatch.setattr(requests, "PATIENCE_S", 0.0)
    return direct


def open_page(**query: str) -> AppTest:
    """Open a session and go to the page."""
    at = open_app()
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page("pages/lab/infer.py").run()
    assert not at.exception, at.exception
    return at


def show(at: AppTest, view: str) -> AppTest:
    """Choose a view of the page."""
    at.segmented_control(key="look_view").set_value(view)
    at.run()
    assert not at.exception, at.exception
    return at


WAITING = Pending(2, 0.3)
