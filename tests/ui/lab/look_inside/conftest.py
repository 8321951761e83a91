"""The page *Look inside* in tests: a function that opens it, and a job queue that computes results in this process."""

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import InputError
from explorer.jobs import engines
from explorer.jobs.job import Failure, JobRequest
from explorer.jobs.queue import Pending
from explorer.ui import cache
from explorer.ui.lab.look_inside import requests
from tests.ui.app import open_app


class DirectQueue:
    """A job queue that computes each result when it is requested, and records all calls.

    ``result`` replaces all results, ``results`` those of some kinds of requests.
    """

    def __init__(self) -> None:
        self.result: Any = None
        self.results: dict[str, Any] = {}
        self.submitted: list[Any] = []
        self.cancelled: list[Any] = []
        self.forgotten: list[Any] = []
        self.computed: dict[Any, Any] = {}

    def submit(self, request: JobRequest[Any], session: str = "") -> Any:
        """Return the result of a request, or what the test has set."""
        self.submitted.append(request)
        if self.result is not None:
            return self.result
        if request.kind in self.results:
            return self.results[request.kind]
        if request not in self.computed:
            self.computed[request] = _compute(request)
        return self.computed[request]

    def cancel(self, request: JobRequest[Any], session: str = "") -> None:
        """Record the call."""
        self.cancelled.append(request)

    def forget(self, request: JobRequest[Any]) -> None:
        """Record the call."""
        self.forgotten.append(request)

    def of_kind(self, kind: str) -> list[Any]:
        """Return the submitted requests of a kind."""
        return [request for request in self.submitted if request.kind == kind]


def _compute(request: JobRequest[Any]) -> Any:
    module, _, name = request.function.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    fields = {field: getattr(request, field) for field in type(request).model_fields if field != "kind"}
    if "seconds" in inspect.signature(function).parameters:
        fields["seconds"] = 0.0  # a measurement of the fewest rounds
    try:
        found = function(**fields)
        return list(found)[-1] if isinstance(found, Iterator) else found
    except InputError as error:
        return Failure(reason=str(error))


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> DirectQueue:
    """Replace all queues of the page by one that computes results at once; no script waits."""
    direct = DirectQueue()
    monkeypatch.setattr(cache, "inspection_jobs", lambda: direct)
    monkeypatch.setattr(cache, "import_jobs", lambda _kind: direct)
    monkeypatch.setattr(requests, "WAIT_S", 0.0)
    monkeypatch.setattr(engines, "FASTEST_EXACT", ("channels_last",))  # building another took half of a test's time
    return direct


def open_page(**query: str) -> AppTest:
    """Open the app at the page, with these query parameters."""
    return open_app("pages/lab/look_inside.py", **query)


def choose_view(at: AppTest, view: str) -> AppTest:
    """Choose a view of the page."""
    at.segmented_control(key="look_inside_view").set_value(view)
    at.run()
    assert not at.exception, at.exception
    return at


WAITING = Pending(2, 0.3)
