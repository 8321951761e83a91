"""The page Train in tests: a function that opens it, and a run manager that starts no process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.manager import Manager
from explorer.runs.records import Run
from explorer.runs.store import Store
from explorer.ui import runs
from tests.ui.app import open_app

PAGE = "pages/lab/train.py"


class IdleManager(Manager):
    """A manager that accepts all requests and starts no process: queued runs stay in the queue."""

    def _update(self) -> None:
        pass


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """The server's manager, with an empty store."""
    idle = IdleManager(Store(tmp_path))
    monkeypatch.setattr(runs, "_manager", lambda folder: idle)
    yield idle
    idle.close()
    idle.store.close()


def open_page(**query: str) -> AppTest:
    """Open the page Train in a new session, with these query parameters."""
    return open_app(PAGE, **query)


def open_as(session: str, run: Run) -> AppTest:
    """Open a run in a session with this id."""
    view = "race" if len(run.plan.trainers) > 1 else "one"
    app = open_page()
    app.session_state["session_id"] = session
    app.session_state["train_runs"] = {view: run.id}
    return choose_view(app, view)


def choose_view(app: AppTest, view: str) -> AppTest:
    """Choose a view of the page."""
    app.session_state["train_view"] = view
    app.run()
    assert not app.exception
    return app


def page_text(app: AppTest) -> str:
    """Return all text of the page."""
    kinds = ("markdown", "caption", "error", "info", "warning", "html", "progress")
    return "\n".join(
        str(getattr(element, "value", "") or getattr(getattr(element, "proto", None), "text", ""))
        for kind in kinds
        for element in app.get(kind)
    )


def click(app: AppTest, key: str) -> AppTest:
    """Click a button."""
    app.button(key=key).click().run()
    assert not app.exception
    return app


def only_run(manager: Manager) -> Run:
    """Return the one run in the store."""
    (run,) = manager.store.runs()
    return run
