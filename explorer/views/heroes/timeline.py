"""What moving pictures are made of: SVG animations that begin at a second of one timeline and keep their end state.

The page plays the timeline, stops it, or sets it to any second, and shows its end where motion is not wanted. Fills
come from the palette, text and lines have the page's own colour.
"""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from explorer.views import svg


class Hero(NamedTuple):
    """A moving picture: its SVG, its length in seconds, and the sentences, each with the second from which it counts.

    ``narrow_svg`` is the same picture for a phone. Where motion is not wanted the page shows its end.
    """

    svg: str
    narrow_svg: str
    seconds: float
    steps: tuple[tuple[float, str], ...]


class Picture(NamedTuple):
    """A picture of this size in its own units; a narrow one has no text smaller than 13 of them."""

    width: float
    height: float
    body: Sequence[str]


WIDE, NARROW = 1100.0, 400.0  # widths of pictures in their own units


def hero(alt: str, wide: Picture, narrow: Picture, seconds: float, steps: Sequence[tuple[float, str]]) -> Hero:
    """Return a picture in both sizes; ``alt`` is for screen readers."""
    return Hero(_document(alt, wide), _document(alt, narrow), seconds, tuple(steps))


def _document(alt: str, picture: Picture) -> str:
    return (
        f'<svg viewBox="0 0 {picture.width:g} {picture.height:g}" role="img" aria-label="{escape(alt)}" '
        f'font-size="{svg.FONT + 2}" fill="currentColor" font-family="inherit">{"".join(picture.body)}</svg>'
    )


def change(attribute: str, before: float, after: float, begin: float, seconds: float) -> str:
    """Return the animation of a number of its parent element, slow at both ends."""
    return (
        f'<animate attributeName="{attribute}" values="{before:.1f};{after:.1f}" begin="{begin:.2f}s" '
        f'dur="{seconds:.2f}s" fill="freeze" calcMode="spline" keySplines="0.4 0 0.2 1"/>'
    )


def appearing(begin: float, *content: str, seconds: float = 0.4) -> str:
    """Return content that fades in at a second."""
    fade = f'<animate attributeName="opacity" from="0" to="1" begin="{begin:.2f}s" dur="{seconds:.2f}s" fill="freeze"/>'
    return f'<g opacity="0">{"".join(content)}{fade}</g>'


def between(begin: float, end: float, *content: str) -> str:
    """Return content that is there from one second to another."""
    show = f'<set attributeName="visibility" to="visible" begin="{begin:.2f}s" dur="{end - begin:.2f}s"/>'
    return f'<g visibility="hidden">{"".join(content)}{show}</g>'


def growing(
    x: float,
    y: float,
    width: float,
    height: float,
    colour: str,
    begin: float,
    seconds: float,
    *,
    leftwards: bool = False,
) -> str:
    """Return a bar that grows to its width, to the right or ``leftwards`` from its right end."""
    start = x + width if leftwards else x
    move = change("x", start, x, begin, seconds) if leftwards else ""
    return (
        f'<rect x="{start:.1f}" y="{y:.1f}" width="0" height="{height:.1f}" fill="{colour}">'
        f"{move}{change('width', 0, width, begin, seconds)}</rect>"
    )


def rising(x: float, y: float, width: float, height: float, colour: str, begin: float, seconds: float) -> str:
    """Return a bar that grows upwards from its foot to its height."""
    grow = change("y", y + height, y, begin, seconds) + change("height", 0, height, begin, seconds)
    return f'<rect x="{x:.1f}" y="{y + height:.1f}" width="{width:.1f}" height="0" fill="{colour}">{grow}</rect>'


def box(x: float, y: float, width: float, height: float, colour: str, *, dashed: bool = False) -> str:
    """Return an outlined box with round corners."""
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{colour}" '
        f'fill-opacity="0.14" stroke="{colour}" stroke-width="2"{dash}/>'
    )


def filled(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a box with round corners, filled so that text on it stays readable."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{colour}" '
        f'fill-opacity="0.4"/>'
    )
