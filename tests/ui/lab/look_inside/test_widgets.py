"""The custom controls: what a browser sends is checked."""

import base64

import pytest

from explorer.ui.lab.look_inside import widgets

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [(base64.b64encode(PNG).decode(), PNG), ("!!", b""), (7, b""), ("A" * 400_004, b""), (None, b"")],
)
def test_a_drawing_is_decoded_or_empty(monkeypatch: pytest.MonkeyPatch, sent: object, expected: bytes) -> None:
    """A browser may send anything: only base64 of a limited size is a drawing."""
    state = type("State", (), {"png": sent})
    monkeypatch.setattr(widgets, "_drawing_pad", lambda **_: state)
    assert expected == widgets.drawing_pad("pad")
