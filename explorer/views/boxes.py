"""The boxes of a diagram as Graphviz's HTML-like labels. Text is escaped here and nowhere else.

Source of the language: https://graphviz.org/doc/info/shapes.html#html. Sizes are points (1/72 inch).
"""

from collections.abc import Iterable
from html import escape
from typing import NamedTuple

from explorer.views import palette

NAME_SIZE, TEXT_SIZE, SMALL_SIZE = 17, 14, 12
_STRIP_HEIGHT = 7
_CHIP_HEIGHT = 22
_SPACING = 6  # between the cells of a concatenation

# Widths of Helvetica in thousandths of the font size (Adobe's AFM); Arial, Arimo and Liberation Sans have the same.
_WIDTHS = {**dict.fromkeys(" ,./|", 278), **dict.fromkeys("ijl", 222), "m": 833, "M": 833, "%": 889, "r": 333, "-": 333}
_USUAL_WIDTH = 560


class Ink(NamedTuple):
    """The two text colours of a box: for what matters and for the rest."""

    strong: str
    soft: str


PLAIN = Ink(palette.LIGHT.ink, palette.LIGHT.muted)


class Line(NamedTuple):
    """A line of text in a box."""

    text: str
    size: int = TEXT_SIZE
    bold: bool = False
    soft: bool = False


def ink_on(fill: str) -> Ink:
    """Return the text colours for a coloured box: one that can be read, and no softer one."""
    text = palette.text_on(fill)
    return Ink(text, text)


def width(text: str, size: int = TEXT_SIZE, bold: bool = False) -> float:
    """Return about how wide a text is, in points; rather too much than too little."""
    return sum(_WIDTHS.get(sign, _USUAL_WIDTH) for sign in text) * size * (1.08 if bold else 1.0) / 1000


def text(line: Line, ink: Ink = PLAIN) -> str:
    """Return one line of escaped text; nothing for none, because Graphviz refuses an empty font."""
    if not line.text:
        return ""
    shown = escape(" ".join(line.text.splitlines())).replace("\\", "&#92;&#92;")  # Graphviz reads \N as the node
    shown = f"<B>{shown}</B>" if line.bold else shown
    return f'<FONT POINT-SIZE="{line.size}" COLOR="{ink.soft if line.soft else ink.strong}">{shown}</FONT>'


def table(*rows: str, spacing: int = 0, padding: int = 1) -> str:
    """Return a table without borders, as a whole label or inside a cell."""
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}">'
        f"{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"
    )


def cell(content: str, align: str = "CENTER", extra: str = "") -> str:
    """Return a cell of a table."""
    return f'<TD ALIGN="{align}"{extra}>{content}</TD>'


def label(content: str) -> str:
    """Mark a table as a label."""
    return f"<{content}>"


def lines(*texts: Line, ink: Ink = PLAIN) -> str:
    """Return a label of centred lines."""
    return label(table(*(cell(text(line, ink)) for line in texts)))


def on_one_line(*texts: Line) -> str:
    """Return a label of texts behind each other."""
    return label(table(cell("".join(map(text, texts)))))


def head_width(name: str, share: str) -> float:
    """Return the width of a block's first line."""
    return width(name, NAME_SIZE, bold=True) + width(share) + 14


def block(name: str, share: str, shape: str, foot: str, ink: Ink = PLAIN) -> str:
    """Return the label of a block in the overview: name and share on one line, the shape, and a strip at the foot.

    The strip is as wide as the text may be, also where it shows nothing.
    """
    head = cell(text(Line(name, NAME_SIZE, bold=True), ink), "LEFT") + cell(
        text(Line(f"\N{NO-BREAK SPACE}{share}"), ink), "RIGHT"
    )
    shapes = cell(text(Line(shape, soft=True), ink), "LEFT", ' COLSPAN="2"')
    return label(table(head, shapes, cell(foot, extra=' COLSPAN="2" CELLPADDING="3"')))


def layer(title: str, chip: str, texts: Iterable[Line], inner: int, ink: Ink = PLAIN) -> str:
    """Return the label of one layer: its title on a chip of its branch's colour, its numbers under it."""
    on_chip = text(Line(title, TEXT_SIZE + 1, bold=True), ink_on(chip))
    size = f' WIDTH="{inner}" HEIGHT="{_CHIP_HEIGHT}"'
    head = cell(on_chip, extra=f' BGCOLOR="{chip}" STYLE="ROUNDED"{size}')
    return label(table(head, *(cell(text(line, ink)) for line in texts), padding=2))


def strip(parts: Iterable[tuple[str, int]], length: int) -> str:
    """Return a bar of ``length`` points: (colour, amount) side by side, as wide as their share and at least 2.

    Without parts it is an empty line of that length.
    """
    parts = [(colour, amount) for colour, amount in parts if amount > 0]
    if not parts:
        return table(cell("", extra=f' FIXEDSIZE="TRUE" WIDTH="{length}" HEIGHT="1"'), padding=0)
    whole = sum(amount for _, amount in parts)
    widths = [max(2, round(length * amount / whole)) for _, amount in parts]
    widths[widths.index(max(widths))] -= sum(widths) - length
    cells = "".join(
        cell("", extra=f' BGCOLOR="{colour}" FIXEDSIZE="TRUE" WIDTH="{wide}" HEIGHT="{_STRIP_HEIGHT}"')
        for (colour, _), wide in zip(parts, widths, strict=True)
    )
    return table(cells, padding=0)


def bar(ports: Iterable[str], content: str, column: int) -> str:
    """Return the label of a bar across all columns, with a port at its top and foot in the middle of each."""
    ports = tuple(ports)
    words = cell(text(Line(content)), extra=f' CELLPADDING="3" WIDTH="{column * len(ports) + _SPACING}"')
    return label(table(_ports(ports, "in", column), words, _ports(ports, "out", column), padding=0))


def segments(parts: Iterable[tuple[str, str, str, str]], sums: Iterable[Line], column: int, ink: Ink = PLAIN) -> str:
    """Return the label of a concatenation: a coloured cell in each column, a line across all of them, and ports.

    ``parts`` are (port, colour, title, range). The ports are ``<port>_in`` at the top and ``<port>_out`` at the foot.
    """
    parts = tuple(parts)
    ports = [port for port, *_ in parts]
    cells = "".join(
        cell(
            table(
                cell(text(Line(title, TEXT_SIZE + 1, bold=True), ink_on(colour))),
                cell(text(Line(channels, SMALL_SIZE + 1), ink_on(colour))),
                cell("", extra=' HEIGHT="2"'),
            ),
            extra=f' BGCOLOR="{colour}" STYLE="ROUNDED" WIDTH="{column - _SPACING}"',
        )
        for _, colour, title, channels in parts
    )
    return label(
        table(
            _ports(ports, "in", column),
            cell(table(cells, spacing=_SPACING, padding=2)),
            cell("".join(text(line, ink) for line in sums)),
            _ports(ports, "out", column),
            padding=0,
        )
    )


def _ports(ports: Iterable[str], suffix: str, column: int) -> str:
    """A line of ports, a column apart, as wide as cells with their spacing are."""
    end = cell("", extra=f' WIDTH="{_SPACING // 2}" HEIGHT="1"')
    middles = (cell("", extra=f' PORT="{port}_{suffix}" WIDTH="{column}" HEIGHT="1"') for port in ports)
    return cell(table(end + "".join(middles) + end, padding=0))


def key(title: str, swatches: Iterable[tuple[str, str]]) -> str:
    """Return a legend in words: a title, then (colour, meaning) chips."""
    chips = "".join(
        cell(
            text(Line(meaning, SMALL_SIZE), ink_on(colour)),
            extra=f' BGCOLOR="{colour}" STYLE="ROUNDED" CELLPADDING="3"',
        )
        for colour, meaning in swatches
    )
    return label(table(cell(text(Line(title, SMALL_SIZE, soft=True))) + chips, spacing=3))


def ramp(title: str, low: str, high: str, steps: int = 14) -> str:
    """Return a legend of the cost scale: ``low``, the colours from little to much, ``high``."""
    colours = [palette.scale(step / (steps - 1)) for step in range(steps)]
    bar = table(
        "".join(cell("", extra=f' BGCOLOR="{colour}" FIXEDSIZE="TRUE" WIDTH="10" HEIGHT="12"') for colour in colours),
        padding=0,
    )
    words = (cell(text(Line(word, SMALL_SIZE, soft=word == title))) for word in (title, low, bar, high))
    head, least, _, most = words
    return label(table(head + least + cell(bar) + most, spacing=3))
