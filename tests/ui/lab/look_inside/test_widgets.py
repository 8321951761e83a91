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


@pytest.mark.parametrize(
    ("sent", "moves"), [("3:12", [(3, 12)]), ("3:-1", []), ("3:12:4", []), (None, []), ("99999:0", []), ({}, [])]
)
def test_a_position_is_two_numbers(monkeypatch: pytest.MonkeyPatch, sent: object, moves: list[tuple[int, int]]) -> None:
    """Anything else that a browser sends is ignored."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(widgets.st, "session_state", {"maps": type("State", (), {"position": sent})})
    monkeypatch.setattr(widgets, "_position_maps", lambda on_position_change, **_: on_position_change())
    widgets.position_maps("<svg/>", key="maps", status="", on_move=lambda *position: found.append(position))
    assert moves == found
