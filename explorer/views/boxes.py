"""The labels of a diagram's boxes, in Graphviz's HTML-like language. Text is escaped here and nowhere else.

Each text has a cell of fixed size, measured in our own font. Graphviz would estimate the size from the fonts of the
machine, and the browser may draw with another font. :mod:`explorer.views.layout` centres each text in its cell.
Source of the language: https://graphviz.org/doc/info/shapes.html#html. Sizes are points (1/72 inch).
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil
from typing import Literal, NamedTuple

from explorer.views import fonts, palette

NAME_SIZE, TEXT_SIZE, SMALL_SIZE = 17, 14, 12
_LINE_HEIGHT = 1.25  # of a text's cell, in font sizes
_STRIP_HEIGHT = 7
_CHIP_HEIGHT = 22
_LAYER_PADDING = 2  # around each line of a layer
_CHIP_PADDING = 5  # left and right of the text on a chip
_SPACING = 6  # between the cells of a concatenation
_TITLE_GAP = 14  # at least, between the name and the share of a block
_WORD_GAP = 8  # between texts on one line
_LABEL_GAP = 7, 4  # left and right of an arrow's label
_BRANCH_MARGIN = 10  # of the text in a branch's cell of a concatenation, left and right together

Align = Literal["LEFT", "CENTER", "RIGHT"]


class TextColours(NamedTuple):
    """The text colours of a box: ``strong`` for its main lines, ``soft`` for the others."""

    strong: str
    soft: str


DEFAULT_COLOURS = TextColours(palette.LIGHT.ink, palette.LIGHT.muted)


class Line(NamedTuple):
    """A line of text in a box."""

    text: str
    size: int = TEXT_SIZE
    bold: bool = False
    soft: bool = False

    @property
    def width(self) -> int:
        """The width of its cell: even, because old versions of Graphviz centre by whole points."""
        return 2 * ceil(fonts.width(self.text, self.size, self.bold) / 2)

    @property
    def height(self) -> int:
        """The height of its cell."""
        return round(_LINE_HEIGHT * self.size)


def text_colours_on(fill: str) -> TextColours:
    """Return the text colours for a coloured box: black or white for all lines."""
    colour = palette.text_on(fill)
    return TextColours(colour, colour)


def text(line: Line, colours: TextColours = DEFAULT_COLOURS, align: Align = "CENTER") -> str:
    """Return one line of escaped text in a table of its exact size; nothing for an empty text.

    ``align`` places the table in a wider cell. Its cell has a transparent ground, which tells the layout where it is.
    """
    if not line.text:
        return ""
    content = escape(" ".join(line.text.splitlines())).replace("\\", "&#92;&#92;")  # Graphviz replaces \N by the node
    content = f"<B>{content}</B>" if line.bold else content
    colour = colours.soft if line.soft else colours.strong
    font = f'<FONT POINT-SIZE="{line.size}" COLOR="{colour}">{content}</FONT>'
    size = f' FIXEDSIZE="TRUE" WIDTH="{line.width}" HEIGHT="{line.height}"'
    return _fixed_table(cell(font, f' BGCOLOR="transparent"{size}'), line.width, line.height, align)


def table(*rows: str, spacing: int = 0, padding: int = 1) -> str:
    """Return a table without borders, as a whole label or inside a cell."""
    return (
        f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}">'
        f"{''.join(f'<TR>{row}</TR>' for row in rows)}</TABLE>"
    )


def cell(content: str, extra: str = "") -> str:
    """Return a cell of a table; ``extra`` is attributes with a space before each."""
    return f"<TD{extra}>{content}</TD>"


def label(content: str) -> str:
    """Mark a table as a label."""
    return f"<{content}>"


def lines(*texts: Line, colours: TextColours = DEFAULT_COLOURS) -> str:
    """Return a label of centred lines."""
    return label(table(*(cell(text(line, colours)) for line in texts)))


def single_line(*texts: Line) -> str:
    """Return a label of texts side by side."""
    return label(_side_by_side(texts))


def arrow_label(content: str) -> str:
    """Return the label of an arrow, in one or more lines, with the space that keeps it off the arrow."""
    left, right = _LABEL_GAP
    words = _below_each_other(_arrow_lines(content))
    return label(table(cell("", f' WIDTH="{left}"') + cell(words) + cell("", f' WIDTH="{right}"'), padding=0))


def arrow_label_width(content: str) -> int:
    """Return the width of an arrow's label."""
    return max(line.width for line in _arrow_lines(content)) + sum(_LABEL_GAP)


def _arrow_lines(content: str) -> list[Line]:
    return [Line(part, SMALL_SIZE, soft=True) for part in content.split("\n")]


def _side_by_side(texts: Sequence[Line], colours: TextColours = DEFAULT_COLOURS) -> str:
    """Return a table of exact size, because Graphviz would spread the texts over a wider cell."""
    width = sum(line.width for line in texts) + _WORD_GAP * (len(texts) - 1)
    gap = cell("", f' WIDTH="{_WORD_GAP}"')
    return _fixed_table(
        gap.join(cell(text(line, colours)) for line in texts), width, max(line.height for line in texts)
    )


def _below_each_other(texts: Iterable[Line], colours: TextColours = DEFAULT_COLOURS) -> str:
    """Return centred lines for one cell."""
    first, *more = (text(line, colours) for line in texts)
    return table(*map(cell, (first, *more)), padding=0) if more else first


def _fixed_table(row: str, width: int, height: int, align: Align = "CENTER") -> str:
    return (
        f'<TABLE ALIGN="{align}" BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0" FIXEDSIZE="TRUE" '
        f'WIDTH="{width}" HEIGHT="{height}"><TR>{row}</TR></TABLE>'
    )


def title_width(name: str, share: str) -> int:
    """Return the least width of a block's first line."""
    return Line(name, NAME_SIZE, bold=True).width + Line(share).width + _TITLE_GAP


def block(name: str, share: str, shape: str, foot: str, colours: TextColours = DEFAULT_COLOURS) -> str:
    """Return the label of a block in the overview: name and share on one line, the shape, and a strip at the foot.

    The strip has the width of the box's content, even where it shows nothing.
    """
    head = cell(text(Line(name, NAME_SIZE, bold=True), colours, "LEFT")) + cell(text(Line(share), colours, "RIGHT"))
    shapes = cell(text(Line(shape, soft=True), colours, "LEFT"), ' COLSPAN="2"')
    return label(table(head, shapes, cell(foot, ' COLSPAN="2" CELLPADDING="3"')))


def layer_width(title: Iterable[Line], texts: Iterable[Line]) -> int:
    """Return the least width of a layer's content."""
    chip = max(line.width for line in title) + 2 * _CHIP_PADDING
    return max(chip, *(line.width + 2 * _LAYER_PADDING for line in texts))


def layer(
    title: Iterable[Line], chip: str, texts: Iterable[Line], inner: int, colours: TextColours = DEFAULT_COLOURS
) -> str:
    """Return the label of one layer, ``inner`` wide: its title on a chip of its branch's colour, its numbers below."""
    size = f' WIDTH="{inner}" HEIGHT="{_CHIP_HEIGHT}"'
    head = cell(_below_each_other(title, text_colours_on(chip)), f' BGCOLOR="{chip}" STYLE="ROUNDED"{size}')
    return label(table(head, *(cell(text(line, colours)) for line in texts), padding=_LAYER_PADDING))


def strip(parts: Iterable[tuple[str, int]], length: int) -> str:
    """Return a bar of ``length`` points: (colour, amount) side by side, in proportion and at least 2 points wide.

    Without parts it is an empty line of that length.
    """
    parts = [(colour, amount) for colour, amount in parts if amount > 0]
    if not parts:
        return table(cell("", f' FIXEDSIZE="TRUE" WIDTH="{length}" HEIGHT="1"'), padding=0)
    whole = sum(amount for _, amount in parts)
    widths = [max(2, round(length * amount / whole)) for _, amount in parts]
    widths[widths.index(max(widths))] -= sum(widths) - length
    cells = "".join(
        cell("", f' BGCOLOR="{colour}" FIXEDSIZE="TRUE" WIDTH="{width}" HEIGHT="{_STRIP_HEIGHT}"')
        for (colour, _), width in zip(parts, widths, strict=True)
    )
    return table(cells, padding=0)


def bar(ports: Iterable[str], content: str, column: int) -> str:
    """Return the label of a bar across all columns, with a port at its top and foot in the middle of each."""
    ports = tuple(ports)
    words = cell(text(Line(content)), f' CELLPADDING="3" WIDTH="{column * len(ports) + _SPACING}"')
    return label(table(_ports(ports, "in", column), words, _ports(ports, "out", column), padding=0))


def concatenation_width(texts: Iterable[Line]) -> int:
    """Return the least width of a branch's column in a concatenation."""
    return max(line.width for line in texts) + _BRANCH_MARGIN + _SPACING


def concatenation(
    parts: Iterable[tuple[str, str, Sequence[Line]]],
    total: Sequence[Line],
    column: int,
    colours: TextColours = DEFAULT_COLOURS,
) -> str:
    """Return the label of a concatenation: a coloured cell in each column, ``total`` across all of them, and ports.

    ``parts`` are (port, colour, lines of text). The ports are ``<port>_in`` at the top and ``<port>_out`` at the foot.
    """
    parts = tuple(parts)
    ports = [port for port, *_ in parts]
    cells = "".join(
        cell(
            table(*(cell(text(line, text_colours_on(colour))) for line in texts), cell("", ' HEIGHT="2"')),
            f' BGCOLOR="{colour}" STYLE="ROUNDED" WIDTH="{column - _SPACING}"',
        )
        for _, colour, texts in parts
    )
    return label(
        table(
            _ports(ports, "in", column),
            cell(table(cells, spacing=_SPACING, padding=2)),
            cell(_side_by_side(total, colours), ' CELLPADDING="2"'),
            _ports(ports, "out", column),
            padding=0,
        )
    )


def _ports(ports: Iterable[str], suffix: str, column: int) -> str:
    """Return a line of ports, a column apart, as wide as the cells of a concatenation with their spacing."""
    end = cell("", f' WIDTH="{_SPACING // 2}" HEIGHT="1"')
    middles = (cell("", f' PORT="{port}_{suffix}" WIDTH="{column}" HEIGHT="1"') for port in ports)
    return cell(table(end + "".join(middles) + end, padding=0))


def colour_legend(title: str, swatches: Iterable[tuple[str, str]], *, narrow: bool = False) -> str:
    """Return a legend: a title, then (colour, meaning) chips, in a ``narrow`` one below it and larger."""
    size = TEXT_SIZE if narrow else SMALL_SIZE
    chips = "".join(
        cell(
            text(Line(meaning, size), text_colours_on(colour)),
            f' BGCOLOR="{colour}" STYLE="ROUNDED" CELLPADDING="4"',
        )
        for colour, meaning in swatches
    )
    head = cell(text(Line(title, size, soft=True)))
    if narrow:
        return label(table(head, cell(table(chips, spacing=3))))
    return label(table(head + chips, spacing=3))


def scale_legend(title: str, low: str, high: str, steps: int = 14) -> str:
    """Return the legend of the cost scale: its title, ``low``, the colours from little to much, ``high``."""
    colours = [palette.scale(step / (steps - 1)) for step in range(steps)]
    ramp = table(
        "".join(cell("", f' BGCOLOR="{colour}" FIXEDSIZE="TRUE" WIDTH="10" HEIGHT="12"') for colour in colours),
        padding=0,
    )
    head = cell(text(Line(title, SMALL_SIZE, soft=True)))
    least, most = (cell(text(Line(value, SMALL_SIZE))) for value in (low, high))
    return label(table(head + least + cell(ramp) + most, spacing=3))
