"""What writing a network takes is known before: the estimate is held against the peak of real exports."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from explorer import PRESETS, summarize
from explorer.cli import app
from explorer.export.size import export_megabytes, refusal

PEAK = """
import sys
from explorer import PRESETS
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors
from explorer.live.onnx_graph import to_onnx
def written(name):
    model = build_model(PRESETS[name], seed=0).eval()
    return to_onnx(model) if sys.argv[1] == "onnx" else to_safetensors(model)
def told(what):  # by the system of this process alone; what getrusage tells begins with whoever started it
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(what))
written("mini")
before = told("VmRSS")
written("paper")
print(round((told("VmHWM") - before) / 1e6))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_the_estimate_is_what_it_takes(kind: str) -> None:
    """Within a fifth, for the paper's network with 13 million parameters."""
    done = subprocess.run([sys.executable, "-c", PEAK, kind], capture_output=True, check=True)
    estimate = export_megabytes(summarize(PRESETS["paper"]), kind)
    assert estimate / 1.2 <= int(done.stdout) <= 1.2 * estimate


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_what_is_larger_than_the_limit_is_refused_before_it_is_built(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its size and the limit, also on the command line; at the limit it is made."""
    summary = summarize(PRESETS["mini"])
    needed = export_megabytes(summary, kind)
    monkeypatch.setenv("EXPLORER_EXPORT_MB", str(needed))
    assert "" == refusal(summary, kind)
    monkeypatch.setenv("EXPLORER_EXPORT_MB", str(needed - 1))
    told = f"Making it would need about {needed} MB; the limit here is {needed - 1} MB (EXPLORER_EXPORT_MB)."
    assert told == refusal(summary, kind)
    monkeypatch.setattr("explorer.live.model.build_model", None)
    result = CliRunner().invoke(app, ["export", "mini", "-f", kind, "-o", "nowhere"])
    assert (1, f"mini: {told}\n") == (result.exit_code, result.stderr)


def test_which_presets_can_be_written_at_the_usual_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the naive one, whose weights alone are 400 MB."""
    monkeypatch.delenv("EXPLORER_EXPORT_MB", raising=False)
    refused = {
        name
        for name, config in PRESETS.items()
        if refusal(summarize(config), "onnx") or refusal(summarize(config), "safetensors")
    }
    assert {"naive"} == refused
