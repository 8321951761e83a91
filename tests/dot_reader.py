"""Reads the DOT that the diagrams write, statement by statement, so that tests can ask what a picture says."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

_NAME = r'(?:"[^"]*"|[\w.]+)'
_PORT = r'(?::(?:"[^"]*"|\w+))*'
_NODE = re.compile(rf"^\s*({_NAME}) \[(.*)\]$")
_EDGE = re.compile(rf"^\s*({_NAME}){_PORT} -> ({_NAME}){_PORT} \[(.*)\]$")
_ATTRIBUTE = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([\w.#]+)|<(<.*>)>)(?= \w+=|$)')


class Text(NamedTuple):
    """A text of a box, its colour and the colour under it."""

    text: str
    colour: str
    ground: str


class Box(NamedTuple):
    """A drawn node: its attributes, and its texts in order."""

    attributes: dict[str, str]
    texts: tuple[Text, ...]

    @property
    def lines(self) -> list[str]:
        """The texts alone, without the spaces that keep them apart."""
        return [text.text.strip() for text in self.texts]


def boxes(dot: str) -> dict[str, Box]:
    """Return the drawn nodes by their id."""
    return {
        attributes["id"]: Box(attributes, tuple(_texts(attributes["label"], attributes["fillcolor"])))
        for _, attributes in _nodes(dot)
        if "id" in attributes
    }


def arrows(dot: str) -> dict[tuple[str, str], str]:
    """Return the text of each drawn arrow by (tail, head); one through invisible corners is one arrow."""
    corners = {name for name, attributes in _nodes(dot) if attributes.get("style") == "invis"}
    found = []
    for line in dot.splitlines():
        if match := _EDGE.match(line):
            tail, head, attributes = match[1].strip('"'), match[2].strip('"'), _attributes(match[3])
            if attributes.get("style") != "invis":
                ends = (head, tail) if attributes.get("dir") == "back" else (tail, head)
                found.append((*ends, attributes.get("label", "").strip()))
    while broken := next((arrow for arrow in found if arrow[1] in corners), None):
        rest = next(arrow for arrow in found if arrow[0] == broken[1])
        found.remove(broken)
        found.remove(rest)
        found.append((broken[0], rest[1], broken[2] or rest[2]))
    return {(tail, head): text for tail, head, text in found}


def arrow_widths(dot: str) -> dict[tuple[str, str], float]:
    """Return the width of each piece of an arrow by (tail, head)."""
    matches = filter(None, map(_EDGE.match, dot.splitlines()))
    drawn = ((match, _attributes(match[3])) for match in matches)
    return {
        (match[1].strip('"'), match[2].strip('"')): float(attributes["penwidth"])
        for match, attributes in drawn
        if "penwidth" in attributes
    }


def legend(dot: str) -> list[str]:
    """Return the texts at the foot of the picture."""
    return [
        text.text
        for line in dot.splitlines()
        if "labelloc=b" in line
        for text in _texts(_attributes(line)["label"], "")
    ]


def _nodes(dot: str) -> Iterator[tuple[str, dict[str, str]]]:
    for line in dot.splitlines():
        match = _NODE.match(line)
        if match and match[1] not in ("graph", "node", "edge"):
            yield match[1].strip('"'), _attributes(match[2])


def _attributes(text: str) -> dict[str, str]:
    text = text.strip().removeprefix("graph [").removesuffix("]")
    return {name: quoted or plain or html for name, quoted, plain, html in _ATTRIBUTE.findall(text)}


def _texts(label: str, ground: str) -> Iterator[Text]:
    """The label is well-formed XML; a cell without a colour shows what is under it."""

    def walk(element: ElementTree.Element, ground: str) -> Iterator[Text]:
        ground = element.get("BGCOLOR", ground)
        if element.tag == "FONT":
            yield Text("".join(element.itertext()), element.get("COLOR", ""), ground)
        for child in element:
            yield from walk(child, ground)

    return walk(ElementTree.fromstring(label), ground)
