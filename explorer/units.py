"""Units: the single output values of a network's layers, and walks from one to the next.

A unit is one number: the output of a layer at one channel and one position, for one image.
"""

from collections.abc import Sequence
from typing import NamedTuple

INPUT = "input"  # the path of the network input


class Unit(NamedTuple):
    """One output value: the path of its layer (or ``input``), its channel, and its position.

    After flattening, and for classes, ``channel`` is the index and the position is (0, 0).
    """

    path: str
    channel: int
    row: int = 0
    column: int = 0


class Place(NamedTuple):
    """One number in the input of a layer: its channel (or index after flattening), row and column."""

    channel: int
    row: int = 0
    column: int = 0


def stage_of(unit: Unit) -> str:
    """Return the stage of a unit: ``input``, ``stem``, the number of a stage of modules, or ``head``.

    A max pool between two stages has none: ``""``.
    """
    block = unit.path.partition(".")[0]
    if block in (INPUT, "stem"):
        return block
    if block.startswith("inception_"):
        return block.removeprefix("inception_")[:-1]
    return "" if block.startswith("pool") else "head"


def one_stage_back(units: Sequence[Unit]) -> int:
    """Return the index of the first unit of a walk that is in another stage than the first one; 0 if there is none."""
    first = stage_of(units[0])
    return next((place for place, unit in enumerate(units) if stage_of(unit) not in (first, "")), 0)


def to_link(walk: Sequence[Unit]) -> str:
    """Return a walk as the text of a link: ``path:channel:row:column`` for each unit."""
    return "~".join(":".join(map(str, unit)) for unit in walk)
