"""The app as AppTest runs it: from the entrypoint, one session per test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from explorer.ui import frame

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory of the test's own: no test reads or writes the user's."""
    folder = tmp_path / "data"
    monkeypatch.setenv("EXPLORER_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_browser_to_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn here, so no run pauses for it."""
    monkeypatch.setattr(frame, "_DRAWING", 0)


@pytest.fixture
def app(data_folder: Path) -> AppTest:
    """A session that has opened the first page."""
    return open_app()


def open_app(**query: str) -> AppTest:
    """Open the app at an address with these query parameters."""
    at = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30)
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    assert not at.exception
    return at


@pytest.fixture
def edit(app: AppTest) -> Callable[..., AppTest]:
    """Edit cells as the grid sends it: ``edit({2: {"#3×3": 210}})``, with anything else the state may hold."""

    def send(rows: Any, **more: Any) -> AppTest:
        app.session_state["table"] = {"edited_rows": rows, "added_rows": [], "deleted_rows": []} | more
        app.run()
        assert not app.exception
        return app

    return send


def forge(control: Selectbox, value: str) -> Selectbox:
    """Choose what the control does not offer, as a forged message of the browser can."""
    control.options.append(value)
    control._value = value
    type(control).format_func.fget(control)  # it must have been drawn
    return control


def totals(app: AppTest) -> dict[str, str]:
    """Return the totals at the top by their label; the label of the MACs also holds the FLOPs."""
    return {metric.label.split(" ·")[0]: metric.value for metric in app.metric}


def texts(app: AppTest) -> str:
    """Return all markdown of the page as one text."""
    return "\n".join(element.value for element in app.markdown)


def around(app: AppTest) -> list[str]:
    """Return what the page says of each part around the table: stem, heads, classifier."""
    html = next(element.value for element in app.get("html") if "around-the-table" in element.value)
    return [part.replace("</p>", "").replace("<br>", "\n") for part in html.split("<p>")[1:]]


def title(app: AppTest) -> str:
    """Return which network the bar says this is."""
    return app.get("popover")[0].proto.popover.label
