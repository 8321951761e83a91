"""Exports in another process: what they make, their priority and time limit, and what becomes of failures."""

import os
import sys

import pytest

from explorer import PRESETS
from explorer.live.weights import load_weights
from explorer.ui.components import export_process
from explorer.ui.components.downloads import CannotMakeError


@pytest.mark.slow
def test_weights_are_made_in_another_process(tmp_path: object) -> None:
    """The button's bytes are a file of this network."""
    file = tmp_path / "w.safetensors"
    file.write_bytes(export_process.run_export(PRESETS["mini"], "safetensors"))
    assert load_weights(file).config == PRESETS["mini"]
    with pytest.raises(CannotMakeError, match="cannot be built"):
        export_process.run_export(PRESETS["mini"].replace(classes=1), "onnx")


def test_an_export_has_a_low_priority_and_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes too long is stopped, with a message."""
    lowered = []
    monkeypatch.setattr(os, "setpriority", lambda kind, pid, priority: lowered.append((kind, priority)))
    monkeypatch.setattr(export_process, "_TIMEOUT_S", 0.05)
    with pytest.raises(CannotMakeError, match="was stopped"):
        export_process.run_export(PRESETS["mini"], "safetensors")
    inherited = os.getpriority(os.PRIO_PROCESS, os.getpid())
    assert [(os.PRIO_PROCESS, min(inherited + 10, 19))] == lowered


@pytest.mark.parametrize("dies", ["raise ValueError('secret')", "import os; os.abort()", "import sys; sys.exit(3)"])
def test_a_process_that_dies_is_explained(dies: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the cause; details for programmers stay in the log."""
    monkeypatch.setattr(export_process, "_COMMAND", (sys.executable, "-c", dies))
    with pytest.raises(CannotMakeError, match=r"ended without a file \(exit code -?\d+\)") as raised:
        export_process.run_export(PRESETS["mini"], "onnx")
    assert "secret" not in str(raised.value)
