"""The closed form: what every layer of a network is and costs, by arithmetic alone.

Source: Szegedy et al. 2014, arXiv:1409.4842, Table 1 and Figure 3; layer order and sizes as in Caffe's
``bvlc_googlenet/train_val.prototxt``. MACs are multiply-accumulates of convolutions and fully connected layers
(FLOPs = 2 × MACs); parameters are trainable numbers. Written independently of :mod:`explorer.live.model`, which
is the same network in PyTorch: the tests hold the two together row by row.
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
from explorer.validation import field_problems

__all__ = ["LayerRow", "NetworkSummary", "Shape", "Totals", "problems", "summarize"]


class _Tensor(NamedTuple):
    """What flows from layer to layer: its C × H × W, and what one position of it sees of the image."""

    shape: tuple[int, int, int]
    field: ReceptiveField

    @property
    def side(self) -> int:
        """The longer side, which decides how much of the image a whole-picture layer sees."""
        return max(self.shape[1:])

    def seen_across(self, positions: int) -> int:
        """Pixels of the image that this many neighbouring positions see together."""
        return self.field.size + (positions - 1) * self.field.jump


class _Walk:
    """Notes a row for each layer of one block (stem, module, head …) as a tensor passes through it."""

    def __init__(
        self, config: GoogLeNetConfig, rows: list[LayerRow], block: str, module: str, aux: str | None = None
    ) -> None:
        self.rows, self.block, self.module, self.aux = rows, block, module, aux
        self.biases = 1 if config.conv_bias else 0
        self.norms = 2 if config.normalisation == "batch_norm" else 0

    def conv(
        self, name: str, x: _Tensor, out: int, kernel: int = 1, stride: int = 1, branch: str | None = None
    ) -> _Tensor:
        """A convolution padded by (k − 1) / 2, with its bias or BatchNorm."""
        channels, height, width = x.shape
        padding = kernel // 2
        if stride > 1:  # at stride 1 an odd kernel with this padding keeps the size
            height = conv_size(height, kernel, stride, padding)
            width = conv_size(width, kernel, stride, padding)
        weights = conv_weights(channels, out, kernel)
        macs = conv_macs(weights, height, width)
        y = _Tensor((out, height, width), x.field.after_layer(kernel, stride))
        path, biases, norm = f"{self.block}.{name}", self.biases * out, self.norms * out
        # fmt: off
        self.rows.append(LayerRow(
            path, "conv", self.module, branch, x.shape, y.shape, (kernel, kernel), stride, padding,
            weights, biases, norm, macs, y.field.size, y.field.jump, self.aux,
        ))
        # fmt: on
        return y

    def pool(self, name: str, x: _Tensor, rule: PoolRule, kind: str = "max_pool", branch: str | None = None) -> _Tensor:
        """A pooling window slid over the picture. Raises UnbuildableError when it does not fit."""
        channels, height, width = x.shape
        kernel, stride, padding, up = rule
        height = pool_size(height, kernel, stride, padding, round_up=up)
        width = pool_size(width, kernel, stride, padding, round_up=up)
        if min(height, width) < 1:
            raise UnbuildableError((_does_not_fit(self, name, x, rule),))
        y = _Tensor((channels, height, width), x.field.after_layer(kernel, stride))
        window = ((kernel, kernel), stride, padding)
        self.note(name, kind, x.shape, y.shape, y.field.size, y.field.jump, window, branch=branch)
        return y

    def note(
        self,
        name: str,
        kind: str,
        in_shape: Shape,
        out_shape: Shape,
        seen: int,
        jump: int | None,
        window: tuple[tuple[int, int] | None, int | None, int | None] = (None, None, None),
        weights: int = 0,
        biases: int = 0,
        branch: str | None = None,
    ) -> None:
        """Append the row of a layer that is no convolution; ``window`` is its kernel, stride and padding.

        Only a fully connected layer has weights, and uses each of them once: its MACs are its weights.
        """
        path = f"{self.block}.{name}" if name else self.block
        # fmt: off
        self.rows.append(LayerRow(
            path, kind, self.module, branch, in_shape, out_shape, *window,
            weights, biases, 0, weights, seen, jump, self.aux,
        ))
        # fmt: on

    def lrn(self, name: str, x: _Tensor) -> None:
        """Local response normalisation: no parameters, same shape."""
        self.note(name, "lrn", x.shape, x.shape, *x.field)

    def linear(self, name: str, inputs: int, outputs: int, seen: int) -> None:
        """A fully connected layer with biases, on a vector."""
        self.note(name, "linear", (inputs,), (outputs,), seen, None, weights=inputs * outputs, biases=outputs)

    def dropout(self, name: str, length: int, seen: int) -> None:
        """Dropout on a vector: nothing learned, same shape."""
        self.note(name, "dropout", (length,), (length,), seen, None)


def summarize(config: GoogLeNetConfig) -> NetworkSummary:
    """Return every layer with its shapes, parameters, MACs and receptive field, in the order of a training pass.

    Raises UnbuildableError with the problems if the config describes no network that can be built here.
    """
    checked = check(config)
    if isinstance(checked, NetworkSummary):
        return checked
    raise UnbuildableError(checked)


def problems(config: GoogLeNetConfig) -> tuple[Problem, ...]:
    """Return everything that prevents building the network, each naming its cell; empty means buildable."""
    checked = check(config)
    return () if isinstance(checked, NetworkSummary) else checked


@lru_cache(maxsize=256)
def check(config: GoogLeNetConfig) -> NetworkSummary | tuple[Problem, ...]:
    """Return the summary of a network, or its problems.

    Results are cached: an edit is validated first and shown a moment later, and both need the same arithmetic.
    """
    if found := field_problems(config):
        return found
    try:
        summary = NetworkSummary(config, tuple(_layers(config)))
    except UnbuildableError as error:
        return error.problems
    return _budget_problems(summary) or summary


def _layers(config: GoogLeNetConfig) -> list[LayerRow]:
    """Compute all rows. Raises UnbuildableError where a feature map would become too small."""
    rows: list[LayerRow] = []
    x = _stem(config, rows)
    stage, last_stage = config.modules[0].stage, config.modules[-1].stage
    rules = POOL_RULES[config.pooling]
    for module in config.modules:
        if module.stage != stage:
            rule = rules.last if module.stage == last_stage else rules.usual
            x = _Walk(config, rows, f"pool{stage}", f"pool{stage}").pool("", x, rule)
            stage = module.stage
        x = _inception(config, rows, module, x)
        if module.name in config.aux.taps:
            _auxiliary_head(config, rows, module.name, x)
    _classifier(config, rows, x)
    return rows


def _stem(config: GoogLeNetConfig, rows: list[LayerRow]) -> _Tensor:
    """Everything before the first module; LRN stands after pool1 and after conv2, as in Caffe."""
    stem, rule = config.stem, POOL_RULES[config.pooling].usual
    walk = _Walk(config, rows, "stem", "stem")
    x = _Tensor(config.input_shape, ReceptiveField())
    if stem.kind == "paper":
        x = walk.conv("conv1", x, stem.conv1, kernel=7, stride=2)
        x = walk.pool("pool1", x, rule)
    else:
        x = walk.conv("conv1", x, stem.conv1, kernel=3)
    if config.normalisation == "lrn":
        walk.lrn("norm1", x)
    x = walk.conv("conv2_reduce", x, stem.conv2_reduce)
    x = walk.conv("conv2", x, stem.conv2, kernel=3)
    if config.normalisation == "lrn":
        walk.lrn("norm2", x)
    return walk.pool("pool2", x, rule)


_SAME_POOL = PoolRule(3, 1, 1, False)


def _inception(config: GoogLeNetConfig, rows: list[LayerRow], module: InceptionModule, x: _Tensor) -> _Tensor:
    """Four branches side by side, joined along the channels (Figure 2b; blank reductions give 2a)."""
    walk = _Walk(config, rows, f"inception_{module.name}", module.name)
    ends: list[_Tensor] = []
    if module.ch1x1:
        ends.append(walk.conv("branch_1x1.conv", x, module.ch1x1, branch="1x1"))
    if module.ch3x3:
        y = x
        if module.ch3x3_reduce is not None:
            y = walk.conv("branch_3x3.reduce", y, module.ch3x3_reduce, branch="3x3")
        ends.append(walk.conv("branch_3x3.conv", y, module.ch3x3, kernel=3, branch="3x3"))
    if module.ch5x5:
        y = x
        if module.ch5x5_reduce is not None:
            y = walk.conv("branch_5x5.reduce", y, module.ch5x5_reduce, branch="5x5")
        if config.kernel_5x5 == "two_3x3":
            y = walk.conv("branch_5x5.conv1", y, module.ch5x5, kernel=3, branch="5x5")
            y = walk.conv("branch_5x5.conv2", y, module.ch5x5, kernel=3, branch="5x5")
        else:
            kernel = 5 if config.kernel_5x5 == "5x5" else 3
            y = walk.conv("branch_5x5.conv", y, module.ch5x5, kernel=kernel, branch="5x5")
        ends.append(y)
    if module.pool_proj != 0:
        y = walk.pool("branch_pool.pool", x, _SAME_POOL, branch="pool")
        if module.pool_proj is not None:
            y = walk.conv("branch_pool.proj", y, module.pool_proj, branch="pool")
        ends.append(y)
    channels = sum(end.shape[0] for end in ends)
    joined = _Tensor((channels, *x.shape[1:]), max(end.field for end in ends))
    walk.note("concat", "concat", joined.shape, joined.shape, *joined.field)
    return joined


def _auxiliary_head(config: GoogLeNetConfig, rows: list[LayerRow], tap: str, x: _Tensor) -> None:
    """Average pool, 1×1 convolution, two fully connected layers (section 5; Caffe loss1 and loss2)."""
    aux = config.aux
    walk = _Walk(config, rows, f"aux_{tap}", f"aux_{tap}", tap)
    if aux.pool == "adaptive":
        pooled, covered = _adaptive_pool(walk, x), x.side
    else:
        pooled = walk.pool("pool", x, PoolRule(5, 3, 0, aux.pool == "ceil"), "avg_pool")
        covered = min(x.side, 3 * pooled.side + 2)  # n windows of 5, 3 apart; the last may hang over
    seen = x.seen_across(covered)
    y = walk.conv("conv", pooled, aux.conv)
    if aux.pool == "adaptive":
        rows[-1] = rows[-1]._replace(jump=None)  # the pool's windows, and so these positions, are unevenly spaced
    walk.linear("fc", prod(y.shape), aux.hidden, seen)
    walk.dropout("dropout", aux.hidden, seen)
    walk.linear("classifier", aux.hidden, config.classes, seen)


def _adaptive_pool(walk: _Walk, x: _Tensor, out: int = 4) -> _Tensor:
    """torchvision's average pool to 4×4 whatever the size; its windows differ in size and may overlap."""
    channels, *sides = x.shape
    height, width = (max(map(len, adaptive_windows(side, out))) for side in sides)
    y = _Tensor((channels, out, out), x.field.after_layer(max(height, width)))
    walk.note("pool", "avg_pool", x.shape, y.shape, y.field.size, None, ((height, width), None, 0))
    return y


def _classifier(config: GoogLeNetConfig, rows: list[LayerRow], x: _Tensor) -> None:
    """Average over the whole picture, dropout, one fully connected layer."""
    walk = _Walk(config, rows, "classifier", "classifier")
    channels, height, width = x.shape
    seen = x.seen_across(x.side)
    walk.note("pool", "avg_pool", x.shape, (channels, 1, 1), seen, None, ((height, width), 1, 0))
    walk.dropout("dropout", channels, seen)
    walk.linear("fc", channels, config.classes, seen)


def _does_not_fit(walk: _Walk, name: str, x: _Tensor, rule: PoolRule) -> Problem:
    """A pooling window that finds no place: the picture has shrunk too far."""
    pool = f"{rule.kernel}×{rule.kernel}/{rule.stride}"
    size = "×".join(map(str, x.shape[1:]))
    if walk.aux:
        return Problem(
            walk.aux,
            "aux",
            f"The auxiliary head on {walk.aux} cannot pool {pool} on a {size} picture: "
            f"use a larger input, tap an earlier module, or choose the adaptive pool.",
        )
    return Problem(
        walk.block,
        "input_shape",
        f"At {walk.block}{'.' + name if name else ''} the picture is {size}, too small for the {pool} "
        f"max pool: use a larger input, fewer stages, or a pooling rule that pads or rounds up.",
    )


def _budget_problems(summary: NetworkSummary) -> tuple[Problem, ...]:
    """Refuse what would not fit in memory, before anything is allocated: 4 bytes per number (float32)."""
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
