"""The auxiliary heads: their shapes step by step, their cost, their part of the loss, and the reach of their gradient.

Source: Szegedy et al. 2014, arXiv:1409.4842, section 5; BVLC/caffe models/bvlc_googlenet. Parameters are numbers,
MACs multiply-accumulates for one image, losses nats.
"""

from functools import lru_cache
from math import log, prod
from typing import NamedTuple, get_args

from explorer.analysis import summarize
from explorer.config import AuxiliaryPool, GoogLeNetConfig
from explorer.errors import UnbuildableError
from explorer.lessons.resolution import at_side
from explorer.summary import LayerRow, NetworkSummary

POOLS: tuple[AuxiliaryPool, ...] = get_args(AuxiliaryPool)


class HeadStep(NamedTuple):
    """One step through a head: its name, input and output shape, parameters and MACs."""

    name: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    parameters: int
    macs: int


def head_steps(summary: NetworkSummary, tap: str) -> tuple[HeadStep, ...]:
    """Return the steps of the head at ``tap``, with flattening as a step. Raises KeyError when it has no head."""
    rows = [row for row in summary.rows if row.aux == tap]
    if not rows:
        raise KeyError(tap)
    steps = []
    for row in rows:
        if row.path.endswith(".fc"):
            before = rows[rows.index(row) - 1].out_shape
            steps.append(HeadStep("flatten", before, row.in_shape, 0, 0))
        steps.append(HeadStep(_step_name(row), row.in_shape, row.out_shape, row.parameters, row.macs))
    return tuple(steps)


def _step_name(row: LayerRow) -> str:
    if row.kind == "avg_pool" and row.kernel:
        kernel = "×".join(map(str, row.kernel))
        return f"average pool {kernel}/{row.stride}" if row.stride else "average pool, adaptive"
    names = {"conv": "1×1 convolution", "dropout": "dropout"}
    return names.get(row.kind) or ("hidden layer" if row.path.endswith(".fc") else "classifier")


class HeadCosts(NamedTuple):
    """The cost of the heads: (tap, parameters, MACs) of each, and the totals of the network without them."""

    main_parameters: int
    main_macs: int
    heads: tuple[tuple[str, int, int], ...]

    @property
    def parameters(self) -> int:
        """Parameters of all heads."""
        return sum(parameters for _, parameters, _ in self.heads)

    @property
    def macs(self) -> int:
        """MACs of all heads for one image."""
        return sum(macs for _, _, macs in self.heads)

    @property
    def parameter_fraction(self) -> float:
        """The heads' fraction of the parameters in training, 0 to 1."""
        return self.parameters / (self.main_parameters + self.parameters)

    @property
    def mac_fraction(self) -> float:
        """The heads' fraction of the MACs of a forward pass in training, 0 to 1."""
        return self.macs / (self.main_macs + self.macs)


def head_costs(summary: NetworkSummary) -> HeadCosts:
    """Return the cost of each head and of the network without heads."""
    heads = tuple(
        (block.removeprefix("aux_"), totals.parameters, totals.macs)
        for block, totals in summary.by_module.items()
        if block.startswith("aux_")
    )
    return HeadCosts(summary.inference_totals.parameters, summary.inference_totals.macs, heads)


def loss_at_equal_logits(classes: int, heads: int, weight: float) -> float:
    """Return (1 + heads · weight) · ln(classes), in nats: each loss is ln(classes) when all logits are equal."""
    return (1 + heads * weight) * log(classes)


def reachable_blocks(config: GoogLeNetConfig, tap: str) -> tuple[str, ...]:
    """Return the blocks that the gradient of the head at ``tap`` reaches: from the stem to the tapped module.

    Max pools between stages have no parameters and are not listed. Raises KeyError for an unknown module.
    """
    names = [module.name for module in config.modules]
    if tap not in names:
        raise KeyError(tap)
    return ("stem", *names[: names.index(tap) + 1])


def pooled_size(summary: NetworkSummary, tap: str) -> tuple[int, int]:
    """Return the H × W of the output of the head's average pool."""
    height, width = summary.by_path[f"aux_{tap}.pool"].out_shape[1:]
    return height, width


def hidden_inputs(summary: NetworkSummary, tap: str) -> int:
    """Return the length of the flattened vector, the hidden layer's input."""
    return prod(summary.by_path[f"aux_{tap}.conv"].out_shape)


class PoolResult(NamedTuple):
    """The heads under one pooling rule, for a square input of ``side`` pixels.

    ``sizes`` are the H × W after each head's pool, ``parameters`` those of all heads. ``problem`` says why such a
    network cannot be built; then there are no sizes.
    """

    side: int
    pool: AuxiliaryPool
    sizes: tuple[tuple[int, int], ...]
    parameters: int
    problem: str = ""


def pool_results(config: GoogLeNetConfig, sides: tuple[int, ...]) -> tuple[PoolResult, ...]:
    """Return the heads' sizes and parameters for each square input, under each of the three pooling rules."""
    return tuple(_pool_result(config, side, pool) for side in sides for pool in POOLS)


@lru_cache(maxsize=256)
def _pool_result(config: GoogLeNetConfig, side: int, pool: AuxiliaryPool) -> PoolResult:
    try:
        summary = summarize(with_pool(at_side(config, side), pool))
    except UnbuildableError as error:
        return PoolResult(side, pool, (), 0, error.problems[0].message)
    sizes = tuple(pooled_size(summary, tap) for tap, _, _ in head_costs(summary).heads)
    return PoolResult(side, pool, sizes, head_costs(summary).parameters)


def with_pool(config: GoogLeNetConfig, pool: AuxiliaryPool) -> GoogLeNetConfig:
    """Return the network with another average pool in its heads."""
    return config.replace(aux=config.aux.replace(pool=pool))
