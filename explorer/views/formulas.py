"""The computation of a layer's numbers: each formula with its symbols, and with the numbers filled in.

The arithmetic is that of :mod:`explorer.arithmetic`; here it is only written down. Sources: Dumoulin & Visin 2016,
arXiv:1603.07285 (sizes); Araujo, Norris & Sim 2019, doi:10.23915/distill.00021 (receptive fields).
"""

import re
from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple, TypeVar

from explorer.analysis import LayerRow, NetworkSummary
from explorer.arithmetic import pool_size
from explorer.config import POOL_RULES, GoogLeNetConfig
from explorer.views import formatting as fmt
from explorer.views.labels import KINDS

T = TypeVar("T")


class Step(NamedTuple):
    """One number of a layer: its name, the formula in symbols, and the formula with numbers and result."""

    name: str
    symbols: str
    filled: str


_SYMBOLS = {
    "C_in": "channels in",
    "C_out": "channels out",
    "n": "positions along a side of the input",
    "k": "side of the kernel",
    "s": "stride",
    "p": "padding",
    "weights": "C_in × C_out × k × k",
    "H": "height of the output",
    "W": "width of the output",
    "r_in": "receptive field of the input",
    "j_in": "pixels of the image between its neighbouring positions",
    "⌊ ⌋": "round down",
    "⌈ ⌉": "round up",
}
_BRACKETS = {False: ("⌊", "⌋"), True: ("⌈", "⌉")}
_SYMBOL = re.compile(r"weights|(?<![A-Za-z_])[A-Za-z](?:_in|_out)?(?![A-Za-z_])|[⌊⌈]")
_NOT_COUNTED = {
    "max_pool": "comparisons are not counted",
    "avg_pool": "sums of a mean are not counted",
    "lrn": "squares, sums and powers are not counted",
    "concat": "copying multiplies nothing",
    "dropout": "zeroing is not counted, and at inference there is none",
}


def steps(summary: NetworkSummary, row: LayerRow) -> tuple[Step, ...]:
    """Return how each number of a layer is computed, in the order of computation by hand.

    They are its output size, parameters, MACs, receptive field and memory.
    """
    by_kind = {
        "conv": (_window_size, _conv_costs, _window_field),
        "max_pool": (_window_size, _no_costs, _window_field),
        "avg_pool": (_window_size, _no_costs, _window_field),
        "linear": (_outputs, _linear_costs, _whole_field),
        "dropout": (_same_size, _no_costs, _whole_field),
        "lrn": (_same_size, _no_costs, _same_field),
        "concat": (_stacked_size, _no_costs, _largest_field),
    }
    size, costs, field = by_kind[row.kind]
    if row.stride is None and row.kind == "avg_pool":
        size = _adaptive_size
    if row.path == "classifier.pool":
        size, field = _mean_size, _whole_field
    return (size(summary, row), *costs(row), field(summary, row), _memory(row))


def text(derivation: tuple[Step, ...]) -> str:
    """Return the steps as plain text: each name with its symbols, and below it the numbers."""
    return "\n\n".join(f"{step.name}: {step.symbols}\n{indent(step.filled, '  ')}" for step in derivation)


def symbols(derivation: tuple[Step, ...]) -> dict[str, str]:
    """Return the symbols of these formulas with their meaning, in the order of the list of symbols."""
    used = {word for step in derivation for word in _SYMBOL.findall(step.symbols)}
    return {symbol: meaning for symbol, meaning in _SYMBOLS.items() if symbol.split()[0] in used}


def channel_ranges(summary: NetworkSummary, module: str) -> dict[str, tuple[int, int]]:
    """Return the first and last output channel that each branch of a module fills, in order, counted from 0."""
    ranges, start = {}, 0
    for branch in summary.config.module(module).branches:
        channels = [row for row in summary.rows if (row.module, row.branch) == (module, branch)][-1].out_shape[0]
        ranges[branch] = (start, start + channels - 1)
        start += channels
    return ranges


def _window_size(summary: NetworkSummary, row: LayerRow) -> Step:
    (k, _), s, p = _present(row.kernel), _present(row.stride), _present(row.padding)
    rounds_up = row.kind != "conv" and _rounds_up(summary.config, row)
    filled = [window_size(side, k, s, p, rounds_up=rounds_up) for side in row.in_shape[1:]]
    left, right = _BRACKETS[rounds_up]
    return Step("output size", f"{left}(n + 2p − k) / s{right} + 1", "\n".join(dict.fromkeys(filled)))


def window_size(side: int, kernel: int, stride: int, padding: int, *, rounds_up: bool = False) -> str:
    """Return the output size of a convolution or a pool along a side, as the formula with its numbers."""
    out = pool_size(side, kernel, stride, padding, round_up=rounds_up)
    plain = -((kernel - side - 2 * padding) // stride) + 1 if rounds_up else out
    clipped = " − 1 (the last window would start outside)" if plain != out else ""
    left, right = _BRACKETS[rounds_up]
    return f"{left}({side} + 2·{padding} − {kernel}) / {stride}{right} + 1{clipped} = {out}"


def _adaptive_size(summary: NetworkSummary, row: LayerRow) -> Step:
    sides, out = row.in_shape[1:], row.out_shape[1:]
    filled = f"windows of up to {fmt.size(_present(row.kernel))} on {fmt.size(sides)} = {fmt.size(out)}"
    return Step("output size", "fixed, the windows follow the input", filled)


def _mean_size(summary: NetworkSummary, row: LayerRow) -> Step:
    filled = f"one mean of {fmt.size(row.in_shape[1:])} numbers per channel = 1×1"
    return Step("output size", "1 × 1", filled)


def _same_size(summary: NetworkSummary, row: LayerRow) -> Step:
    return Step("output shape", "that of the input", f"{fmt.shape(row.in_shape)} = {fmt.shape(row.out_shape)}")


def _stacked_size(summary: NetworkSummary, row: LayerRow) -> Step:
    widths = " + ".join(f"{last - first + 1:,}" for first, last in channel_ranges(summary, row.module).values())
    return Step("output channels", "sum over the branches, stacked, not added", f"{widths} = {row.out_shape[0]:,}")


def _outputs(summary: NetworkSummary, row: LayerRow) -> Step:
    return Step("output channels", "C_out, one number each", f"{row.out_shape[0]:,}")


def _conv_costs(row: LayerRow) -> Iterator[Step]:
    (k, _), inputs, (outputs, height, width) = _present(row.kernel), row.in_shape[0], row.out_shape
    extra = (" + C_out" if row.biases else "") + (" + 2 · C_out" if row.norm else "")
    biases = (f" + {outputs:,}" if row.biases else "") + (f" + 2 × {outputs:,}" if row.norm else "")
    filled = f"{inputs:,} × {outputs:,} × {k} × {k}{biases} = {row.parameters:,}"
    yield Step("parameters", f"C_in × C_out × k × k{extra}", filled)
    yield Step("MACs", "weights × H × W", f"{row.weights:,} × {height} × {width} = {row.macs:,}")


def _linear_costs(row: LayerRow) -> Iterator[Step]:
    (inputs,), (outputs,) = row.in_shape, row.out_shape
    yield Step("parameters", "C_in × C_out + C_out", f"{inputs:,} × {outputs:,} + {outputs:,} = {row.parameters:,}")
    yield Step("MACs", "C_in × C_out", f"{inputs:,} × {outputs:,} = {row.macs:,}")


def _no_costs(row: LayerRow) -> Iterator[Step]:
    yield Step("parameters", "none", f"{KINDS[row.kind]} learns nothing = 0")
    yield Step("MACs", "none", f"{_NOT_COUNTED[row.kind]} = 0")


def _window_field(summary: NetworkSummary, row: LayerRow) -> Step:
    k = max(_present(row.kernel))
    before, jump = _entering(summary, row)
    if jump is None:
        return _same_field(summary, row)
    filled = f"{before:,} + ({k} − 1) · {jump} = {row.receptive_field:,} px"
    return Step("receptive field", "r_in + (k − 1) · j_in", filled)


def _entering(summary: NetworkSummary, row: LayerRow) -> tuple[int, int | None]:
    """Return the receptive field and the jump at the input of a window; no jump after uneven windows."""
    if row.kind == "avg_pool" and row.aux:
        tapped = summary.concat(row.aux)
        return tapped.receptive_field, tapped.jump
    jump = row.jump // _present(row.stride) if row.jump else None
    return row.receptive_field - (max(_present(row.kernel)) - 1) * (jump or 0), jump


def _whole_field(summary: NetworkSummary, row: LayerRow) -> Step:
    """Return the step of a layer that combines all positions of the last feature map."""
    seen = row.receptive_field
    last = summary.concat(row.aux or summary.config.modules[-1].name)
    jump = _present(last.jump)
    positions = (seen - last.receptive_field) // jump + 1
    filled = f"{last.receptive_field:,} + ({positions} − 1) · {jump} = {seen:,} px"
    return Step("receptive field", f"r_in + (n − 1) · j_in, from all positions of {last.module} that reach it", filled)


def _same_field(summary: NetworkSummary, row: LayerRow) -> Step:
    return Step("receptive field", "that of the input", f"{row.receptive_field:,} px")


def _largest_field(summary: NetworkSummary, row: LayerRow) -> Step:
    fields = ", ".join(_branch_fields(summary, row.module))
    return Step("receptive field", "the largest of the branches", f"max({fields}) = {row.receptive_field:,} px")


def _branch_fields(summary: NetworkSummary, module: str) -> Iterator[str]:
    for branch in summary.config.module(module).branches:
        yield str([row for row in summary.rows if (row.module, row.branch) == (module, branch)][-1].receptive_field)


def _memory(row: LayerRow) -> Step:
    named = "C_out × H × W" if len(row.out_shape) == 3 else "C_out"
    size = row.activations * fmt.BYTES_PER_FLOAT
    return Step("memory", f"{named} × 4 bytes", f"{fmt.shape(row.out_shape)} × 4 bytes = {size:,} bytes")


def _present(value: T | None) -> T:
    """Return a value that every row of the kind at hand has."""
    if value is None:
        raise ValueError("this kind of layer has a window and a jump")
    return value


def _rounds_up(config: GoogLeNetConfig, row: LayerRow) -> bool:
    """Whether this pool rounds its size up: by the network's rule, the head's, or never inside a module."""
    if row.aux:
        return config.aux.pool == "ceil"
    return row.branch is None and POOL_RULES[config.pooling].usual.ceil
