"""Files made at a click: why one could not be made stands below the buttons."""

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.ui.components.downloads import CannotMakeError, File


class Buttons:
    """Stands in for Streamlit's button: remembers what each makes, by its label, to be clicked as the browser does."""

    def __init__(self) -> None:
        self.shown: dict[str, Callable[[], object]] = {}

    def __call__(self, label: str, make: Callable[[], object], *_: Any, **options: Any) -> None:
        """Show a button, on which no run of the script follows: the file would be gone with it."""
        assert options["on_click"] == "ignore"
        self.shown[label] = make


@pytest.fixture
def buttons(monkeypatch: pytest.MonkeyPatch) -> Buttons:
    """The buttons of the page."""
    found = Buttons()
    monkeypatch.setattr(st, "download_button", found)
    return found


def page(make: Callable[[], object], of: str = "a network") -> AppTest:
    """A page that offers one file."""

    def script() -> None:
        import streamlit as st

        from explorer.ui.components import downloads

        downloads.download_buttons(st.session_state["files"], "paper", st.session_state["of"])

    at = AppTest.from_function(script)
    at.session_state["files"] = (File("ONNX", "onnx", "text/plain", "help", make),)
    at.session_state["of"] = of
    return at.run()


def failing(error: Exception) -> Callable[[], bytes]:
    """Return what cannot make its file."""

    def make() -> bytes:
        raise error

    return make


def test_a_file_that_is_made_is_passed_on(buttons: Buttons) -> None:
    """And nothing is said."""
    at = page(lambda: b"file")
    assert b"file" == buttons.shown["ONNX"]()
    at.run()
    assert not at.error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (CannotMakeError("It took longer than *120* seconds."), "ONNX: It took longer than \\*120\\* seconds."),
        (ValueError("secret"), "ONNX: It could not be made; the server's log has the details."),
    ],
)
def test_why_there_is_no_file_is_said_below_the_buttons(buttons: Buttons, error: Exception, told: str) -> None:
    """As text; details that only a programmer understands stay in the log. The next file that is made takes it away."""
    at = page(failing(error))
    with pytest.raises(type(error)):
        buttons.shown["ONNX"]()
    at.run()
    assert [told] == [box.value for box in at.error]
    at.session_state["files"] = (File("ONNX", "onnx", "text/plain", "help", lambda: b"file"),)
    at.run()
    buttons.shown["ONNX"]()
    assert not at.run().error


def test_what_went_wrong_with_another_network_is_forgotten(buttons: Buttons) -> None:
    """It says nothing about this one."""
    at = page(failing(CannotMakeError("No.")))
    with pytest.raises(CannotMakeError):
        buttons.shown["ONNX"]()
    assert at.run().error
    at.session_state["of"] = "another"
    assert not at.run().error
