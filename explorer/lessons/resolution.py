"""Any image size through the network: the size after each layer that changes it, under each pooling rule.

Sizes are H × W in pixels. The pooling rules round up (Caffe), round down, or pad by 1 (TensorFlow, d2l); see
:data:`explorer.config.POOL_RULES`.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from explorer.analysis import problems, summarize
from explorer.arithmetic import conv_size, pool_size
from explorer.config import MAX_SIDE, POOL_RULES, GoogLeNetConfig, PoolRule
from explorer.errors import UnbuildableError
from explorer.summary import NetworkSummary

Size = tuple[int, int]


class SizeTrace(NamedTuple):
    """The sizes under one pooling rule: (layer, H × W after it) of each layer that changes the size.

    They end before the first layer that does not fit; ``problem`` then names it.
    """

    pooling: str
    sizes: tuple[tuple[str, Size], ...]
    problem: str = ""

    @property
    def last(self) -> Size:
        """The classifier's input size, or the last size before a layer does not fit."""
        return self.sizes[-1][1]


def size_traces(config: GoogLeNetConfig, height: int, width: int) -> tuple[SizeTrace, ...]:
    """Return the sizes of an image of H × W through the network under each of the four pooling rules."""
    return tuple(_size_trace(config, pooling, (height, width)) for pooling in POOL_RULES)


def _size_trace(config: GoogLeNetConfig, pooling: str, size: Size) -> SizeTrace:
    sizes = [("input", size)]
    for name, output_side, window in _downsampling_layers(config, pooling):
        height, width = sizes[-1][1]
        size = (output_side(height), output_side(width))
        if min(size) < 1:
            return SizeTrace(pooling, tuple(sizes), f"{name}: {window} does not fit on {height}×{width}.")
        sizes.append((name, size))
    return SizeTrace(pooling, tuple(sizes))


def _downsampling_layers(config: GoogLeNetConfig, pooling: str) -> list[tuple[str, Callable[[int], int], str]]:
    """List the layers that change the size, in order: name, function from input to output side, and description."""
    usual, last = POOL_RULES[pooling].usual, POOL_RULES[pooling].last
    layers: list[tuple[str, Callable[[int], int], str]] = []
    if config.stem.kind == "paper":
        layers.append(("conv1", lambda side: conv_size(side, 7, 2, 3), "the 7×7/2 convolution"))
        layers.append(("pool1", *_max_pool(usual)))
    layers.append(("pool2", *_max_pool(usual)))
    stages = list(dict.fromkeys(module.stage for module in config.modules))
    for before, after in pairwise(stages):
        layers.append((f"pool{before}", *_max_pool(last if after == stages[-1] else usual)))
    return layers


def _max_pool(rule: PoolRule) -> tuple[Callable[[int], int], str]:
    def output_side(side: int) -> int:
        return pool_size(side, rule.kernel, rule.stride, rule.padding, round_up=rule.ceil)

    return output_side, f"the {rule.kernel}×{rule.kernel}/{rule.stride} max pool"


def at_side(config: GoogLeNetConfig, height: int, width: int | None = None) -> GoogLeNetConfig:
    """Return the network for images of H × W pixels; without a width they are square."""
    return config.replace(input_shape=(config.input_shape[0], height, height if width is None else width))


def without_heads(config: GoogLeNetConfig) -> GoogLeNetConfig:
    """Return the network as it is at inference, without auxiliary heads."""
    return config.replace(aux=config.aux.replace(taps=()))


def smallest_side(config: GoogLeNetConfig) -> int | None:
    """Return the smallest square input, in pixels, at which the network with its heads can be built; None if none.

    A larger image fits wherever a smaller one does, except in memory. A network that only needs too much memory
    counts as fitting, so that a binary search finds the smallest side.
    """
    low, high = 1, MAX_SIDE
    if not _fits(config, high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _fits(config, middle) else (middle + 1, high)
    return low


def _fits(config: GoogLeNetConfig, side: int) -> bool:
    return all(problem.field in ("parameters", "activations") for problem in problems(at_side(config, side)))


class MinimumInput(NamedTuple):
    """The smallest square input, in pixels, of the network without heads (``tap`` None) or with one head."""

    tap: str | None
    side: int | None


@lru_cache(maxsize=64)
def minimum_inputs(config: GoogLeNetConfig) -> tuple[MinimumInput, ...]:
    """Return the smallest input of the network without heads, and with each of its heads alone."""
    no_heads = without_heads(config)
    heads = tuple(
        MinimumInput(tap, smallest_side(no_heads.replace(aux=config.aux.replace(taps=(tap,)))))
        for tap in config.aux.taps
    )
    return (MinimumInput(None, smallest_side(no_heads)), *heads)


def summary_or_problem(config: GoogLeNetConfig, height: int, width: int) -> NetworkSummary | str:
    """Return the network's summary for images of H × W, or the message that says why it cannot be built."""
    try:
        return summarize(at_side(config, height, width))
    except UnbuildableError as error:
        return error.problems[0].message
