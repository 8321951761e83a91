"""One step of training: the image goes forward, and the gradient of each loss goes back as far as it reaches."""

from collections.abc import Iterator
from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.views import fonts, palette, svg
from explorer.views.heroes.timeline import (
    NARROW,
    WIDE,
    Hero,
    Picture,
    appearing,
    between,
    box,
    filled,
    growing,
    hero,
    rising,
)

_TOP, _HIGH, _GAP = 60, 44, 10  # the boxes of the network: their top, their height, and the space between them
_BARS, _BAR = _TOP + _HIGH + 46, 40  # the bars of the gradients: the top of the first, and their distance
_FORWARD, _BACKWARD = 3.0, 2.5  # seconds of the way forward, and of each way back
_TURN = _FORWARD + 0.6
_MAIN, _LIGHT = palette.PLAIN, palette.SERIES[0]


class _Line(NamedTuple):
    """The blocks of a network in a line, equally wide."""

    names: tuple[str, ...]

    @property
    def width(self) -> float:
        return (WIDE + _GAP) / len(self.names) - _GAP

    def left(self, name: str) -> float:
        return self.names.index(name) * (self.width + _GAP)

    def arrival(self, name: str) -> float:
        """The second at which the image comes to a block."""
        return _FORWARD * self.names.index(name) / len(self.names)


def gradients(summary: NetworkSummary) -> Hero:
    """Draw the blocks of a network with their auxiliary heads, and for each loss a bar over all blocks it reaches."""
    line = _Line(tuple(dict.fromkeys(row.module for row in summary.rows if row.aux is None)))
    taps = [name for name in line.names if name in summary.config.aux.taps]
    body = [part for name in line.names for part in _block(line, name)]
    body += [part for tap in taps for part in _head(line, tap)]
    body += _bar(line, 0, line.names[-1], "gradient of the main loss")
    for number, tap in enumerate(reversed(taps), 1):
        body += _bar(line, number, tap, f"gradient of the head at {tap}")
    bars = len(taps) + 1
    wide = Picture(WIDE, _BARS + bars * _BAR, body)
    seconds = _TURN + bars * _BACKWARD + 0.5
    return hero(_alt(line, taps), wide, _narrow(line, taps), seconds, list(_steps(taps)))


def _steps(taps: list[str]) -> Iterator[tuple[float, str]]:
    yield 0.0, "Forward: the image goes through the network, and each classifier compares its classes with the label."
    yield _TURN, "Backward: the gradient of the main loss goes through all blocks to the stem."
    for number, tap in enumerate(reversed(taps), 1):
        text = f"The head at {tap} adds a gradient from {tap} back to the stem. The blocks after {tap} get none of it."
        yield _TURN + number * _BACKWARD, text


def _alt(line: _Line, taps: list[str]) -> str:
    heads = "".join(f" That of the head at {tap} reaches {line.names[0]} to {tap}." for tap in taps)
    return f"The blocks {', '.join(line.names)}. The gradient of the main loss reaches all of them.{heads}"


def _block(line: _Line, name: str) -> Iterator[str]:
    """Yield a block and the light that goes through it; a name that is too long for it stands above it."""
    x, width = line.left(name), line.width
    yield box(x, _TOP, width, _HIGH, _MAIN)
    begin = line.arrival(name)
    yield between(begin, begin + 0.5, filled(x, _TOP, width, _HIGH, _LIGHT))
    if fonts.width(name, 15, bold=True) < width - 6:
        yield svg.text(x + width / 2, _TOP + _HIGH / 2 + 5, name, anchor="middle", weight=600, size=15)
    else:
        yield svg.text(x + width, _TOP - 8, name, anchor="end", size=14)


def _head(line: _Line, tap: str) -> Iterator[str]:
    """Yield an auxiliary head above its module; it lights up after the image has come to the module."""
    x, width = line.left(tap) - 6, line.width + 12
    middle, begin = x + width / 2, line.arrival(tap) + 0.2
    yield svg.line(middle, _TOP, middle, _TOP - 16, dash="4 3")
    yield box(x, 10, width, 34, palette.AUX, dashed=True)
    yield between(begin, begin + 0.8, filled(x, 10, width, 34, palette.AUX))
    yield svg.text(middle, 32, f"aux {tap}", anchor="middle", weight=600, size=14)


def _bar(line: _Line, number: int, source: str, name: str) -> Iterator[str]:
    """Yield the gradient of a loss, which grows from the block of its ``source`` back to the first."""
    end, y, begin = line.left(source) + line.width, _BARS + number * _BAR, _TURN + number * _BACKWARD
    yield growing(0, y, end, 14, palette.AUX if number else _MAIN, begin, _BACKWARD - 0.4, leftwards=True)
    yield appearing(begin, svg.text(end, y - 5, name, anchor="end", weight=600, size=14))


# ── for a phone: the network from top to bottom ─────────────────────────────────────────────────────────────────────

_BLOCK, _ROOM, _COLUMN = 96.0, 26.0, 14.0  # the width of a block, the height of one with its space, and of a gradient
_HEAD_AT = 112.0  # where the heads begin
_GRADIENTS_AT = 218.0  # where the gradients begin


def _narrow(line: _Line, taps: list[str]) -> Picture:
    """Draw the blocks below each other, their heads beside them, and the gradients as bars that grow upwards."""
    body = [part for name in line.names for part in _narrow_block(line, name)]
    for tap in taps:
        body += _narrow_head(line, tap)
    sources = [line.names[-1], *reversed(taps)]
    apart = (NARROW - _GRADIENTS_AT) / len(sources)
    for number, source in enumerate(sources):
        x, begin = _GRADIENTS_AT + number * apart, _TURN + number * _BACKWARD
        foot = (line.names.index(source) + 1) * _ROOM - 4
        body.append(rising(x, 0, _COLUMN, foot, palette.AUX if number else _MAIN, begin, _BACKWARD - 0.4))
        name = f"head {source}" if number else "main loss"
        body.append(appearing(begin, svg.text(x, foot + 15, name, weight=600, size=13)))
    return Picture(NARROW, len(line.names) * _ROOM + 20, body)


def _narrow_block(line: _Line, name: str) -> Iterator[str]:
    y, high = line.names.index(name) * _ROOM, _ROOM - 4
    begin = line.arrival(name)
    yield box(1, y + 1, _BLOCK, high - 2, _MAIN)
    yield between(begin, begin + 0.5, filled(1, y + 1, _BLOCK, high - 2, _LIGHT))
    yield svg.text(1 + _BLOCK / 2, y + high / 2 + 5, name, anchor="middle", weight=600, size=14)


def _narrow_head(line: _Line, tap: str) -> Iterator[str]:
    y, high = line.names.index(tap) * _ROOM, _ROOM - 4
    begin = line.arrival(tap) + 0.2
    yield svg.line(_BLOCK + 1, y + high / 2, _HEAD_AT, y + high / 2, dash="4 3")
    yield box(_HEAD_AT, y + 1, 74, high - 2, palette.AUX, dashed=True)
    yield between(begin, begin + 0.8, filled(_HEAD_AT, y + 1, 74, high - 2, palette.AUX))
    yield svg.text(_HEAD_AT + 37, y + high / 2 + 5, f"aux {tap}", anchor="middle", weight=600, size=14)
