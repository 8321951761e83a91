"""Files made at a click: why one could not be made is shown below the buttons."""

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.ui.components.downloads import CannotMakeError, File


class Buttons:
    """Replaces Streamlit's button and records what each one makes, by its label."""

    def __init__(self) -> None:
        self.shown: dict[str, Callable[[], object]] = {}

    def __call__(self, label: str, make: Callable[[], object], *_: Any, **options: Any) -> None:
        """Record a button. No run of the script may follow its click: the file would be gone."""
        assert options["on_click"] == "ignore"
        self.shown[label] = make


@pytest.fixture
def buttons(monkeypatch: pytest.MonkeyPatch) -> Buttons:
    """Recorded buttons of the page."""
    found = Buttons()
    monkeypatch.setattr(st, "download_button", found)
    return found


def page(make: Callable[[], object], source: str = "a network") -> AppTest:
    """A page that offers one file."""

    def script() -> None:
        import streamlit as st

        from explorer.ui.components import downloads

        downloads.download_buttons(st.session_state["files"], "paper", st.session_state["source"])

    at = AppTest.from_function(script)
    at.session_state["files"] = (File("ONNX", "onnx", "text/plain", "help", make),)
    at.session_state["source"] = source
    return at.run()


def failing(error: Exception) -> Callable[[], bytes]:
    """Return a function that cannot make its file."""

    def make() -> bytes:
        raise error

    return make


def test_a_file_goes_to_the_browser(buttons: Buttons) -> None:
    """Without a message."""
    at = page(lambda: b"file")
    assert b"file" == buttons.shown["ONNX"]()
    at.run()
    assert not at.error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (CannotMakeError("It took longer than *120* seconds."), "ONNX: It took longer than \\*120\\* seconds."),
        (ValueError("secret"), "ONNX: The file could not be made. The server's log has the details."),
    ],
)
def test_a_failure_is_explained_below_the_buttons(buttons: Buttons, error: Exception, message: str) -> None:
    """As text; details for programmers stay in the log. The next success removes the message."""
    at = page(failing(error))
    with pytest.raises(type(error)):
        buttons.shown["ONNX"]()
    at.run()
    assert [message] == [box.value for box in at.error]
    at.session_state["files"] = (File("ONNX", "onnx", "text/plain", "help", lambda: b"file"),)
    at.run()
    buttons.shown["ONNX"]()
    assert not at.run().error


def test_a_failure_with_another_network_is_forgotten(buttons: Buttons) -> None:
    """It has nothing to do with this one."""
    at = page(failing(CannotMakeError("No.")))
    with pytest.raises(CannotMakeError):
        buttons.shown["ONNX"]()
    assert at.run().error
    at.session_state["source"] = "another"
    assert not at.run().error
