"""Memory of an export: the estimate against the peak of real exports, and the limit."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from explorer import PRESETS, summarize
from explorer.cli import app
from explorer.export.size import export_limit_reason, export_megabytes

pytestmark = pytest.mark.slow

PEAK = """
import sys
from explorer import PRESETS
from explorer.live.model import build_model
from explorer.live.weights import to_safetensors
from explorer.live.onnx_graph import to_onnx
def export(name):
    model = build_model(PRESETS[name], seed=0).eval()
    return to_onnx(model) if sys.argv[1] == "onnx" else to_safetensors(model)
def memory(field):  # of this process alone; getrusage would start from the parent's peak
    return 1024 * next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(field))
export("mini")
before = memory("VmRSS")
export("paper")
print(round((memory("VmHWM") - before) / 1e6))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_the_estimate_is_the_peak_of_an_export(kind: str) -> None:
    """Within a factor of 1.2, for the paper's network with 13 million parameters."""
    result = subprocess.run([sys.executable, "-c", PEAK, kind], capture_output=True, check=True)
    estimate = export_megabytes(summarize(PRESETS["paper"]), kind)
    assert estimate / 1.2 <= int(result.stdout) <= 1.2 * estimate


@pytest.mark.parametrize("kind", ["onnx", "safetensors"])
def test_an_export_above_the_limit_is_refused_before_anything_is_built(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its size and the limit, also on the command line; at the limit it is allowed."""
    summary = summarize(PRESETS["mini"])
    needed = export_megabytes(summary, kind)
    monkeypatch.setenv("EXPLORER_EXPORT_MB", str(needed))
    assert "" == export_limit_reason(summary, kind)
    monkeypatch.setenv("EXPLORER_EXPORT_MB", str(needed - 1))
    reason = f"The export would need about {needed} MB; the limit here is {needed - 1} MB (EXPLORER_EXPORT_MB)."
    assert reason == export_limit_reason(summary, kind)
    monkeypatch.setattr("explorer.live.model.build_model", None)
    result = CliRunner().invoke(app, ["export", "mini", "-f", kind, "-o", "nowhere"])
    assert (1, f"mini: {reason}\n") == (result.exit_code, result.stderr)


def test_presets_at_the_default_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """All can be exported but the naive one, whose weights alone are 400 MB."""
    monkeypatch.delenv("EXPLORER_EXPORT_MB", raising=False)
    refused = {
        name
        for name, config in PRESETS.items()
        if export_limit_reason(summarize(config), "onnx") or export_limit_reason(summarize(config), "safetensors")
    }
    assert {"naive"} == refused
