"""DOT into SVG by a Graphviz that is at hand: a system ``dot`` first, else the one that pip brings (graphviz-pure).

The SVG is made safe and plain here: only drawing elements stay, with no script, link, style or tooltip. Coordinates
are Graphviz's points.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from xml.etree import ElementTree

TIMEOUT = 10.0  # seconds; a picture of 64 modules takes a fraction of one
_SYSTEM, _BUNDLED = "dot", "graphviz-pure"
_SVG = "http://www.w3.org/2000/svg"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_ELEMENTS = {f"{{{_SVG}}}{name}" for name in ("svg", "g", "path", "polygon", "polyline", "ellipse", "text")}
_ATTRIBUTES = {
    *("id", "class", "transform", "width", "height", "viewBox", "d", "points", "x", "y", "cx", "cy", "rx", "ry"),
    *("fill", "stroke", "stroke-width", "stroke-dasharray", "text-anchor"),
    *("font-family", "font-size", "font-weight", _SPACE),
}
_BOLD_IS_HIGH = 0.1  # Graphviz sets a line with bold text this share of its size above a plain one

ElementTree.register_namespace("", _SVG)


class LayoutUnavailable(RuntimeError):  # noqa: N818 - a state of the machine rather than a mistake
    """No Graphviz could draw the picture; the text says what is missing."""


@lru_cache(maxsize=128)
def svg(dot: str) -> str:
    """Return the picture as SVG text. The same DOT gives the same SVG. Raises LayoutUnavailable."""
    failures = []
    for program in _programs():
        try:
            return _clean(_run(program, dot))
        except (OSError, subprocess.SubprocessError, ElementTree.ParseError) as error:
            failures.append(f"{program}: {_reason(error)}")
    if failures:
        raise LayoutUnavailable(f"Graphviz could not draw this diagram ({'; '.join(failures)}).")
    raise LayoutUnavailable("Graphviz is missing: install the package graphviz-pure with pip, or Graphviz itself.")


def _programs() -> Iterator[str]:
    """The Graphviz programs of this machine, the preferred one first."""
    scripts = sysconfig.get_path("scripts")  # where pip puts a program; not on the PATH of an unactivated environment
    for program in (shutil.which(_SYSTEM), shutil.which(_BUNDLED, path=scripts), shutil.which(_BUNDLED)):
        if program:
            yield program


def _run(program: str, dot: str) -> str:
    done = subprocess.run([program, "-Tsvg"], input=dot.encode(), capture_output=True, timeout=TIMEOUT, check=True)
    return done.stdout.decode()


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return next((line for line in lines if line.startswith("Error")), f"exit code {error.returncode}")
    return str(error)


def _clean(source: str) -> str:
    """Keep what draws. Comments and the document type fall away in parsing, the page's own background here."""
    root = ElementTree.fromstring(source)
    _strip(root)
    for group in root.iter(f"{{{_SVG}}}g"):
        texts = group.findall(f"{{{_SVG}}}text")
        high = {text.get("y"): text.get("font-size") for text in texts if text.get("font-weight") == "bold"}
        for text in texts:
            if text.get("y") in high:
                low = float(text.get("y", "0")) + _BOLD_IS_HIGH * float(high[text.get("y")] or 0)
                text.set("y", f"{low:.2f}")
    return ElementTree.tostring(root, encoding="unicode")


def _strip(element: ElementTree.Element) -> None:
    for name, value in list(element.attrib.items()):
        if name not in _ATTRIBUTES or "url(" in value:
            del element.attrib[name]
    for child in list(element):
        if child.tag in _ELEMENTS and child.get("fill") != "transparent":
            _strip(child)
        else:
            element.remove(child)
    element.tail = None
    if element.tag != f"{{{_SVG}}}text":
        element.text = None
