"""Any picture through the network: the size after every layer that changes it, under each pooling rule.

Sizes are H × W in pixels. Conventions of rounding: Caffe's ceil, plain floor, padding 1 as TensorFlow and d2l do;
see :data:`explorer.config.POOL_RULES`.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from explorer.analysis import NetworkSummary, problems, summarize
from explorer.arithmetic import conv_size, pool_size
from explorer.config import MAX_SIDE, POOL_RULES, GoogLeNetConfig, PoolRule
from explorer.errors import UnbuildableError

Size = tuple[int, int]


class Passage(NamedTuple):
    """A picture's way under one pooling rule: (layer, H × W after it) of each layer that changes the size.

    It ends with the last layer that fits; ``problem`` then says what does not.
    """

    pooling: str
    sizes: tuple[tuple[str, Size], ...]
    problem: str = ""

    @property
    def last(self) -> Size:
        """What the classifier averages over, or the last size before the picture became too small."""
        return self.sizes[-1][1]


def passages(config: GoogLeNetConfig, height: int, width: int) -> tuple[Passage, ...]:
    """Send a picture through the network's stem and pools under each of the four pooling rules."""
    return tuple(_passage(config, pooling, (height, width)) for pooling in POOL_RULES)


def _passage(config: GoogLeNetConfig, pooling: str, size: Size) -> Passage:
    sizes = [("input", size)]
    for name, shrink, window in _shrinking(config, pooling):
        height, width = sizes[-1][1]
        size = (shrink(height), shrink(width))
        if min(size) < 1:
            return Passage(pooling, tuple(sizes), f"{name}: {window} finds no place on {height}×{width}.")
        sizes.append((name, size))
    return Passage(pooling, tuple(sizes))


def _shrinking(config: GoogLeNetConfig, pooling: str) -> list[tuple[str, Callable[[int], int], str]]:
    """List the layers that change the size in order: name, side in → side out, and the window in words."""
    usual, last = POOL_RULES[pooling].usual, POOL_RULES[pooling].last
    layers: list[tuple[str, Callable[[int], int], str]] = []
    if config.stem.kind == "paper":
        layers.append(("conv1", lambda side: conv_size(side, 7, 2, 3), "the 7×7/2 convolution"))
        layers.append(("pool1", *_halving(usual)))
    layers.append(("pool2", *_halving(usual)))
    stages = list(dict.fromkeys(module.stage for module in config.modules))
    for before, after in pairwise(stages):
        layers.append((f"pool{before}", *_halving(last if after == stages[-1] else usual)))
    return layers


def _halving(rule: PoolRule) -> tuple[Callable[[int], int], str]:
    def shrink(side: int) -> int:
        return pool_size(side, rule.kernel, rule.stride, rule.padding, round_up=rule.ceil)

    return shrink, f"the {rule.kernel}×{rule.kernel}/{rule.stride} max pool"


def at_side(config: GoogLeNetConfig, height: int, width: int | None = None) -> GoogLeNetConfig:
    """Return the network for another picture: H × W pixels, square without a width."""
    return config.replace(input_shape=(config.input_shape[0], height, height if width is None else width))


def without_heads(config: GoogLeNetConfig) -> GoogLeNetConfig:
    """Return the network as it is at inference: nothing taps it."""
    return config.replace(aux=config.aux.replace(taps=()))


def smallest_side(config: GoogLeNetConfig) -> int | None:
    """Return the smallest square input, in pixels, at which the network with its heads can be built; None if none.

    A larger picture fits wherever a smaller one does, except in memory: a refusal for memory alone counts as
    fitting, so the first side that fits is found by halving.
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


class Limit(NamedTuple):
    """The smallest square input, in pixels, of a part of the network: itself (``tap`` None) or one of its heads."""

    tap: str | None
    side: int | None


@lru_cache(maxsize=64)
def limits(config: GoogLeNetConfig) -> tuple[Limit, ...]:
    """Return the smallest input of the network without heads, and of the network with each head alone."""
    bare = without_heads(config)
    heads = tuple(
        Limit(tap, smallest_side(bare.replace(aux=config.aux.replace(taps=(tap,))))) for tap in config.aux.taps
    )
    return (Limit(None, smallest_side(bare)), *heads)


def diagnosis(config: GoogLeNetConfig, height: int, width: int) -> NetworkSummary | str:
    """Return the network for a picture of H × W, or the sentence that says why it cannot be built."""
    try:
        return summarize(at_side(config, height, width))
    except UnbuildableError as error:
        return error.problems[0].message
