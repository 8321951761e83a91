"""How much memory it takes to write a network's weights or graph, known before anything is built. Free of torch.

As measured, beyond what the libraries take: a file of weights needs three times the parameters' bytes (the network, its
tensors in a row, the file), a graph the network and five times what is in it (the graph is put together, checked and
written, each by copies). A test holds the estimate against the peak of a real export.
"""

from typing import Literal

from explorer.settings import setting
from explorer.summary import NetworkSummary

Binary = Literal["onnx", "safetensors"]
_BYTES = 4  # of a float32
_COPIES_OF_WEIGHTS, _COPIES_IN_GRAPH = 3, 5


def export_megabytes(summary: NetworkSummary, kind: Binary) -> int:
    """Return about how many MB (10⁶ bytes) it takes to make the file."""
    whole, main = summary.parameters(), summary.parameters(aux=False)
    numbers = _COPIES_OF_WEIGHTS * whole if kind == "safetensors" else whole + _COPIES_IN_GRAPH * main
    return round(_BYTES * numbers / 1e6)


def refusal(summary: NetworkSummary, kind: Binary) -> str:
    """Say why a network is too large to be written here; empty when it is not."""
    needed, limit = export_megabytes(summary, kind), setting("EXPLORER_EXPORT_MB")
    if needed <= limit:
        return ""
    return f"Making it would need about {needed:,} MB; the limit here is {limit:,} MB (EXPLORER_EXPORT_MB)."
