"""Estimate the memory that the export of weights or of an ONNX graph needs, before anything is built. Free of torch.

As measured, without the libraries' own memory: weights need three times the bytes of the parameters (the network, its
tensors as contiguous copies, the file); a graph needs the network and five times the parameters at inference (building,
checking and writing it each make copies). A test compares the estimate with the peak of a real export.
"""

from typing import Literal

from explorer.settings import read_setting
from explorer.summary import NetworkSummary

Binary = Literal["onnx", "safetensors", "pth"]
_BYTES = 4  # of a float32
_COPIES_OF_WEIGHTS, _COPIES_IN_GRAPH = 3, 5


def export_megabytes(summary: NetworkSummary, kind: Binary) -> int:
    """Return the estimated peak memory of an export in MB (10⁶ bytes)."""
    whole, main = summary.parameters(), summary.parameters(aux=False)
    numbers = _COPIES_OF_WEIGHTS * whole if kind != "onnx" else whole + _COPIES_IN_GRAPH * main
    return round(_BYTES * numbers / 1e6)


def export_limit_reason(summary: NetworkSummary, kind: Binary) -> str:
    """Return why a network is too large to export here, or an empty string if it is not."""
    needed, limit = export_megabytes(summary, kind), read_setting("EXPLORER_EXPORT_MB")
    if needed <= limit:
        return ""
    return f"The export would need about {needed:,} MB; the limit here is {limit:,} MB (EXPLORER_EXPORT_MB)."
