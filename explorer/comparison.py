"""Compare two or more networks: layers aligned by path, table rows aligned by module, and their differences.

Any valid networks can be compared, with any modules, stages and heads: a layer that a network lacks is None there and
counts as 0. So the differences of the layers always add up to the difference of the totals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from explorer.config import HEADINGS, InceptionModule
from explorer.summary import LayerRow, NetworkSummary

QUANTITIES = ("parameters", "macs", "activations")
Status = Literal["same", "changed", "added", "removed"]


class NetworkTotals(NamedTuple):
    """The totals of a network.

    Parameters at inference and in training (with the auxiliary heads), MACs and activation elements of one image at
    inference, and the receptive field of the last module in pixels.
    """

    parameters: int
    training_parameters: int
    macs: int
    activations: int
    receptive_field: int

    @classmethod
    def of(cls, summary: NetworkSummary) -> "NetworkTotals":
        """Return the totals of one network."""
        return cls(
            summary.parameters(aux=False),
            summary.parameters(),
            summary.macs(),
            summary.activations(),
            summary.receptive_field,
        )

    def minus(self, base: "NetworkTotals") -> "NetworkTotals":
        """Return the difference from ``base``, total by total; negative where this network has less."""
        return NetworkTotals(*(here - there for here, there in zip(self, base, strict=True)))


class AlignedLayer(NamedTuple):
    """The layer at one path in each network; None where a network has no such layer."""

    path: str
    rows: tuple[LayerRow | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the networks have different layers here."""
        return any(row != self.rows[0] for row in self.rows[1:])

    @property
    def is_auxiliary(self) -> bool:
        """Whether it belongs to an auxiliary head."""
        return any(row.aux is not None for row in self.rows if row is not None)

    @property
    def module(self) -> str:
        """The block the layer belongs to, the same in every network that has it."""
        return next(row.module for row in self.rows if row is not None)

    def status(self, network: int, base: int) -> Status:
        """Return how a network's layer differs from the base's. Both are positions in ``rows``."""
        here, there = self.rows[network], self.rows[base]
        if here == there:
            return "same"
        if there is None:
            return "added"
        return "removed" if here is None else "changed"

    def difference(self, quantity: str, network: int, base: int) -> int:
        """Return how much more of ``parameters``, ``macs`` or ``activations`` the layer has than the base's."""
        here, there = (getattr(self.rows[at], quantity) if self.rows[at] else 0 for at in (network, base))
        return here - there

    def largest_difference(self, quantity: str, base: int) -> tuple[int, int]:
        """Return the position of the network that differs most from the base in a quantity, and its difference."""
        differences = [self.difference(quantity, at, base) for at in range(len(self.rows))]
        network = max(range(len(differences)), key=lambda at: abs(differences[at]))
        return network, differences[network]


class AlignedModule(NamedTuple):
    """A row of the paper's table in each network; None where there is no such module."""

    name: str
    modules: tuple[InceptionModule | None, ...]

    def differs(self, field: str, network: int, base: int) -> bool:
        """Whether a cell differs from the base's; every cell does where only one of the two has the module."""
        here, there = self.modules[network], self.modules[base]
        if here is None or there is None:
            return here is not there
        return bool(getattr(here, field) != getattr(there, field))

    def differing_fields(self, network: int, base: int) -> tuple[str, ...]:
        """Return the fields whose cells differ from the base's."""
        return tuple(field for field in HEADINGS if self.differs(field, network, base))


@dataclass(frozen=True)
class Comparison:
    """A comparison of one or more networks with the one at position ``base``."""

    summaries: tuple[NetworkSummary, ...]
    base: int = 0

    @cached_property
    def totals(self) -> tuple[NetworkTotals, ...]:
        """The totals of each network."""
        return tuple(NetworkTotals.of(summary) for summary in self.summaries)

    @cached_property
    def differences(self) -> tuple[NetworkTotals, ...]:
        """The difference of each network from the base; all zeros for the base itself."""
        return tuple(totals.minus(self.totals[self.base]) for totals in self.totals)

    @cached_property
    def layers(self) -> tuple[AlignedLayer, ...]:
        """All layers of all networks, aligned by path, in the order of the forward pass."""
        paths = merge_orders([list(summary.by_path) for summary in self.summaries])
        return tuple(
            AlignedLayer(path, tuple(summary.by_path.get(path) for summary in self.summaries)) for path in paths
        )

    @cached_property
    def differing_layers(self) -> tuple[AlignedLayer, ...]:
        """The layers that differ between the networks."""
        return tuple(layer for layer in self.layers if layer.differs)

    def by_difference(self, layers: Iterable[AlignedLayer], quantity: str) -> tuple[AlignedLayer, ...]:
        """Return layers with those first that have the largest absolute difference in a quantity."""
        return tuple(sorted(layers, key=lambda layer: -abs(layer.largest_difference(quantity, self.base)[1])))

    def most_different_layer(self, quantity: str, network: int) -> AlignedLayer | None:
        """Return the layer of a network that differs most from the base's in a quantity; None if none does.

        Auxiliary heads, which do not run at inference, count only if nothing else differs.
        """

        def size(layer: AlignedLayer) -> int:
            return abs(layer.difference(quantity, network, self.base))

        found = [layer for layer in self.differing_layers if size(layer)]
        return max([layer for layer in found if not layer.is_auxiliary] or found, key=size, default=None)

    def block_differences(self, quantity: str) -> dict[str, tuple[int, ...]]:
        """Return how much more of a quantity each network has than the base, by block, without auxiliary heads.

        A block that is the same everywhere is left out.
        """
        found = {}
        for block in self.blocks:
            values = [getattr(summary.by_module.get(block), quantity, 0) for summary in self.summaries]
            if not block.startswith("aux_") and any(value != values[self.base] for value in values):
                found[block] = tuple(value - values[self.base] for value in values)
        return found

    @cached_property
    def modules(self) -> tuple[AlignedModule, ...]:
        """The rows of the tables, aligned by module name."""
        tables = [{module.name: module for module in summary.config.modules} for summary in self.summaries]
        names = merge_orders([list(table) for table in tables])
        return tuple(AlignedModule(name, tuple(table.get(name) for table in tables)) for name in names)

    @property
    def edited_modules(self) -> tuple[str, ...]:
        """The names of the modules whose cells differ between the networks."""
        networks = range(len(self.summaries))
        return tuple(
            module.name for module in self.modules if any(module.differing_fields(at, self.base) for at in networks)
        )

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of all networks (``stem``, ``3a``, ``pool3``, ``aux_4a`` …) in the order of the layers."""
        return merge_orders([list(summary.by_module) for summary in self.summaries])

    @property
    def is_same(self) -> bool:
        """Whether nothing differs: no layer, and no setting that no layer shows, such as dropout."""
        return all(summary.config == self.summaries[0].config for summary in self.summaries)


def merge_orders(orders: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Merge several orders into one with each name once: a new name goes right after its predecessor in its order."""
    result: list[str] = []
    for order in orders:
        known, position = set(result), 0
        for name in order:
            if name in known:
                position = result.index(name) + 1
            else:
                result.insert(position, name)
                position += 1
    return tuple(result)


def pareto_front(points: Iterable[tuple[float, float]]) -> tuple[int, ...]:
    """Return the positions of the points that no other dominates (is as small in both values and smaller in one).

    The positions are sorted by the first value. Equal points are all returned.
    """
    front: list[int] = []
    points = tuple(points)
    smallest = float("inf")
    # Sorted by the first value, a point is dominated unless its second value is smaller than all before it.
    for at in sorted(range(len(points)), key=points.__getitem__):
        if points[at][1] < smallest or (front and points[at] == points[front[-1]]):
            front.append(at)
            smallest = points[at][1]
    return tuple(front)
