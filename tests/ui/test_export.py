"""The menu Export of the bar: the current network on every page, some files made by another process."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.share import from_json, to_token
from explorer.ui import export
from explorer.ui.navigation import PAGES, PageEntry
from tests.ui.app import open_app, run

FILES = ["PyTorch", "ONNX", "Weights", "JSON", "CSV", "LaTeX", "Markdown", "SVG", "Handout"]


def open_menu(at: AppTest) -> AppTest:
    """Open the menu Export."""
    at.session_state["export"] = True
    return run(at)


@pytest.mark.slow
@pytest.mark.parametrize("entry", [entry for entries in PAGES.values() for entry in entries], ids=lambda e: e.title)
def test_every_page_exports_the_current_network(entry: PageEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the base that the page Compare compares with: the edited network, under its name."""
    offered = []
    monkeypatch.setattr(export, "download_buttons", lambda *arguments: offered.append(arguments))
    edited = with_module(PRESETS["mini"], PRESETS["mini"].module("4a").replace(ch3x3=64))
    at = open_app(net=to_token(Version("mini", edited)), compare="paper.half")
    at.switch_page(f"pages/{entry.file}").run()
    assert not offered
    open_menu(at)
    files, stem, source = offered[-1]
    assert source == Version("mini", edited)
    assert stem == "mini_edited"
    assert [file.label for file in files] == FILES
    made = {file.label: file.make() for file in files if file.label not in ("ONNX", "Weights")}
    assert from_json(made["JSON"].encode()) == edited
    assert "<h1>mini + 1 edit</h1>" in made["Handout"]
    assert made["SVG"].startswith("<?xml") or made["SVG"].startswith("<svg")


def test_the_handout_has_the_selected_modules_and_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no questions in a class, because their answers are on its last page."""
    offered = []
    monkeypatch.setattr(export, "download_buttons", lambda files, *_: offered.append(files[-1].make()))
    for hide in ({}, {"hide": "teacher"}):
        at = open_app(net="2.mini", **hide)
        at.session_state["export_modules"] = ["4a"]
        at.session_state["export_topics"] = ["reduction"]
        open_menu(at)
        assert "<h2>Module 4a</h2>" in offered[-1]
        assert ("<h2>Answers</h2>" in offered[-1]) is not bool(hide)


def test_a_file_that_is_too_large_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its size and the limit; its button is disabled, the others work."""
    monkeypatch.setenv("EXPLORER_EXPORT_MB", "190")
    app = open_menu(open_app())
    off = [button.proto.label for button in app.get("download_button") if button.proto.disabled]
    assert off == ["ONNX"]
    (message,) = [caption.value for caption in app.caption if "would need" in caption.value]
    assert message.endswith(
        "ONNX: The export would need about 193 MB; the limit here is 190 MB (EXPLORER\\_EXPORT\\_MB)."
    )
