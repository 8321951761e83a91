"""How a layer's numbers come about: each formula with its symbols, filled in, step by step.

The arithmetic is that of :mod:`explorer.arithmetic`; here it is only written out. Sources: Dumoulin & Visin 2016,
arXiv:1603.07285 (sizes); Araujo, Norris & Sim 2019, doi:10.23915/distill.00021 (receptive fields).
"""

from collections.abc import Iterator
from textwrap import indent
from typing import NamedTuple

from explorer.analysis import LayerRow, NetworkSummary
from explorer.config import POOL_RULES, GoogLeNetConfig
from explorer.views import formatting as fmt


class Step(NamedTuple):
    """One number of a layer: what it is, the formula in symbols, and the formula filled in with its result."""

    name: str
    symbols: str
    filled: str


SYMBOLS = (
    "C channels, n side in pixels, k kernel, s stride, p padding, H × W output size, "
    "r receptive field, j distance of neighbouring positions; ⌊ ⌋ rounds down, ⌈ ⌉ up"
)


def steps(summary: NetworkSummary, row: LayerRow) -> tuple[Step, ...]:
    """Return how each number of a layer is computed, in the order a person would compute them."""
    by_kind = {
        "conv": _conv,
        "max_pool": _pool,
        "avg_pool": _pool,
        "linear": _linear,
        "concat": _concat,
    }
    made = by_kind.get(row.kind, _unchanged)(summary, row)
    return (*made, _memory(row))


def text(made: tuple[Step, ...]) -> str:
    """Return the steps as lines to read and copy: each name with its symbols, and below it the numbers."""
    return "\n\n".join(f"{step.name}: {step.symbols}\n{indent(step.filled, '  ')}" for step in made)


def channel_ranges(summary: NetworkSummary, module: str) -> dict[str, tuple[int, int]]:
    """Return the first and last output channel that each branch of a module fills, in order, counted from 0."""
    ranges, start = {}, 0
    for branch in summary.config.module(module).branches:
        channels = [row for row in summary.rows if (row.module, row.branch) == (module, branch)][-1].out_shape[0]
        ranges[branch] = (start, start + channels - 1)
        start += channels
    return ranges


def _conv(summary: NetworkSummary, row: LayerRow) -> Iterator[Step]:
    (k, _), (inputs, *sides), (outputs, height, width) = row.kernel, row.in_shape, row.out_shape
    yield _size(row, sides, rounds_up=False)
    biases = (f" + {outputs:,}" if row.biases else "") + (f" + 2 × {outputs:,}" if row.norm else "")
    extra = (" + C_out" if row.biases else "") + (" + 2 · C_out" if row.norm else "")
    yield Step(
        "parameters",
        f"C_in × C_out × k × k{extra}",
        f"{inputs:,} × {outputs:,} × {k} × {k}{biases} = {row.parameters:,}",
    )
    yield Step("MACs", "weights × H × W", f"{row.weights:,} × {height} × {width} = {row.macs:,}")
    yield _field(row, k)


def _pool(summary: NetworkSummary, row: LayerRow) -> Iterator[Step]:
    sides = row.in_shape[1:]
    if row.path == "classifier.pool":
        yield Step("output size", "mean over H × W", f"one mean of {sides[0]} × {sides[1]} numbers per channel = 1 × 1")
    elif row.stride is None:
        yield Step(
            "output size",
            "fixed, windows follow the input",
            f"4 × 4 whatever the input; windows of up to {fmt.size(row.kernel)} on {fmt.size(sides)}",
        )
    else:
        yield _size(row, sides, rounds_up=_rounds_up(summary.config, row))
    yield Step("parameters", "none", "a pool learns nothing = 0")
    yield Step("MACs", "none", "comparisons and means are not counted = 0")
    if row.stride is not None and row.path != "classifier.pool":
        yield _field(row, row.kernel[0])


def _linear(summary: NetworkSummary, row: LayerRow) -> Iterator[Step]:
    (inputs,), (outputs,) = row.in_shape, row.out_shape
    yield Step(
        "parameters", "inputs × outputs + outputs", f"{inputs:,} × {outputs:,} + {outputs:,} = {row.parameters:,}"
    )
    yield Step("MACs", "inputs × outputs", f"{inputs:,} × {outputs:,} = {row.macs:,}")


def _concat(summary: NetworkSummary, row: LayerRow) -> Iterator[Step]:
    ranges = channel_ranges(summary, row.module)
    widths = [last - first + 1 for first, last in ranges.values()]
    total = " + ".join(f"{width:,}" for width in widths)
    yield Step("output channels", "sum over the branches, stacked, not added", f"{total} = {row.out_shape[0]:,}")
    yield Step("parameters", "none", "stacking learns nothing = 0")
    yield Step(
        "receptive field",
        "largest of the branches",
        f"max({', '.join(_branch_fields(summary, row.module))}) = {row.receptive_field:,} px",
    )


def _unchanged(summary: NetworkSummary, row: LayerRow) -> Iterator[Step]:
    yield Step("output shape", "same as input", f"{fmt.shape(row.in_shape)} = {fmt.shape(row.out_shape)}")
    yield Step("parameters", "none", f"{row.kind.replace('_', ' ')} learns nothing = 0")


def _branch_fields(summary: NetworkSummary, module: str) -> Iterator[str]:
    for branch in summary.config.module(module).branches:
        yield str([row for row in summary.rows if (row.module, row.branch) == (module, branch)][-1].receptive_field)


def _size(row: LayerRow, sides: tuple[int, ...] | list[int], *, rounds_up: bool) -> Step:
    (k, _), s, p = row.kernel, row.stride, row.padding
    left, right = ("⌈", "⌉") if rounds_up else ("⌊", "⌋")
    filled = []
    for side, out in zip(sides, row.out_shape[1:], strict=True):
        plain = -((k - side - 2 * p) // s) + 1 if rounds_up else out
        clipped = " − 1 (the last window would start outside)" if plain != out else ""
        filled.append(f"{left}({side} + 2·{p} − {k}) / {s}{right} + 1{clipped} = {out}")
    return Step(
        "output size", f"{left}(n + 2p − k) / s{right} + 1", filled[0] if len(set(filled)) == 1 else "\n".join(filled)
    )


def _field(row: LayerRow, kernel: int) -> Step:
    if row.jump is None or row.stride is None:
        return Step("receptive field", "a 1×1 sees what its input saw", f"{row.receptive_field:,} px")
    jump = row.jump // row.stride
    before = row.receptive_field - (kernel - 1) * jump
    return Step(
        "receptive field",
        "r_in + (k − 1) · j_in",
        f"{before:,} + ({kernel} − 1) · {jump} = {row.receptive_field:,} px",
    )


def _memory(row: LayerRow) -> Step:
    shape, size = fmt.shape(row.out_shape), row.activations
    return Step("memory", "elements × 4 bytes", f"{shape} × 4 bytes = {size * fmt.BYTES_PER_FLOAT:,} bytes")


def _rounds_up(config: GoogLeNetConfig, row: LayerRow) -> bool:
    """Whether this pool rounds its size up: by the network's rule, the head's, or not at all inside a module."""
    if row.aux:
        return config.aux.pool == "ceil"
    return row.branch is None and POOL_RULES[config.pooling].usual.ceil
