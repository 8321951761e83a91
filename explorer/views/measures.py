"""What boxes of a diagram can be coloured by: a number per layer, summed (or maximised) per block, and how it reads."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from explorer.analysis import LayerRow
from explorer.views import formatting as fmt
from explorer.views import palette


class Measure(NamedTuple):
    """One number of a layer and how it reads with its unit.

    Numbers of several layers are summed when ``additive``, else the largest counts. ``measured`` ones come from a
    run of the network, not from its rows.
    """

    title: str
    of: Callable[[LayerRow], float]
    text: Callable[[float], str]
    additive: bool = True
    measured: bool = False


def _memory(elements: float) -> str:
    shown = fmt.short(elements * fmt.BYTES_PER_FLOAT)
    return f"{shown} B" if shown[-1].isdigit() else f"{shown}B"


def duration(seconds: float) -> str:
    """Return a time in milliseconds, a short one in microseconds: ``2.35 ms``, ``170 µs``."""
    return f"{seconds * 1e3:,.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:,.0f} µs"


MEASURES = {
    "parameters": Measure("parameters", lambda row: row.parameters, lambda n: f"{fmt.short(n)} parameters"),
    "macs": Measure("MACs", lambda row: row.macs, lambda n: f"{fmt.short(n)} MACs"),
    "activations": Measure("activation memory", lambda row: row.activations, _memory),
    "receptive_field": Measure("receptive field", lambda row: row.receptive_field, lambda n: f"{n:,.0f} px", False),
}
TIME = "time"
COLOURINGS = {
    "none": "none",
    **{name: measure.title for name, measure in MEASURES.items()},
    TIME: "measured time",
}


def measure(name: str, times: Mapping[str, float] | None = None) -> Measure:
    """Return the measure of that name. ``times`` are seconds by path; a layer without one counts 0.

    Raises KeyError for an unknown name, and for ``time`` when nothing has been measured.
    """
    if name != TIME:
        return MEASURES[name]
    if not times:
        raise KeyError("time: nothing has been measured")
    return Measure(COLOURINGS[TIME], lambda row: times.get(row.path, 0.0), duration, measured=True)


class Scale:
    """Colours for the boxes of one picture, each standing for some layers: from nothing to the dearest box.

    Pictures to be compared have one scale: ``least`` is what the dearest box of all of them has.
    """

    def __init__(self, measure: Measure, boxes: Iterable[Iterable[LayerRow]], least: float = 0) -> None:
        self.measure = measure
        self.most = max((least, *map(self.value, boxes)))

    def value(self, rows: Iterable[LayerRow]) -> float:
        """Return the measure of several layers together."""
        values = [self.measure.of(row) for row in rows]
        return sum(values) if self.measure.additive else max(values, default=0)

    def fill(self, rows: Iterable[LayerRow]) -> str:
        """Return the colour of a box that stands for these layers."""
        return palette.scale(self.value(rows) / self.most if self.most else 0)

    def share(self, rows: Iterable[LayerRow], whole: Iterable[LayerRow]) -> str:
        """Return what these layers are of the whole, as a percentage; the number itself where that means nothing."""
        value = self.value(rows)
        return fmt.percent(value, self.value(whole)) if self.measure.additive else self.measure.text(value)
