"""Fixtures for the app in Streamlit's AppTest: one session per test, and a data directory of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from explorer.jobs.queue import JobQueue, Pending
from explorer.ui import cache, streamlit_workarounds
from tests.ui.app import FakeJobQueue, click, open_app, run


@pytest.fixture(autouse=True, scope="session")
def scan_for_components_once() -> Iterator[None]:
    """Read the metadata of all installed packages once: AppTest does it in each run, for 0.2 s, to find components."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of the test: no test reads or writes the user's."""
    folder = tmp_path / "data"
    monkeypatch.setenv("EXPLORER_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no browser that draws, so no run pauses for it."""
    monkeypatch.setattr(streamlit_workarounds, "_DRAWING_S", 0)


@pytest.fixture(autouse=True)
def no_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process builds each network that a test shows, unseen. What the badge says is tested with its own reports."""
    monkeypatch.setattr(JobQueue, "check", lambda *_: Pending(0, 0.3))


@pytest.fixture
def app(data_folder: Path) -> AppTest:
    """A session that has opened the first page."""
    return open_app()


@pytest.fixture
def edit(app: AppTest) -> Callable[..., AppTest]:
    """Edit cells as the grid sends it: ``edit({2: {"#3×3": 210}})``, with anything else the state may hold."""

    def send(rows: Any, **more: Any) -> AppTest:
        app.session_state["table"] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []} | more
        return run(app)

    return send


@pytest.fixture
def two_variants(app: AppTest, edit: Callable[..., AppTest]) -> AppTest:
    """A session with two variants on its shelf: the paper's network with a wider and with a narrower 4a."""
    edit({2: {"#3×3": 300}})
    click(app, "keep")
    edit({2: {"#3×3": 100}})
    return click(app, "keep")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> FakeJobQueue:
    """A fake job queue in place of the one for checks and measurements."""
    fake = FakeJobQueue()
    monkeypatch.setattr(cache, "check_jobs", lambda: fake)
    return fake
