"""The export on the page Compare: files that another process makes."""

import os
import sys

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.history import Version
from explorer.live.weights import load_weights
from explorer.ui.components.downloads import CannotMakeError
from explorer.ui.explore.compare import export
from tests.ui.app import open_compare


@pytest.mark.slow
def test_weights_are_made_in_another_process(tmp_path: object) -> None:
    """The button's bytes are a file of this network."""
    file = tmp_path / "w.safetensors"
    file.write_bytes(export.run_export(Version("mini", PRESETS["mini"]), "safetensors"))
    assert load_weights(file).config == PRESETS["mini"]
    with pytest.raises(CannotMakeError, match="cannot be built"):
        export.run_export(Version("mini", PRESETS["mini"].replace(classes=1)), "onnx")


def test_an_export_has_a_low_priority_and_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long is stopped, with a message."""
    lowered = []
    monkeypatch.setattr(os, "setpriority", lambda kind, pid, priority: lowered.append((kind, priority)))
    monkeypatch.setattr(export, "_TIMEOUT_S", 0.05)
    with pytest.raises(CannotMakeError, match="was stopped"):
        export.run_export(Version("mini", PRESETS["mini"]), "safetensors")
    inherited = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert [(os.PRIO_PROCESS, min(inherited + 10, 19))] == lowered


@pytest.mark.parametrize("dies", ["raise ValueError('secret')", "import os; os.abort()", "import sys; sys.exit(3)"])
def test_a_process_that_dies_is_explained(dies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the cause; details for programmers stay in the log."""
    monkeypatch.setattr(export, "_COMMAND", (sys.executable, "-c", dies))
    with pytest.raises(CannotMakeError, match=r"ended without a file \(exit code -?\d+\)") as raised:
        export.run_export(Version("mini", PRESETS["mini"]), "onnx")
    assert "secret" not in str(raised.value)


def test_a_file_that_is_too_large_is_explained(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its size and the limit; its button is disabled, the others work."""
    monkeypatch.setenv("EXPLORER_EXPORT_MB", "190")
    open_compare(app, "Export")
    off = [button.proto.label for button in app.get("download_button") if button.proto.disabled]
    assert off == ["ONNX"]
    (message,) = [caption.value for caption in app.caption if "would need" in caption.value]
    assert message.endswith(
        "ONNX: The export would need about 193 MB; the limit here is 190 MB (EXPLORER\\_EXPORT\\_MB)."
    )
