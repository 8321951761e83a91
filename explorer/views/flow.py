"""Boxes in reading order: lines from left to right, each begun under the start of the one before, like text.

Graphviz's ``dot`` cannot wrap a chain by itself. Here each line is one rank; an invisible corner under its end and a
turning point (a pool, where the stage changes) above the next line's start carry the arrow back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from explorer.views.canvas import Canvas

_FIRM = "60"  # an arrow that shall be straight


class Stop(NamedTuple):
    """A drawn box on the way: where arrows enter and leave it, which node is held to the left, what hangs below.

    ``channels`` and ``text`` are of what leaves it. A frame with other nodes for entry and exit has a line to itself.
    """

    entry: str
    exit: str
    anchor: str
    channels: int
    text: str = ""
    hanging: str = ""

    @property
    def alone(self) -> bool:
        """Whether this is a frame with an inside."""
        return self.entry != self.exit


@dataclass
class Line:
    """One line: the ``turn`` above its start (None: only an invisible corner), and its stops."""

    turn: Stop | None = None
    stops: list[Stop] = field(default_factory=list)

    def takes(self, more: Sequence[Stop], columns: int) -> bool:
        """Whether these stops can stand behind those that are here."""
        stops = [*self.stops, *more]
        return len(stops) <= columns and (len(stops) == 1 or not any(stop.alone for stop in stops))


def box(identity: str, channels: int, text: str = "", hanging: str = "") -> Stop:
    """Return the stop of a single box."""
    return Stop(identity, identity, identity, channels, text, hanging)


def wrap(groups: Iterable[tuple[Stop | None, Sequence[Stop]]], columns: int) -> list[Line]:
    """Fill lines of at most ``columns`` stops. A group and its turn begin a line unless all of it fits on this one."""
    lines: list[Line] = []
    for turn, stops in groups:
        inline = (turn, *stops) if turn else stops
        if lines and lines[-1].takes(inline, columns):
            lines[-1].stops.extend(inline)
            continue
        lines.append(Line(turn))
        for stop in stops:
            if not lines[-1].takes((stop,), columns):
                lines.append(Line())
            lines[-1].stops.append(stop)
    return lines


def chain(canvas: Canvas, lines: Sequence[Line]) -> None:
    """Join the stops of all lines by arrows, each with the text of what it carries."""
    for line in lines:
        canvas.same_rank(*(stop.entry for stop in line.stops if not stop.alone))
        for left, right in pairwise(line.stops):
            canvas.arrow(left.exit, right.entry, left.channels, left.text, weight="10")
    for number, (line, following) in enumerate(pairwise(lines)):
        last = line.stops[-1]
        if last.alone or (len(line.stops) == 1 and not last.hanging):
            _straight_down(canvas, last, following)
        else:
            _back(canvas, str(number), line, following)


def _straight_down(canvas: Canvas, last: Stop, following: Line) -> None:
    """From a frame, which is left at its left side, or from a single box to the start of the next line."""
    way = [last, following.turn, following.stops[0]] if following.turn else [last, following.stops[0]]
    for upper, lower in pairwise(way):
        ranks = "2" if upper.hanging else "1"
        canvas.arrow(upper.exit, lower.entry, upper.channels, upper.text, weight=_FIRM, minlen=ranks)


def _back(canvas: Canvas, number: str, line: Line, following: Line) -> None:
    """From the end of a line down, back to the left, and down into the next."""
    first, last, start = line.stops[0], line.stops[-1], following.stops[0]
    turn = following.turn or _corner(canvas, f"turn{number}", last)
    corner = _corner(canvas, f"corner{number}", last)
    ranks = 2 if any(stop.hanging for stop in line.stops) else 1
    end, side = last.exit, "s"
    if last.hanging:  # what hangs there is in the way: go round it
        end, side = f"end{number}", "_"
        canvas.corner(end)
        canvas.same_rank(last.exit, end)
        canvas.arrow(last.exit, end, last.channels, arrowhead="none", weight="10")
    canvas.same_rank(turn.entry, corner.entry)
    canvas.arrow(end, corner.entry, last.channels, arrowhead="none", weight="20", minlen=str(ranks), tailport=side)
    arrowtail = "normal" if following.turn else "none"
    canvas.arrow(turn.entry, corner.entry, last.channels, dir="back", arrowtail=arrowtail)
    if first.hanging:
        canvas.hold(first.hanging, turn.entry)
    else:
        canvas.hold(first.anchor, turn.entry, ranks)
    canvas.arrow(turn.exit, start.entry, turn.channels, turn.text, weight=_FIRM)


def _corner(canvas: Canvas, identity: str, carried: Stop) -> Stop:
    canvas.corner(identity)
    return box(identity, carried.channels, carried.text)
