"""10,000 hostile names in source, DOT, HTML and CSV: parsing the output checks them."""

import ast
import csv
import io
import random
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from graphviz import Digraph
from graphviz import escape as escape_dot

from explorer import PRESETS, summarize
from explorer.comparison import Comparison
from explorer.export.source import to_source
from explorer.history import Version
from explorer.shelf import ShelfError, validate_name
from explorer.views import boxes, comparison_tables, tables
from explorer.views.handout import network_handout
from explorer.views.palette import LIGHT

COUNT = 10_000
MINI = Version("mini", PRESETS["mini"])
SUMMARY = summarize(MINI.config)
COMPARISON = Comparison((SUMMARY, SUMMARY))
# A graph of one node with two attributes; the second is a word or one quoted string, in which \\ takes the next sign.
DOT = re.compile(r'digraph \{\n\tn \[label=(<.*>) id=(?:[A-Za-z0-9_.-]+\n?|"(?:[^"\\]|\\.)*")\]\n\}\n', re.DOTALL)
PIECES = (
    *("<script>alert(1)</script>", "</style>", "<img src=x onerror=alert(1)>", "<!--", "]]>", "&lt;", "&#60;", "&amp;"),
    *(
        '"',
        "'",
        "`",
        '"""',
        "'''",
        "\\",
        "\\n",
        "\\\\",
        "\n",
        "\r",
        "\t",
        "\x00",
        "\x0b",
        "\x1b[31m",
        "\u2028",
        "\u202e",
    ),
    *(
        "=cmd|' /C calc'!A0",
        "=1+1",
        "+1",
        "-1",
        "@SUM(1)",
        "＝1",
        "\t=1",
        ",",
        ";",
        "|",
        "#",
        "%",
        "$",
        "{}",
        "{0}",
        "%s",
    ),
    *("__import__('os').system('x')", "\nimport os", '"""\nimport os\n"""', "');import os;('", "#\nimport os", "NAME"),
    *("}", "]", ";", "->", "--", 'label="x"', "URL=javascript:alert(1)", "\\L", "\\N", "\\G", "<B>", "</TABLE>", "<"),
    *("a", "Z9_", "é", "数", "😀", "\u0301", " ", "\ud800", "\ufeff", "x" * 40, "javascript:", "style=", "on="),
)


def names() -> list[str]:
    """Return the names: each piece alone, then mixtures, the same in every run."""
    rng = random.Random(0)
    mixed = ("".join(rng.choices(PIECES, k=rng.randint(1, 5))) for _ in range(COUNT - len(PIECES)))
    return [*PIECES, *mixed]


def flat(text: str) -> str:
    """Return a text as our tables show it: unprintable characters as spaces."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


class Outline(HTMLParser):
    """The tags and attribute names of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag."""
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_data(self, data: str) -> None:
        """Record a text."""
        self.text += data

    def handle_comment(self, data: str) -> None:
        """Expect none of these."""
        raise AssertionError(data)


@pytest.mark.slow
def test_source() -> None:
    """The file always parses to the same tree but for two strings, which are the name and the note."""
    plain = ast.parse(to_source(MINI))

    def shape(tree: ast.Module) -> str:
        return ast.dump(ast.Module([node for node in tree.body if not isinstance(node, ast.Assign)], []))

    expected, head = shape(plain), to_source(MINI, "x").split("NAME = ")[0]
    for count, name in enumerate(names()):
        text = to_source(MINI, name, name) if count < 50 else f"{head}NAME = {name!r}\nNOTE = {name!r}\n"
        tree = ast.parse(text)
        assigned = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
        assert {key: ast.literal_eval(value) for key, value in assigned.items()} == {"NAME": name, "NOTE": name}
        if count < 50:
            assert shape(tree) == expected


@pytest.mark.slow
def test_html() -> None:
    """The page has the same tags and attributes with every name, and shows the name."""
    expected = Outline(comparison_tables.totals_html(COMPARISON, ["a", "b"], LIGHT)).tags
    table = Outline(tables.to_html([{"a": "b"}])).tags
    for count, name in enumerate(names()):
        if count < 1_000:
            page = Outline(comparison_tables.totals_html(COMPARISON, [name, "b"], LIGHT))
            assert page.tags == expected
        cells = [tag for tag in Outline(tables.to_html([{name: name}])).tags if tag != ("wbr",)]  # after a dot
        assert cells in (table, [(*tag, "class") if tag[0] in ("td", "th") else tag for tag in table])


@pytest.mark.slow
def test_handout() -> None:
    """The same for the whole page, with the name as its title and the note."""
    expected = Outline(network_handout(MINI, SUMMARY, "a", "a")).tags
    for name in PIECES:
        if flat(name).strip():
            assert Outline(network_handout(MINI, SUMMARY, name, name)).tags == expected


def test_csv() -> None:
    """Every line has its cells, and no cell is a formula."""
    for name in names():
        read = csv.reader(
            io.StringIO(tables.to_csv([{"name": name, "n": 1, name + "x": name}]).removeprefix("\ufeff"), "")
        )
        rows = list(read)
        assert [len(row) for row in rows] == [3, 3]
        assert not any(cell[:1] in "=+-@\t\r\n＝＋－＠" for row in rows for cell in row if cell)
        assert rows[1][0] in (flat(name), f"'{flat(name)}")


@pytest.mark.slow
def test_dot() -> None:
    """In a label a name is text between tags of ours, well formed; as an id it is one quoted string."""
    for name in names():
        if "\ud800" in name or not name:
            continue
        label = boxes.lines(boxes.Line(flat(name)))
        parsed = ElementTree.fromstring(label[1:-1])
        assert {element.tag for element in parsed.iter()} <= {"TABLE", "TR", "TD", "FONT"}
        assert "".join(parsed.itertext()).replace("\\", "") == flat(name).replace("\\", "")  # they are doubled
        graph = Digraph()
        graph.node("n", label=label, id=escape_dot(name))
        assert DOT.fullmatch(graph.source).group(1) == label


def test_the_shelf_refuses_all_of_them() -> None:
    """A name with anything but letters, digits and _ is refused."""
    for name in names():
        try:
            taken = validate_name(name, ())
        except ShelfError:
            continue
        assert taken.isidentifier()
        assert taken.isascii()


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: ascii(piece[:20]))
def test_latex_and_markdown(piece: str) -> None:
    """Each name stays in its cell."""
    latex = tables.to_latex([{"a": piece, "b": "x"}], piece)
    body = [line for line in latex.splitlines() if line.endswith("& x \\\\")]
    assert len(body) == 1
    assert len(latex.splitlines()) == 11
    assert len(tables.to_markdown([{"a": piece, "b": "x"}]).splitlines()) == 3
