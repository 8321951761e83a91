"""The start of a class server: what the teacher reads, and why it may be refused."""

import socket
from pathlib import Path

import pytest

from explorer.classroom.store import ClassStore
from explorer.serving import start
from explorer.serving.addresses import join_link
from explorer.serving.start import ServeError, announcement

TOKEN = "A" * 43


def test_the_teacher_reads_how_to_join() -> None:
    """The address and the code, a QR code, and the own link, whose token is behind #."""
    text = announcement("http://192.168.1.7:8501", "ABC234", TOKEN)
    assert "http://192.168.1.7:8501/join?code=ABC234" in text
    assert f"http://192.168.1.7:8501/class/teacher#{TOKEN}" in text
    assert text.count("█") > 100
    assert TOKEN not in join_link("http://192.168.1.7:8501", "ABC234")
    assert "no network" not in text
    assert "no network" in announcement("http://127.0.0.1:8501", "ABC234", TOKEN)


def test_the_link_has_the_address_in_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the server listens on one address, or the teacher names another link."""
    monkeypatch.setattr(start, "network_address", lambda: "192.168.1.7")
    assert start._origin(8501, "0.0.0.0", "") == "http://192.168.1.7:8501"
    assert start._origin(8501, "127.0.0.1", "") == "http://127.0.0.1:8501"
    assert start._origin(8501, "0.0.0.0", "https://school.example/x") == "https://school.example"
    for wrong in ("school.example", "ftp://school.example", "http://"):
        with pytest.raises(ServeError, match="--link"):
            start._origin(8501, "0.0.0.0", wrong)


def test_a_port_that_is_taken_is_named() -> None:
    """Before a class is opened."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ServeError, match="--port"):
            start._require_free_port(taken.getsockname()[1], "127.0.0.1")


def test_a_class_opens_again_by_its_code(tmp_path: Path) -> None:
    """With a new link for the teacher; the old one is void."""
    store = ClassStore(tmp_path)
    code, old = start._open(store, "")
    again, new = start._open(store, code.lower())
    classroom = store.find_class(code)
    assert again == code
    assert store.is_teacher(classroom, new)
    assert not store.is_teacher(classroom, old)
    with pytest.raises(ServeError, match=code):
        start._open(store, "ABC234" if code != "ABC234" else "ABC236")
    store.dispose()
