"""DOT into SVG by the Graphviz of this machine: a system ``dot`` first, else the one that pip installs (graphviz-pure).

The SVG is made safe and plain here: only drawing elements remain, with no script, link, style or tooltip. Texts are
centred in the cells that :mod:`explorer.views.boxes` measured for them and set in the font of
:mod:`explorer.views.fonts`. Coordinates are Graphviz's points.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from xml.etree import ElementTree

from explorer.errors import UserError
from explorer.views import fonts

TIMEOUT = 10.0  # seconds; a diagram of 64 modules takes a fraction of one
_SYSTEM, _BUNDLED = "dot", "graphviz-pure"
_NAMESPACE = "http://www.w3.org/2000/svg"
_TEXT, _POLYGON = f"{{{_NAMESPACE}}}text", f"{{{_NAMESPACE}}}polygon"
_ELEMENTS = {f"{{{_NAMESPACE}}}{name}" for name in ("svg", "g", "path", "polygon", "polyline", "ellipse", "text")}
_ATTRIBUTES = {
    *("id", "class", "transform", "width", "height", "viewBox", "d", "points", "x", "y", "cx", "cy", "rx", "ry"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor", "font-size", "font-weight"),
}
_INVISIBLE = ("none", "transparent")  # what Graphviz calls a transparent fill, by version

ElementTree.register_namespace("", _NAMESPACE)


class LayoutUnavailableError(UserError, RuntimeError):
    """No Graphviz could draw the diagram; the message says what is missing."""


@lru_cache(maxsize=128)
def svg(dot: str) -> str:
    """Return the diagram as SVG text. The same DOT gives the same SVG. Raises LayoutUnavailableError."""
    failures = []
    for program in _programs():
        try:
            return _clean(_run(program, dot))
        except (OSError, subprocess.SubprocessError, ElementTree.ParseError) as error:
            failures.append(f"{program}: {_reason(error)}")
    if failures:
        raise LayoutUnavailableError(f"Graphviz could not draw this diagram ({'; '.join(failures)}).")
    raise LayoutUnavailableError("Graphviz is missing: install the package graphviz-pure with pip, or Graphviz itself.")


def _programs() -> Iterator[str]:
    """Yield the Graphviz programs of this machine, the preferred one first."""
    scripts = sysconfig.get_path("scripts")  # where pip puts a program; not on the PATH of an unactivated environment
    for program in (shutil.which(_SYSTEM), shutil.which(_BUNDLED, path=scripts), shutil.which(_BUNDLED)):
        if program:
            yield program


def _run(program: str, dot: str) -> str:
    result = subprocess.run([program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=TIMEOUT, check=True)
    return result.stdout.decode()


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return next((line for line in lines if line.startswith("Error")), f"exit code {error.returncode}")
    return str(error)


def _clean(source: str) -> str:
    """Return the drawing elements of an SVG. Parsing drops its comments and its document type."""
    root = ElementTree.fromstring(source)
    _strip(root)
    root.set("font-family", f"'{fonts.FAMILY}', {fonts.FALLBACKS}")
    root.set("text-rendering", "geometricPrecision")  # else Chromium rounds advances to whole pixels
    return ElementTree.tostring(root, encoding="unicode")


def _strip(element: ElementTree.Element) -> None:
    """Remove what does not draw from an element and its children, and place their texts."""
    for name, value in list(element.attrib.items()):
        if name not in _ATTRIBUTES or "url(" in value:
            del element.attrib[name]
    cell = None  # an invisible polygon is the ground of the text that follows it
    for child in list(element):
        if child.tag == _POLYGON and child.get("fill") in _INVISIBLE and child.get("stroke") in (*_INVISIBLE, None):
            cell = child
            element.remove(child)
        elif child.tag in _ELEMENTS:
            _strip(child)
            if child.tag == _TEXT and cell is not None:
                _centre(child, cell)
                cell = None
        else:
            element.remove(child)
    element.tail = None
    if element.tag != _TEXT:
        element.text = None


def _centre(text: ElementTree.Element, cell: ElementTree.Element) -> None:
    """Centre a text in its cell, by its width and by the height of its capitals.

    The position that Graphviz gave it depends on the fonts of the machine.
    """
    xs, ys = zip(*(map(float, point.split(",")) for point in cell.get("points", "").split()), strict=True)
    capitals = fonts.CAP_HEIGHT * float(text.get("font-size", "0"))
    text.set("text-anchor", "middle")
    text.set("x", f"{(min(xs) + max(xs)) / 2:.2f}")
    text.set("y", f"{(min(ys) + max(ys) + capitals) / 2:.2f}")
