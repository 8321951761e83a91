"""Reads the DOT of a diagram, so that tests can check its boxes, arrows and legend. Graphviz itself does the parsing.

``dot -Tdot_json`` writes a graph as JSON: https://graphviz.org/docs/outputs/json.
"""

import json
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

GRAPHVIZ = shutil.which("dot") or Path(sysconfig.get_path("scripts"), "graphviz-pure")


class Text(NamedTuple):
    """A text of a box, its colour and the colour under it."""

    text: str
    colour: str
    background: str


class Box(NamedTuple):
    """A visible node: its attributes, and its texts in order."""

    attributes: dict[str, str]
    texts: tuple[Text, ...]

    @property
    def lines(self) -> list[str]:
        """The texts alone."""
        return [text.text for text in self.texts]


def boxes(dot: str) -> dict[str, Box]:
    """Return the visible nodes by their id."""
    return {
        node["id"]: Box(node, tuple(_texts(node["label"], node["fillcolor"])))
        for node in _nodes(dot).values()
        if node.get("id")
    }


def arrows(dot: str) -> dict[tuple[str, str], str]:
    """Return the text of each visible arrow by (tail, head); an arrow through invisible corners is one arrow."""
    nodes = _nodes(dot)
    corners = {node["name"] for node in nodes.values() if node.get("style") == "invis"}
    found = []
    for edge in _edges(dot):
        tail, head = nodes[edge["tail"]]["name"], nodes[edge["head"]]["name"]
        label = "".join(text.text for text in _texts(edge["label"], "")) if edge.get("label") else ""
        found.append((head, tail, label) if edge.get("dir") == "back" else (tail, head, label))
    while first := next((arrow for arrow in found if arrow[1] in corners), None):
        second = next(arrow for arrow in found if arrow[0] == first[1])
        found.remove(first)
        found.remove(second)
        found.append((first[0], second[1], first[2] or second[2]))
    return {(tail, head): text for tail, head, text in found}


def arrow_widths(dot: str) -> dict[tuple[str, str], float]:
    """Return the width of each piece of a visible arrow by (tail, head)."""
    nodes = _nodes(dot)
    return {(nodes[edge["tail"]]["name"], nodes[edge["head"]]["name"]): float(edge["penwidth"]) for edge in _edges(dot)}


def legend(dot: str) -> list[str]:
    """Return the texts at the foot of the diagram."""
    return [text.text for text in _texts(_read(dot)["label"], "")]


@lru_cache(maxsize=64)
def _read(dot: str) -> dict[str, Any]:
    result = subprocess.run([GRAPHVIZ, "-Tdot_json"], input=dot.encode(), capture_output=True, check=True)
    return json.loads(result.stdout)


def _nodes(dot: str) -> dict[int, dict[str, str]]:
    """Return the nodes by the number that edges refer to. Subgraphs are objects too, with a list of their nodes."""
    return {item["_gvid"]: item for item in _read(dot)["objects"] if "nodes" not in item}


def _edges(dot: str) -> list[dict[str, Any]]:
    return [edge for edge in _read(dot)["edges"] if edge.get("style") != "invis"]


def _texts(label: str, background: str) -> Iterator[Text]:
    """Yield the texts of a label, which is well-formed XML. A cell without a colour shows what is under it."""

    def walk(element: ElementTree.Element, background: str) -> Iterator[Text]:
        colour = element.get("BGCOLOR", "transparent")
        background = background if colour == "transparent" else colour
        if element.tag == "FONT":
            yield Text("".join(element.itertext()), element.get("COLOR", ""), background)
        for child in element:
            yield from walk(child, background)

    return walk(ElementTree.fromstring(label), background)
