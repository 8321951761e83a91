"""The names on screen of the single values of a network: layers, channels, classes and pixels, and their colours."""

from collections.abc import Sequence

from explorer.unit_graph import NetworkGraph
from explorer.units import INPUT, Place, Unit
from explorer.views import palette
from explorer.views.labels import BRANCH_NAMES

_COLOURS = ("red", "green", "blue")


class Names:
    """The names on screen of the layers, channels and classes of one network."""

    def __init__(self, graph: NetworkGraph, class_names: Sequence[str]) -> None:
        self.graph, self.class_names = graph, class_names

    def layer(self, path: str) -> str:
        """Return the name of a layer: ``4a 3×3 reduce``, ``stem conv1``, ``classifier``."""
        if path == INPUT:
            return "network input"
        if path == "classifier.fc":
            return "classifier"
        block, _, inner = path.removeprefix("inception_").partition(".")
        branch, _, layer = inner.removeprefix("branch_").partition(".")
        if block.startswith("aux_"):
            block = f"head {block.removeprefix('aux_')}"
        return " ".join(filter(None, (block, BRANCH_NAMES.get(branch, branch), "" if layer == "conv" else layer)))

    def channel(self, unit: Unit) -> str:
        """Return the name of a unit without its position: ``4a 3×3, channel 17``."""
        if unit.path == INPUT:
            channels = self.graph.shape(INPUT)[0]
            return f"pixel, {_COLOURS[unit.channel]}" if channels == len(_COLOURS) else "pixel"
        kind = self.graph.row(unit.path).kind
        if kind == "linear" and self.graph.shape(unit.path)[0] == self.graph.summary.config.classes:
            head = "" if unit.path == "classifier.fc" else f", {self.layer(unit.path)}"
            return f"class {self.class_name(unit.channel)}{head}"
        return f"{self.layer(unit.path)}, {'output' if kind == 'linear' else 'channel'} {unit.channel:,}"

    def class_name(self, number: int) -> str:
        """Return the name of a class, or its number if the network's classes have no names."""
        return self.class_names[number] if self.class_names else f"{number:,}"

    def unit(self, unit: Unit) -> str:
        """Return the whole name of a unit: ``4a 3×3, channel 17, row 3, column 5``."""
        sides = self.graph.shape(unit.path)[1:]
        position = f", row {unit.row}, column {unit.column}" if sides and max(sides) > 1 else ""
        return f"{self.channel(unit)}{position}"

    def source(self, path: str, channel: int) -> str:
        """Return the name of an input channel of a layer, after the layer that computes it."""
        unit = self.graph.input_unit(path, Place(channel))
        is_flat = self.graph.row(path).kind == "linear"
        return self.unit(unit) if is_flat else self.channel(unit)


def unit_colour(unit: Unit, graph: NetworkGraph) -> str:
    """Return the colour of the branch that a unit belongs to."""
    if unit.path == INPUT:
        return palette.PLAIN
    row = graph.row(unit.path)
    return palette.AUX if row.aux else palette.BRANCH.get(row.branch or "", palette.PLAIN)
