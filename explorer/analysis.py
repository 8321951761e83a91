"""The closed form: shapes and cost of every layer of a network, by arithmetic alone.

Source: Szegedy et al. 2014, arXiv:1409.4842, Table 1 and Figure 3; layer order and sizes as in Caffe's
``bvlc_googlenet/train_val.prototxt``. MACs are multiply-accumulates of convolutions and fully connected layers
(FLOPs = 2 × MACs); parameters are trainable numbers. Written independently of :mod:`explorer.live.model`, which
is the same network in PyTorch: tests compare the two row by row.
"""

from functools import lru_cache
from math import prod
from typing import NamedTuple

from explorer.arithmetic import (
    ReceptiveField,
    adaptive_windows,
    conv_macs,
    conv_size,
    conv_weights,
    pool_size,
)
from explorer.config import MAX_ACTIVATIONS, MAX_PARAMETERS, POOL_RULES, GoogLeNetConfig, InceptionModule, PoolRule
from explorer.errors import Problem, UnbuildableError
from explorer.summary import LayerRow, NetworkSummary, Shape, Totals
from explorer.validation import count_problems, field_problems

__all__ = ["LayerRow", "NetworkSummary", "Shape", "Totals", "problems", "summarize"]


class _Tensor(NamedTuple):
    """The output of a layer: its C × H × W, and the receptive field of one position."""

    shape: tuple[int, int, int]
    field: ReceptiveField

    @property
    def side(self) -> int:
        """The longer side, which determines the receptive field of a layer that covers all positions."""
        return max(self.shape[1:])

    def field_of(self, positions: int) -> int:
        """Return the receptive field, in pixels, of that many neighbouring positions together."""
        return self.field.size + (positions - 1) * self.field.jump


class _Block:
    """Appends a row for each layer of one block (stem, module, head …), in the order of the forward pass."""

    def __init__(
        self, config: GoogLeNetConfig, rows: list[LayerRow], prefix: str, module: str, aux: str | None = None
    ) -> None:
        self.rows, self.prefix, self.module, self.aux = rows, prefix, module, aux
        self.biases = 1 if config.conv_bias else 0
        self.norms = 2 if config.normalisation == "batch_norm" else 0

    def conv(
        self, name: str, x: _Tensor, out: int, kernel: int = 1, stride: int = 1, branch: str | None = None
    ) -> _Tensor:
        """Append a convolution padded by (k − 1) / 2, with its bias or BatchNorm, and return its output."""
        channels, height, width = x.shape
        padding = kernel // 2
        if stride > 1:  # at stride 1 an odd kernel with this padding keeps the size
            height = conv_size(height, kernel, stride, padding)
            width = conv_size(width, kernel, stride, padding)
        weights = conv_weights(channels, out, kernel)
        macs = conv_macs(weights, height, width)
        y = _Tensor((out, height, width), x.field.after_layer(kernel, stride))
        path, biases, norm = f"{self.prefix}.{name}", self.biases * out, self.norms * out
        # fmt: off
        self.rows.append(LayerRow(
            path, "conv", self.module, branch, x.shape, y.shape, (kernel, kernel), stride, padding,
            weights, biases, norm, macs, y.field.size, y.field.jump, self.aux,
        ))
        # fmt: on
        return y

    def pool(self, name: str, x: _Tensor, rule: PoolRule, kind: str = "max_pool", branch: str | None = None) -> _Tensor:
        """Append a pooling layer and return its output. Raises UnbuildableError when the window does not fit."""
        channels, height, width = x.shape
        kernel, stride, padding, up = rule
        height = pool_size(height, kernel, stride, padding, round_up=up)
        width = pool_size(width, kernel, stride, padding, round_up=up)
        if min(height, width) < 1:
            raise UnbuildableError((_size_problem(self, name, x, rule),))
        y = _Tensor((channels, height, width), x.field.after_layer(kernel, stride))
        window = ((kernel, kernel), stride, padding)
        self.add_row(name, kind, x.shape, y.shape, y.field.size, y.field.jump, window, branch=branch)
        return y

    def add_row(
        self,
        name: str,
        kind: str,
        in_shape: Shape,
        out_shape: Shape,
        field_size: int,
        jump: int | None,
        window: tuple[tuple[int, int] | None, int | None, int | None] = (None, None, None),
        weights: int = 0,
        biases: int = 0,
        branch: str | None = None,
    ) -> None:
        """Append the row of a layer that is not a convolution; ``window`` is its kernel, stride and padding.

        Of these only a fully connected layer has weights, and it uses each of them once: its MACs are its weights.
        """
        path = f"{self.prefix}.{name}" if name else self.prefix
        # fmt: off
        self.rows.append(LayerRow(
            path, kind, self.module, branch, in_shape, out_shape, *window,
            weights, biases, 0, weights, field_size, jump, self.aux,
        ))
        # fmt: on

    def lrn(self, name: str, x: _Tensor) -> None:
        """Append a local response normalisation: no parameters, same shape."""
        self.add_row(name, "lrn", x.shape, x.shape, *x.field)

    def linear(self, name: str, inputs: int, outputs: int, field_size: int) -> None:
        """Append a fully connected layer with biases."""
        self.add_row(name, "linear", (inputs,), (outputs,), field_size, None, weights=inputs * outputs, biases=outputs)

    def dropout(self, name: str, length: int, field_size: int) -> None:
        """Append a dropout layer: no parameters, same shape."""
        self.add_row(name, "dropout", (length,), (length,), field_size, None)


def summarize(config: GoogLeNetConfig) -> NetworkSummary:
    """Return every layer with its shapes, parameters, MACs and receptive field, in the order of a training pass.

    Raises UnbuildableError with the problems if the config describes no network that can be built here.
    """
    result = check(config)
    if isinstance(result, NetworkSummary):
        return result
    raise UnbuildableError(result)


def problems(config: GoogLeNetConfig) -> tuple[Problem, ...]:
    """Return everything that prevents building the network, each naming its cell; empty means buildable."""
    result = check(config)
    return () if isinstance(result, NetworkSummary) else result


def check(config: GoogLeNetConfig) -> NetworkSummary | tuple[Problem, ...]:
    """Return the summary of a network, or its problems.

    Results are cached: an edit is validated first and shown a moment later, and both need the same arithmetic. A config
    with too many rows is not cached, because a short link can describe one of 20 MB.
    """
    return count_problems(config) or _cached_check(config)


def compute(config: GoogLeNetConfig) -> NetworkSummary | tuple[Problem, ...]:
    """Return the same as :func:`check` without the cache, for a search that tries each network once."""
    if found := field_problems(config):
        return found
    try:
        summary = NetworkSummary(config, tuple(_layers(config)))
    except UnbuildableError as error:
        return error.problems
    return _budget_problems(summary) or summary


_cached_check = lru_cache(maxsize=256)(compute)


def _layers(config: GoogLeNetConfig) -> list[LayerRow]:
    """Compute all rows. Raises UnbuildableError where a feature map would become too small."""
    rows: list[LayerRow] = []
    x = _stem(config, rows)
    stage, last_stage = config.modules[0].stage, config.modules[-1].stage
    rules = POOL_RULES[config.pooling]
    for module in config.modules:
        if module.stage != stage:
            rule = rules.last if module.stage == last_stage else rules.usual
            x = _Block(config, rows, f"pool{stage}", f"pool{stage}").pool("", x, rule)
            stage = module.stage
        x = _inception(config, rows, module, x)
        if module.name in config.aux.taps:
            _auxiliary_head(config, rows, module.name, x)
    _classifier(config, rows, x)
    return rows


def _stem(config: GoogLeNetConfig, rows: list[LayerRow]) -> _Tensor:
    """Add everything before the first module; LRN follows pool1 and conv2, as in Caffe."""
    stem, rule = config.stem, POOL_RULES[config.pooling].usual
    block = _Block(config, rows, "stem", "stem")
    x = _Tensor(config.input_shape, ReceptiveField())
    if stem.kind == "paper":
        x = block.conv("conv1", x, stem.conv1, kernel=7, stride=2)
        x = block.pool("pool1", x, rule)
    else:
        x = block.conv("conv1", x, stem.conv1, kernel=3)
    if config.normalisation == "lrn":
        block.lrn("norm1", x)
    x = block.conv("conv2_reduce", x, stem.conv2_reduce)
    x = block.conv("conv2", x, stem.conv2, kernel=3)
    if config.normalisation == "lrn":
        block.lrn("norm2", x)
    return block.pool("pool2", x, rule)


_SAME_POOL = PoolRule(3, 1, 1, False)


def _inception(config: GoogLeNetConfig, rows: list[LayerRow], module: InceptionModule, x: _Tensor) -> _Tensor:
    """Add four parallel branches, concatenated along the channels (Figure 2b; blank reductions give 2a)."""
    block = _Block(config, rows, f"inception_{module.name}", module.name)
    ends: list[_Tensor] = []
    if module.ch1x1:
        ends.append(block.conv("branch_1x1.conv", x, module.ch1x1, branch="1x1"))
    if module.ch3x3:
        y = x
        if module.ch3x3_reduce is not None:
            y = block.conv("branch_3x3.reduce", y, module.ch3x3_reduce, branch="3x3")
        ends.append(block.conv("branch_3x3.conv", y, module.ch3x3, kernel=3, branch="3x3"))
    if module.ch5x5:
        y = x
        if module.ch5x5_reduce is not None:
            y = block.conv("branch_5x5.reduce", y, module.ch5x5_reduce, branch="5x5")
        if config.kernel_5x5 == "two_3x3":
            y = block.conv("branch_5x5.conv1", y, module.ch5x5, kernel=3, branch="5x5")
            y = block.conv("branch_5x5.conv2", y, module.ch5x5, kernel=3, branch="5x5")
        else:
            kernel = 5 if config.kernel_5x5 == "5x5" else 3
            y = block.conv("branch_5x5.conv", y, module.ch5x5, kernel=kernel, branch="5x5")
        ends.append(y)
    if module.pool_proj != 0:
        y = block.pool("branch_pool.pool", x, _SAME_POOL, branch="pool")
        if module.pool_proj is not None:
            y = block.conv("branch_pool.proj", y, module.pool_proj, branch="pool")
        ends.append(y)
    channels = sum(end.shape[0] for end in ends)
    joined = _Tensor((channels, *x.shape[1:]), max(end.field for end in ends))
    block.add_row("concat", "concat", joined.shape, joined.shape, *joined.field)
    return joined


def _auxiliary_head(config: GoogLeNetConfig, rows: list[LayerRow], tap: str, x: _Tensor) -> None:
    """Add average pool, 1×1 convolution and two fully connected layers (section 5; Caffe loss1 and loss2)."""
    aux = config.aux
    block = _Block(config, rows, f"aux_{tap}", f"aux_{tap}", tap)
    if aux.pool == "adaptive":
        pooled, covered = _adaptive_pool(block, x), x.side
    else:
        pooled = block.pool("pool", x, PoolRule(5, 3, 0, aux.pool == "ceil"), "avg_pool")
        covered = min(x.side, 3 * pooled.side + 2)  # n windows of 5, 3 apart; the last may extend beyond the edge
    field_size = x.field_of(covered)
    y = block.conv("conv", pooled, aux.conv)
    if aux.pool == "adaptive":
        rows[-1] = rows[-1]._replace(jump=None)  # the pool's windows, and so these positions, are unevenly spaced
    block.linear("fc", prod(y.shape), aux.hidden, field_size)
    block.dropout("dropout", aux.hidden, field_size)
    block.linear("classifier", aux.hidden, config.classes, field_size)


def _adaptive_pool(block: _Block, x: _Tensor, out: int = 4) -> _Tensor:
    """Add torchvision's average pool to 4×4 from any size; its windows differ in size and may overlap."""
    channels, *sides = x.shape
    height, width = (max(map(len, adaptive_windows(side, out))) for side in sides)
    y = _Tensor((channels, out, out), x.field.after_layer(max(height, width)))
    block.add_row("pool", "avg_pool", x.shape, y.shape, y.field.size, None, ((height, width), None, 0))
    return y


def _classifier(config: GoogLeNetConfig, rows: list[LayerRow], x: _Tensor) -> None:
    """Add global average pooling, dropout and one fully connected layer."""
    block = _Block(config, rows, "classifier", "classifier")
    channels, height, width = x.shape
    field_size = x.field_of(x.side)
    block.add_row("pool", "avg_pool", x.shape, (channels, 1, 1), field_size, None, ((height, width), 1, 0))
    block.dropout("dropout", channels, field_size)
    block.linear("fc", channels, config.classes, field_size)


def _size_problem(block: _Block, name: str, x: _Tensor, rule: PoolRule) -> Problem:
    """Return the problem of a pooling window that is larger than its input."""
    pool = f"{rule.kernel}×{rule.kernel}/{rule.stride}"
    size = "×".join(map(str, x.shape[1:]))
    if block.aux:
        return Problem(
            block.aux,
            "aux",
            f"The auxiliary head at {block.aux} cannot pool {pool} on a {size} feature map: "
            f"use a larger input, tap an earlier module, or choose the adaptive pool.",
        )
    return Problem(
        block.prefix,
        "input_shape",
        f"At {block.prefix}{'.' + name if name else ''} the feature map is {size}, too small for the {pool} "
        f"max pool: use a larger input, fewer stages, or a pooling rule that pads or rounds up.",
    )


def _budget_problems(summary: NetworkSummary) -> tuple[Problem, ...]:
    """Return the problem of a network that does not fit in memory, at 4 bytes per number (float32).

    It is found before anything is allocated.
    """
    totals = summary.training_totals
    by_parameters = max(summary.rows, key=lambda row: row.parameters)
    by_activations = max(summary.rows, key=lambda row: row.activations)
    checks = (
        ("parameters", totals.parameters, MAX_PARAMETERS, by_parameters, by_parameters.parameters),
        ("activations", totals.activations, MAX_ACTIVATIONS, by_activations, by_activations.activations),
    )
    return tuple(
        Problem(
            row.module,
            name,
            f"The network would have {total:,} {name} ({total * 4 / 1e9:,.1f} GB as float32); the limit is "
            f"{limit:,} ({limit * 4 / 1e9:,.1f} GB). The largest row is {row.path} with {largest:,}: make it narrower, "
            "reduce its input, or use a smaller image.",
        )
        for name, total, limit, row, largest in checks
        if total > limit
    )
