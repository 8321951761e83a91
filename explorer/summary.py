"""What the closed form returns: a row per layer, and the sums over them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple, TypeVar

from explorer.config import GoogLeNetConfig

Shape = tuple[int, ...]
Key = TypeVar("Key")


class LayerRow(NamedTuple):
    """One layer. ``path`` is its one identity: the torch module, the diagram node and the link have the same.

    ``kind``: conv, max_pool, avg_pool, lrn, concat, dropout or linear. A ``conv`` row is the convolution with its
    BatchNorm and ReLU. Shapes are C × H × W, or one number after flattening. ``module`` is the block the row
    belongs to (``stem``, ``4a``, ``pool4``, ``aux_4a``, ``classifier``), ``branch`` one of 1x1, 3x3, 5x5, pool.
    ``receptive_field`` and ``jump`` (the distance between neighbouring positions) are pixels of the image along the
    widest path; ``jump`` is None where there is one position only or the distances are uneven. ``aux`` is the
    tapped module's name on the rows of an auxiliary head, else None.
    """

    path: str
    kind: str
    module: str
    branch: str | None
    in_shape: Shape
    out_shape: Shape
    kernel: tuple[int, int] | None
    stride: int | None
    padding: int | None
    weights: int
    biases: int
    norm: int
    macs: int
    receptive_field: int
    jump: int | None
    aux: str | None

    @property
    def parameters(self) -> int:
        """Trainable numbers: weights + biases + BatchNorm's gamma and beta."""
        return self.weights + self.biases + self.norm

    @property
    def activations(self) -> int:
        """Elements of the output for one image."""
        return prod(self.out_shape)


class Totals(NamedTuple):
    """Sums over some rows: counts of parameters, MACs and activation elements."""

    parameters: int
    macs: int
    activations: int

    @classmethod
    def of(cls, rows: Iterable[LayerRow]) -> "Totals":
        """Add up some rows, at least one."""
        columns = LayerRow(*zip(*rows, strict=True))  # the same names, each now a column of values
        return cls(
            sum(columns.weights) + sum(columns.biases) + sum(columns.norm),
            sum(columns.macs),
            sum(map(prod, columns.out_shape)),
        )


@dataclass(frozen=True)
class NetworkSummary:
    """Everything the closed form knows of one network: its rows in order, and their sums."""

    config: GoogLeNetConfig
    rows: tuple[LayerRow, ...]

    @cached_property
    def main(self) -> Totals:
        """The sums of the network at inference: all rows but the auxiliary heads'."""
        return Totals.of(row for row in self.rows if row.aux is None)

    @cached_property
    def whole(self) -> Totals:
        """The sums of the network in training: all rows."""
        return Totals.of(self.rows)

    def parameters(self, aux: bool = True) -> int:
        """Trainable numbers, with the auxiliary heads (the network in training) or without (at inference)."""
        return (self.whole if aux else self.main).parameters

    def macs(self, aux: bool = False) -> int:
        """Multiply-accumulates for one image. FLOPs are twice as many."""
        return (self.whole if aux else self.main).macs

    def activations(self, aux: bool = False) -> int:
        """Output elements of all rows for one image: what is held at once when every output is kept."""
        return (self.whole if aux else self.main).activations

    @cached_property
    def by_path(self) -> dict[str, LayerRow]:
        """The rows by their path."""
        return {row.path: row for row in self.rows}

    @cached_property
    def by_module(self) -> dict[str, Totals]:
        """Sums per block (``stem``, ``3a``, ``pool3``, ``aux_4a``, ``classifier``), in order."""
        return self._rolled_up(lambda row: row.module)

    @cached_property
    def by_branch(self) -> dict[tuple[str, str], Totals]:
        """Sums per (module, branch); concatenations belong to no branch."""
        return self._rolled_up(lambda row: (row.module, row.branch) if row.branch else None)

    def _rolled_up(self, key_of: Callable[[LayerRow], Key | None]) -> dict[Key, Totals]:
        groups: dict[Key, list[LayerRow]] = {}
        for row in self.rows:
            key = key_of(row)
            if key is not None:
                groups.setdefault(key, []).append(row)
        return {key: Totals.of(rows) for key, rows in groups.items()}

    def concat(self, module: str) -> LayerRow:
        """Return the row where the branches of a module are joined. Raises KeyError for an unknown module."""
        return self.by_path[f"inception_{module}.concat"]

    @property
    def receptive_field(self) -> int:
        """Pixels of the image that one position after the last module sees, along one side."""
        return self.concat(self.config.modules[-1].name).receptive_field
