"""Two or more networks side by side: layers aligned by path, table rows by module, and the differences of both.

Any valid networks can be compared, whatever their modules, stages and heads: what one of them lacks is None there and
counts as nothing. So the differences of the layers always add up to the difference of the totals.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from explorer.analysis import LayerRow, NetworkSummary
from explorer.config import HEADINGS, InceptionModule

MAX_COMPARED = 4
QUANTITIES = ("parameters", "macs", "activations")
Status = Literal["same", "changed", "added", "removed"]


class NetworkTotals(NamedTuple):
    """What a network costs.

    Trainable numbers at inference and in training, MACs and activation elements of one image at inference, and the
    receptive field of the last module in pixels.
    """

    parameters: int
    training_parameters: int
    macs: int
    activations: int
    receptive_field: int

    @classmethod
    def of(cls, summary: NetworkSummary) -> "NetworkTotals":
        """Read the facts of one network."""
        return cls(
            summary.parameters(aux=False),
            summary.parameters(),
            summary.macs(),
            summary.activations(),
            summary.receptive_field,
        )

    def minus(self, base: "NetworkTotals") -> "NetworkTotals":
        """Return what is more than in ``base``, fact by fact; negative where it is less."""
        return NetworkTotals(*(here - there for here, there in zip(self, base, strict=True)))


class AlignedLayer(NamedTuple):
    """The layer of one path in each network; None where a network has no such layer."""

    path: str
    rows: tuple[LayerRow | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the networks do not all have the same layer here."""
        return any(row != self.rows[0] for row in self.rows[1:])

    @property
    def module(self) -> str:
        """The block the layer belongs to, the same in every network that has it."""
        return next(row.module for row in self.rows if row is not None)

    def status(self, network: int, base: int) -> Status:
        """Say what became of the base's layer in a network. Both are positions in ``rows``."""
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


class AlignedModule(NamedTuple):
    """A row of the paper's table in each network; None where there is no such module."""

    name: str
    modules: tuple[InceptionModule | None, ...]

    def differs(self, field: str, network: int, base: int) -> bool:
        """Whether one cell is another than the base's; every cell is where one of the two has no such module."""
        here, there = self.modules[network], self.modules[base]
        if here is None or there is None:
            return here is not there
        return getattr(here, field) != getattr(there, field)

    def differing(self, network: int, base: int) -> tuple[str, ...]:
        """Return the fields whose cells differ from the base's."""
        return tuple(field for field in HEADINGS if self.differs(field, network, base))


@dataclass(frozen=True)
class Comparison:
    """Some networks, at least one, and which of them the others are held against."""

    summaries: tuple[NetworkSummary, ...]
    base: int = 0

    @cached_property
    def facts(self) -> tuple[NetworkTotals, ...]:
        """The totals of each network."""
        return tuple(NetworkTotals.of(summary) for summary in self.summaries)

    @cached_property
    def differences(self) -> tuple[NetworkTotals, ...]:
        """How much more than the base each network costs; nothing but zeros for the base itself."""
        return tuple(facts.minus(self.facts[self.base]) for facts in self.facts)

    @cached_property
    def layers(self) -> tuple[AlignedLayer, ...]:
        """All layers that occur in any network, aligned by path, in the order in which an image meets them."""
        paths = merged([list(summary.by_path) for summary in self.summaries])
        return tuple(
            AlignedLayer(path, tuple(summary.by_path.get(path) for summary in self.summaries)) for path in paths
        )

    @cached_property
    def differing(self) -> tuple[AlignedLayer, ...]:
        """The layers that are not the same in all networks."""
        return tuple(layer for layer in self.layers if layer.differs)

    @cached_property
    def modules(self) -> tuple[AlignedModule, ...]:
        """The rows of the tables, aligned by the name of the module."""
        tables = [{module.name: module for module in summary.config.modules} for summary in self.summaries]
        names = merged([list(table) for table in tables])
        return tuple(AlignedModule(name, tuple(table.get(name) for table in tables)) for name in names)

    @property
    def edited(self) -> tuple[str, ...]:
        """The modules whose cells are not the same in all networks."""
        networks = range(len(self.summaries))
        return tuple(module.name for module in self.modules if any(module.differing(at, self.base) for at in networks))

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """The blocks of all networks (``stem``, ``3a``, ``pool3``, ``aux_4a`` …) in the order of the layers."""
        return merged([list(summary.by_module) for summary in self.summaries])

    @property
    def alike(self) -> bool:
        """Whether nothing differs: neither a layer nor a setting that no layer shows, such as a dropout."""
        return all(summary.config == self.summaries[0].config for summary in self.summaries)


def merged(orders: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Merge several orders into one with every name once: what an order adds stands behind what precedes it there."""
    result: list[str] = []
    for order in orders:
        known, place = set(result), 0
        for name in order:
            if name in known:
                place = result.index(name) + 1
            else:
                result.insert(place, name)
                place += 1
    return tuple(result)


def pareto_front(points: Iterable[tuple[float, float]]) -> tuple[int, ...]:
    """Return the positions of the points that no other beats: as small in both values and smaller in one.

    They come in the order of the first value. Of equal points all are returned.
    """
    front: list[int] = []
    points = tuple(points)
    least = float("inf")
    for at in sorted(range(len(points)), key=points.__getitem__):
        if points[at][1] < least or (front and points[at] == points[front[-1]]):
            front.append(at)
            least = points[at][1]
    return tuple(front)
