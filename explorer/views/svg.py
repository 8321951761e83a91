"""Small charts as SVG text, drawn without a plotting library, so that the page can answer a control at once.

Text and lines have the page's own colour (``currentColor``), fills come from the palette: light and dark both work.
Coordinates are pixels of the chart; a chart shrinks with its column. Every chart has a text alternative.
"""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

from explorer.views import fonts
from explorer.views import formatting as fmt

FONT = 13  # pixels
WIDE, NARROW = 700.0, 400.0  # widths of a chart; on a phone a narrow one is shown at 0.9 of its size
_TITLE, _TITLE_LINE = 15, 20  # pixels of a title, and from one of its lines to the next
LEGEND_LINE = 20  # pixels from one line of a legend to the next
_SPARE = 8  # pixels beside a title: browsers draw a text of a few pixels a little wider
_GRID = 0.18  # opacity of grid lines


class Series(NamedTuple):
    """Values of one colour, one per label; ``name`` is in the legend."""

    name: str
    values: Sequence[float]
    colour: str


def chart(width: float, height: float, title: str, alt: str, body: Sequence[str]) -> str:
    """Return an SVG that fills its column, up to its own width; ``title`` is drawn, ``alt`` is for screen readers.

    A title that is too long for the width has several lines, and the body is moved below them.
    """
    lines = broken(title, width - _SPARE, _TITLE, bold=True)
    drawn = "".join(
        text(0, 16 + place * _TITLE_LINE, line, weight=600, size=_TITLE) for place, line in enumerate(lines)
    )
    content, more = "".join(body), _TITLE_LINE * (len(lines) - 1)
    if more:
        content, height = f'<g transform="translate(0 {more})">{content}</g>', height + more
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(alt)}" '
        f'style="width:100%;max-width:{width:g}px;height:auto;display:block;--width:{width:g}" font-size="{FONT}" '
        f'fill="currentColor" font-family="inherit">{drawn}{content}</svg>'
    )


def broken(content: str, width: float, size: float = FONT, *, bold: bool = False) -> list[str]:
    """Break a text between words into lines of at most this width; a longer word keeps a line of its own."""
    lines = [""]
    for word in content.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and fonts.width(longer, size, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def shortened(content: str, width: float, size: float = FONT) -> str:
    """Return a text that fits into this width: cut off with an ellipsis if it is longer."""
    if fonts.width(content, size) <= width:
        return content
    while content and fonts.width(f"{content}…", size) > width:
        content = content[:-1]
    return f"{content.rstrip()}…"


def text(
    x: float,
    y: float,
    content: str,
    *,
    anchor: str = "start",
    size: int = FONT,
    weight: int = 400,
    faint: bool = False,
    colour: str = "",
) -> str:
    """Return a line of text with its baseline at ``y``, in the page's own colour by default."""
    extra = (' opacity="0.75"' if faint else "") + (f' fill="{colour}"' if colour else "")
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}"{extra}>'
        f"{escape(content)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, *, dash: str = "", width: float = 1, opacity: float = 1) -> str:
    """Return a straight line in the colour of the text."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="currentColor" '
        f'stroke-width="{width:g}" opacity="{opacity:g}"{dashes}/>'
    )


def rect(x: float, y: float, width: float, height: float, colour: str, *, hint: str = "", opacity: float = 1) -> str:
    """Return a filled box; ``hint`` is its tooltip."""
    title = f"<title>{escape(hint)}</title>" if hint else ""
    faint = f' fill-opacity="{opacity:.3g}"' if opacity < 1 else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'fill="{colour}"{faint}>{title}</rect>'
    )


def path(points: Sequence[tuple[float, float]], colour: str, *, width: float = 2.5, dash: str = "") -> str:
    """Return a line through points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def dot(x: float, y: float, colour: str, radius: float = 5, *, opacity: float = 1) -> str:
    """Return a filled circle."""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" fill="{colour}" fill-opacity="{opacity:g}"/>'


def legend(series: Sequence[tuple[str, str]], x: float, y: float, width: float = WIDE) -> str:
    """Return names beside their colours (name, colour), from ``x`` on in lines that end before ``width``."""
    parts, left = [], x
    for name, colour in series:
        if x > left and x + 17 + fonts.width(name, FONT) > width:
            x, y = left, y + LEGEND_LINE
        parts += [rect(x, y - 10, 12, 12, colour), text(x + 17, y, name)]
        x += _legend_step(name)
    return "".join(parts)


def legend_lines(names: Sequence[str], x: float, width: float) -> int:
    """Return the number of lines of such a legend."""
    left, lines = x, 1
    for name in names:
        if x > left and x + 17 + fonts.width(name, FONT) > width:
            x, lines = left, lines + 1
        x += _legend_step(name)
    return lines


def _legend_step(name: str) -> float:
    return 34 + 7.2 * len(name)


def ticks(most: float, count: int = 4) -> list[float]:
    """Return round values from 0 up to at least ``most``, about ``count`` of them after 0."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / count
    size = 10 ** floor(log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    found = [0.0]
    while found[-1] < most:
        found.append(step * len(found))
    return found


class Frame(NamedTuple):
    """The inner rectangle of a chart and its two scales from 0, in pixels."""

    left: float
    top: float
    width: float
    height: float
    most_x: float
    most_y: float

    def x(self, value: float) -> float:
        """Return where a value lies from left to right."""
        return self.left + self.width * value / self.most_x

    def y(self, value: float) -> float:
        """Return where a value lies from bottom to top."""
        return self.top + self.height * (1 - value / self.most_y)


def grid(frame: Frame, marks: Sequence[float], unit: str) -> list[str]:
    """Return horizontal lines at the marks with their values, and the unit above the highest."""
    parts = [text(0, frame.top - 12, unit, faint=True)]
    for mark in marks:
        y = frame.y(mark)
        parts += [
            line(frame.left, y, frame.left + frame.width, y, opacity=_GRID),
            text(frame.left - 8, y + 4, _tick(mark), anchor="end", faint=True),
        ]
    return parts


def _tick(value: float) -> str:
    if 0 < abs(value) < 10 and value != int(value):
        return f"{value:.2g}"
    number, _, unit = fmt.short(value).partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}".strip()


def columns(
    title: str,
    alt: str,
    labels: Sequence[str],
    series: Sequence[Series],
    unit: str,
    *,
    stacked: bool = False,
    width: float = 700,
    marks: Sequence[float] | None = None,
) -> str:
    """Return vertical bars, one group per label: side by side, or on top of each other when ``stacked``.

    ``marks``, one per label, are drawn as short lines across the group.
    """
    groups = [[one.values[place] for one in series] for place in range(len(labels))]
    tops = [sum(group) if stacked else max(group) for group in groups]
    scale = ticks(max([*tops, *(marks or [])], default=0))
    more = LEGEND_LINE * (legend_lines([one.name for one in series], 0, width) - 1) if len(series) > 1 else 0
    frame = Frame(64, 72 + more, width - 70, 200, len(labels), scale[-1])
    body = [legend([(one.name, one.colour) for one in series], 0, 42, width)] if len(series) > 1 else []
    each = _labels_apart(labels, frame.width)
    body += grid(frame, scale, unit)
    for place, label in enumerate(labels):
        body += _group(frame, place, label, series, stacked)
        if place % each == 0:
            half = fonts.width(label, FONT) / 2
            centre = min(frame.x(place) + frame.width / frame.most_x / 2, width - half)
            body.append(text(centre, frame.top + frame.height + 20, label, anchor="middle"))
        if marks:
            y = frame.y(marks[place])
            body.append(line(frame.x(place) + 2, y, frame.x(place + 1) - 2, y, width=2.5))
    return chart(width, 302 + more, title, alt, body)


def _labels_apart(labels: Sequence[str], room: float) -> int:
    """Return how far apart the labels below columns must be to fit: 1 for all of them, 2 for every second one."""
    widest = max((fonts.width(label, FONT) for label in labels), default=0)
    return max(1, ceil((widest + 4) * len(labels) / room)) if sum(map(bool, labels)) == len(labels) else 1


def _group(frame: Frame, place: int, label: str, series: Sequence[Series], stacked: bool) -> list[str]:
    room = frame.width / frame.most_x
    gap = min(12.0, room * 0.2)
    each = (room - gap) / (1 if stacked else len(series))
    parts, below = [], 0.0
    for number, one in enumerate(series):
        value = one.values[place]
        x = frame.x(place) + gap / 2 + (0 if stacked else number * each)
        top = frame.y(below + value)
        hint = f"{label} {one.name}: {fmt.short(value)}"
        parts.append(rect(x, top, each - (0 if stacked else 1), frame.y(below) - top, one.colour, hint=hint))
        below += value if stacked else 0
    return parts
