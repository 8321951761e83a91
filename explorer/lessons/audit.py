"""An audit of Table 1: each printed parameter and ops number against the one computed from the printed widths.

Source of the printed cells: Szegedy et al. 2014, arXiv:1409.4842, Table 1. They count weights without biases, with
K = 1,024 and M = 10⁶, and by "ops" they mean multiply-accumulates. Also: how the ways of
counting one network's work and size are related.
"""

from typing import NamedTuple

from explorer.arithmetic import conv_macs, conv_weights
from explorer.summary import NetworkSummary

K = 1_024
M = 1_000_000
PARAMETER_TOLERANCE = 1.0  # K: 159.5 is printed as 159, 379.0 as 380
OPS_TOLERANCE = 0.5  # M: to the nearest whole number


class PrintedRow(NamedTuple):
    """One row of Table 1 with its last two columns as printed, in K and M.

    ``rows`` are the paths of its layers; one that ends with a dot stands for all paths that begin with it.
    """

    title: str
    params: float
    ops: float
    rows: tuple[str, ...]


# The rows that have parameters. "convolution 3×3" is the 1×1 to 64 channels and the 3×3 to 192.
PRINTED = (
    PrintedRow("convolution 7×7", 2.7, 34, ("stem.conv1",)),
    PrintedRow("convolution 3×3", 112, 360, ("stem.conv2_reduce", "stem.conv2")),
    PrintedRow("inception 3a", 159, 128, ("inception_3a.",)),
    PrintedRow("inception 3b", 380, 304, ("inception_3b.",)),
    PrintedRow("inception 4a", 364, 73, ("inception_4a.",)),
    PrintedRow("inception 4b", 437, 88, ("inception_4b.",)),
    PrintedRow("inception 4c", 463, 100, ("inception_4c.",)),
    PrintedRow("inception 4d", 580, 119, ("inception_4d.",)),
    PrintedRow("inception 4e", 840, 170, ("inception_4e.",)),
    PrintedRow("inception 5a", 1_072, 54, ("inception_5a.",)),
    PrintedRow("inception 5b", 1_388, 71, ("inception_5b.",)),
    PrintedRow("linear", 1_000, 1, ("classifier.fc",)),
)


class Cell(NamedTuple):
    """A printed number, the one computed from the printed widths, and whether they agree; in K or M.

    ``exact`` is the computed number without a unit prefix. ``reason`` explains the difference, or says that no
    explanation is known; it is empty where they agree.
    """

    printed: float
    computed: float
    exact: int
    agrees: bool
    reason: str = ""


class AuditRow(NamedTuple):
    """The audit of one row of Table 1: its parameters in K = 1,024 weights, its ops in millions of MACs."""

    title: str
    params: Cell
    ops: Cell


def audit(paper: NetworkSummary, released: NetworkSummary) -> tuple[AuditRow, ...]:
    """Compare every printed number with ``paper`` (Table 1's widths), and those that differ with ``released`` too.

    ``released`` is the network of Google's published weights (inception5h).
    """
    return tuple(_audit_row(printed, paper, released) for printed in PRINTED)


def _audit_row(printed: PrintedRow, paper: NetworkSummary, released: NetworkSummary) -> AuditRow:
    weights, macs = _sums(paper, printed.rows)
    params = _cell(printed.params, weights, K, PARAMETER_TOLERANCE)
    ops = _cell(printed.ops, macs, M, OPS_TOLERANCE)
    other_weights, other_macs = _sums(released, printed.rows)
    other_params = _cell(printed.params, other_weights, K, PARAMETER_TOLERANCE)
    other_ops = _cell(printed.ops, other_macs, M, OPS_TOLERANCE)
    if not params.agrees:
        params = params._replace(reason=_reason(printed, other_params, "K"))
    if not ops.agrees:
        ops = ops._replace(reason=_reason(printed, other_ops, "M"))
    return AuditRow(printed.title, params, ops)


def _cell(printed: float, exact: int, unit: int, tolerance: float) -> Cell:
    return Cell(printed, exact / unit, exact, abs(exact / unit - printed) <= tolerance)


def _sums(summary: NetworkSummary, prefixes: tuple[str, ...]) -> tuple[int, int]:
    """Add up the weights and MACs of the rows with these paths or, for a prefix that ends with a dot, below it."""
    rows = [row for row in summary.rows if any(_is_in(row.path, prefix) for prefix in prefixes)]
    return sum(row.weights for row in rows), sum(row.macs for row in rows)


def _is_in(path: str, prefix: str) -> bool:
    return path.startswith(prefix) if prefix.endswith(".") else path == prefix


class Separable(NamedTuple):
    """A depthwise 7×7 with 8 outputs per image channel, then a 1×1 to 64: its weights and MACs."""

    weights: int
    macs: int


def separable_stem() -> Separable:
    """Return the cost of a depthwise separable first layer: 7·7·3·8 + 24·64 weights.

    Source: Chollet 2017, arXiv:1610.02357, section 2 (an early Inception used it); TF-slim ``inception_v2.py`` still
    does, with a depth multiplier of 8.
    """
    weights = conv_weights(3, 8, 7) + conv_weights(24, 64)
    return Separable(weights, conv_macs(weights, 112, 112))


def _reason(printed: PrintedRow, released: Cell, unit: str) -> str:
    if printed.title == "convolution 7×7":
        return _separable_reason()
    if released.agrees:
        return f"Fits Google's released weights: {released.computed:,.2f} {unit}, with {_RELEASED[printed.title]}."
    return "No known explanation: neither the printed widths nor those of Google's released weights give this number."


_RELEASED = {"inception 4a": "204 kernels of 3×3", "inception 5a": "a reduction to 48 before the 5×5"}


def _separable_reason() -> str:
    separable = separable_stem()
    return (
        f"Fits a depthwise separable 7×7: 7·7·3·8 + 24·64 = {separable.weights:,} weights, "
        f"{separable.macs / M:.2f} M MACs."
    )


class Count(NamedTuple):
    """One way to count a network: its name, the number, its unit, and what it includes."""

    name: str
    value: int
    unit: str
    convention: str


def counts(summary: NetworkSummary) -> tuple[Count, ...]:
    """Return a network's work for one image and its size, counted in each of the usual ways."""
    macs, heads = summary.macs(), summary.parameters() - summary.parameters(aux=False)
    return (
        Count("MACs", macs, "", "Multiply-accumulates of convolutions and fully connected layers, nothing else."),
        Count("FLOPs", 2 * macs, "", "2 × MACs: a multiplication and an addition each."),
        Count(
            "torchinfo's mult-adds",
            mult_adds(summary),
            "",
            "MACs, plus each convolution's biases once per position, plus every other layer's biases and each "
            "BatchNorm's γ and β once.",
        ),
        Count("parameters at inference", summary.parameters(aux=False), "", "Without the auxiliary heads."),
        Count("parameters in training", summary.parameters(), "", f"With the auxiliary heads, which have {heads:,}."),
        Count(
            "on disk, at inference",
            disk_bytes(summary, aux=False),
            "bytes",
            "Four bytes per parameter, and BatchNorm's running mean and variance (4 bytes per channel each) and step "
            "counter (8 bytes per layer). The file's header is not included.",
        ),
        Count("on disk, with heads", disk_bytes(summary, aux=True), "bytes", "The same for the network in training."),
    )


def mult_adds(summary: NetworkSummary, *, aux: bool = False) -> int:
    """Return torchinfo 1.8's mult-adds for one image, of the layers that run.

    A convolution counts (weights + biases) · H · W, any other layer each of its parameters once.
    """
    rows = [row for row in summary.rows if aux or row.aux is None]
    return sum(
        row.macs + row.norm + row.biases * (row.out_shape[1] * row.out_shape[2] if row.kind == "conv" else 1)
        for row in rows
    )


def disk_bytes(summary: NetworkSummary, *, aux: bool) -> int:
    """Return the bytes of all numbers in PyTorch's state_dict: float32, and a 64-bit counter per BatchNorm."""
    rows = [row for row in summary.rows if aux or row.aux is None]
    running = sum(row.norm for row in rows)  # γ and β have as many numbers as running mean and variance
    return 4 * (sum(row.parameters for row in rows) + running) + 8 * sum(row.norm > 0 for row in rows)
