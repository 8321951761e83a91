"""The result of the closed form: one row per layer, and the sums over the rows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple, Self, TypeVar

from explorer.config import GoogLeNetConfig

Shape = tuple[int, ...]
Key = TypeVar("Key")


class Window(NamedTuple):
    """The kernel (height, width), stride and padding of a layer, in positions of its input."""

    kernel: tuple[int, int]
    stride: int
    padding: int


class LayerRow(NamedTuple):
    """One layer. ``path`` identifies it everywhere: the torch module, the diagram node and the link use it.

    ``kind``: conv, max_pool, avg_pool, lrn, concat, dropout or linear. A ``conv`` row is the convolution with its
    BatchNorm and ReLU. Shapes are C × H × W, or one number after flattening. ``module`` is the block the row
    belongs to (``stem``, ``4a``, ``pool4``, ``aux_4a``, ``classifier``), ``branch`` one of 1x1, 3x3, 5x5, pool.
    ``receptive_field`` and ``jump`` (the distance between neighbouring positions) are pixels of the image along the
    path with the largest receptive field; ``jump`` is None where there is only one position or the distances differ.
    ``aux`` is the tapped module's name on the rows of an auxiliary head, else None.
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

    @property
    def window(self) -> Window:
        """The kernel, stride and padding. Raises ValueError for a layer that has none, or whose windows differ."""
        if self.kernel is None or self.stride is None or self.padding is None:
            raise ValueError(f"{self.path} is {self.kind}, which has no kernel with a stride.")
        return Window(self.kernel, self.stride, self.padding)

    @property
    def spacing(self) -> int:
        """The jump, in pixels. Raises ValueError where there is only one position or the distances differ."""
        if self.jump is None:
            raise ValueError(f"The positions of {self.path} have no common distance.")
        return self.jump


class Totals(NamedTuple):
    """Sums over some rows: counts of parameters, MACs and activation elements."""

    parameters: int
    macs: int
    activations: int

    @classmethod
    def of(cls, rows: Iterable[LayerRow]) -> Self:
        """Add up some rows."""
        parameters = macs = activations = 0
        for row in rows:  # one pass without the rows' properties: every edit of a cell runs this
            parameters += row.weights + row.biases + row.norm
            macs += row.macs
            activations += prod(row.out_shape)
        return cls(parameters, macs, activations)


@dataclass(frozen=True)
class NetworkSummary:
    """The result of the closed form for one network: its rows in order, and their sums."""

    config: GoogLeNetConfig
    rows: tuple[LayerRow, ...]

    @cached_property
    def inference_totals(self) -> Totals:
        """Totals at inference: of all rows except those of the auxiliary heads."""
        return Totals.of(row for row in self.rows if row.aux is None)

    @cached_property
    def training_totals(self) -> Totals:
        """Totals in training: of all rows."""
        return Totals.of(self.rows)

    def parameters(self, aux: bool = True) -> int:
        """Return the trainable numbers, with the auxiliary heads (as in training) or without (as at inference)."""
        return (self.training_totals if aux else self.inference_totals).parameters

    def macs(self, aux: bool = False) -> int:
        """Return the multiply-accumulates for one image. FLOPs are twice as many."""
        return (self.training_totals if aux else self.inference_totals).macs

    def activations(self, aux: bool = False) -> int:
        """Return the output elements of all rows for one image: what memory holds if no output is freed."""
        return (self.training_totals if aux else self.inference_totals).activations

    @cached_property
    def by_path(self) -> dict[str, LayerRow]:
        """The rows by their path."""
        return {row.path: row for row in self.rows}

    @cached_property
    def by_module(self) -> dict[str, Totals]:
        """Sums per block (``stem``, ``3a``, ``pool3``, ``aux_4a``, ``classifier``), in order."""
        return self._totals_by(lambda row: row.module)

    @cached_property
    def by_branch(self) -> dict[tuple[str, str], Totals]:
        """Sums per (module, branch); concatenations belong to no branch."""
        return self._totals_by(lambda row: (row.module, row.branch) if row.branch else None)

    def _totals_by(self, key_of: Callable[[LayerRow], Key | None]) -> dict[Key, Totals]:
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
        """Pixels of the image that one position after the last module depends on, along one side."""
        return self.concat(self.config.modules[-1].name).receptive_field
