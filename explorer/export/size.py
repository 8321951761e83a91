"""Estimate the memory that the export of weights or of an ONNX graph needs, before anything is built. Free of torch.

As measured, without the libraries' own memory: a safetensors file needs twice the bytes of the parameters (the network
and the file), a file of torchvision's layout two and a half times; a graph needs the network and five times the
parameters at inference (building, checking and writing it each make copies). A test compares the estimate with the peak
of a real export.
"""

from typing import Literal

from explorer.settings import read_setting
from explorer.summary import NetworkSummary

Binary = Literal["onnx", "safetensors", "pth"]
_BYTES = 4  # of a float32
_COPIES_OF_WEIGHTS = {"safetensors": 2, "pth": 2.5}
_COPIES_IN_GRAPH = 5


def export_megabytes(summary: NetworkSummary, kind: Binary) -> int:
    """Return the estimated peak memory of an export in MB (10⁶ bytes)."""
    whole, main = summary.parameters(), summary.parameters(aux=False)
    numbers = whole + _COPIES_IN_GRAPH * main if kind == "onnx" else _COPIES_OF_WEIGHTS[kind] * whole
    return round(_BYTES * numbers / 1e6)


def export_limit_reason(summary: NetworkSummary, kind: Binary) -> str:
    """Return why a network is too large to export here, or an empty string if it is not."""
    needed, limit = export_megabytes(summary, kind), read_setting("EXPLORER_EXPORT_MB")
    if needed <= limit:
        return ""
    return f"The export would need about {needed:,} MB; the limit here is {limit:,} MB (EXPLORER_EXPORT_MB)."
