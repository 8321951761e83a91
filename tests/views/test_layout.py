"""The layout uses the Graphviz of the machine or pip's, and reports if there is none; its SVG is safe and plain."""

import re
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from xml.etree import ElementTree

import pytest

from explorer import PRESETS, summarize
from explorer.analysis import NetworkSummary
from explorer.config import InceptionModule
from explorer.views import diagrams, fonts, layout

PAPER = summarize(PRESETS["paper"])
DOT_PROGRAM = shutil.which("dot") or Path(sysconfig.get_path("scripts"), "graphviz-pure")
SVG = "{http://www.w3.org/2000/svg}"
DOT = 'digraph { a [id="one" class="box"]; b; a -> b [label="512 × 14 × 14"] }'


@pytest.fixture(autouse=True)
def _fresh():
    """Clear what other tests have cached."""
    layout.svg.cache_clear()


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Set PATH to one empty folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def program(path, body):
    """Put a program called ``dot`` into a folder."""
    file = path / "dot"
    file.write_text(f"#!{sys.executable}\n{body}", "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def groups(svg, kind):
    """Return the groups of a class in an SVG, by id."""
    return {
        group.get("id"): group
        for group in ElementTree.fromstring(svg).iter(f"{SVG}g")
        if kind in group.get("class", "").split()
    }


def test_it_works_without_a_system_graphviz(path):
    """With a PATH that has no dot, the one that pip installs draws the diagram."""
    assert shutil.which("dot") is None
    drawn = layout.svg(diagrams.overview(PAPER).dot)
    assert {"stem", "inception_3a", "pool3", "aux_4a", "classifier"} <= set(groups(drawn, "node"))


def test_with_a_system_graphviz_alone_every_box_is_drawn(path, monkeypatch):
    """A real dot on the PATH draws the same boxes, alone. Where there is none, pip's is used in its place."""
    (path / "dot").symlink_to(DOT_PROGRAM)
    monkeypatch.setattr(layout.sysconfig, "get_path", lambda _: str(path / "nowhere"))
    drawing = diagrams.overview(PAPER)
    assert set(drawing.hover) <= set(groups(layout.svg(drawing.dot), "node"))


def test_a_system_graphviz_comes_first(path):
    """Where there is a dot on the PATH it is used, with the DOT on its input and no shell."""
    drawn = '<svg xmlns="http://www.w3.org/2000/svg"><g id="mine" class="node"/></svg>'
    program(path, f"import sys; assert sys.argv[1:] == ['-Tsvg'] and 'digraph' in sys.stdin.read(); print('{drawn}')")
    assert {"mine"} == set(groups(layout.svg(DOT), "node"))


@pytest.mark.parametrize("body", ["raise SystemExit(1)", "print('no picture')", "import time; time.sleep(60)"])
def test_a_broken_system_graphviz_is_skipped(path, monkeypatch, body):
    """If one fails, writes no SVG or hangs, the next is used."""
    run = subprocess.run
    monkeypatch.setattr(  # no waiting for the one that hangs, and time enough for the next
        layout.subprocess,
        "run",
        lambda command, timeout, **options: run(
            command, timeout=0.1 if command[0] == str(path / "dot") and "sleep" in body else timeout, **options
        ),
    )
    program(path, body)
    assert "one" in groups(layout.svg(DOT), "node")


def test_without_any_graphviz_the_error_names_the_package(path, monkeypatch):
    """The message says what to install."""
    monkeypatch.setattr(layout.sysconfig, "get_path", lambda _: str(path))
    with pytest.raises(layout.LayoutUnavailableError, match=r"Graphviz is missing.*graphviz-pure"):
        layout.svg(DOT)


def test_an_error_of_graphviz_is_in_the_message():
    """DOT that cannot be drawn raises it."""
    with pytest.raises(layout.LayoutUnavailableError, match="could not draw"):
        layout.svg("digraph {")


def test_the_same_dot_gives_the_same_svg_and_is_drawn_once():
    """The layout is repeatable and cached by the DOT."""
    dot = diagrams.module(PAPER, "4a").dot
    first = layout.svg(dot)
    assert first is layout.svg(dot)
    layout.svg.cache_clear()
    assert first == layout.svg(dot)
    assert layout.svg.cache_info().maxsize


def test_the_svg_is_plain():
    """Only drawing elements remain: no script, link, style, tooltip or address."""
    hostile = """digraph {
        graph [tooltip="tip" URL="https://example.com" stylesheet="https://example.com/a.css"]
        a [URL="javascript:alert(1)" tooltip="<script>alert(1)</script>" fillcolor="url(#x)" image="x.png"]
        b [label="<script>alert(1)</script>" id="b\\" onclick=\\"alert(1)" target="_blank"]
        a -> b [edgeURL="https://example.com" edgetooltip="tip"]
    }"""
    drawn = layout.svg(hostile)
    root = ElementTree.fromstring(drawn)
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "g", "path", "polygon", "polyline", "ellipse", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not any("href" in name or name.startswith("on") or name == "style" for name in attributes)
    assert "<script" not in drawn
    assert "example.com" not in drawn
    assert "<!" not in drawn


def test_texts_are_centred_in_their_cells(path):
    """Where Graphviz puts a text depends on the fonts it knows; we move it to the middle of its cell."""
    cell = '<polygon fill="{0}" stroke="{0}" points="10,-20 10,-40 50,-40 50,-20 10,-20"/>'
    text = '<text text-anchor="start" x="3" y="-1" font-family="Times,serif" font-size="10.00">four</text>'
    nodes = "".join(f"<g>{cell.format(fill)}{text}</g>" for fill in ("none", "transparent"))
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg">{nodes}</svg>'
    program(path, f"print({drawn!r})")
    root = ElementTree.fromstring(layout.svg(DOT))
    assert not list(root.iter(f"{SVG}polygon"))
    assert [("middle", 30, -30 + 3.3)] * 2 == [
        (text.get("text-anchor"), float(text.get("x")), float(text.get("y"))) for text in root.iter(f"{SVG}text")
    ]
    assert root.get("font-family").startswith(f"'{fonts.FAMILY}'")


def test_bold_and_plain_text_of_a_line_have_one_baseline():
    """The name and the shape of a concatenation are on one line, side by side."""
    concat = groups(layout.svg(diagrams.module(PAPER, "4a").dot), "concat")["inception_4a.concat"]
    name, shape = (text for text in concat.iter(f"{SVG}text") if text.text in ("concat", "512 × 14 × 14"))
    assert name.get("font-weight") == "bold"
    assert name.get("y") == shape.get("y")
    centres = float(shape.get("x")) - float(name.get("x"))
    widths = fonts.width("concat", 14, bold=True) + fonts.width("512 × 14 × 14", 14)
    assert centres == pytest.approx(widths / 2 + 8, abs=1)


@pytest.mark.parametrize("preset", ["paper", "naive", "two_3x3", "half"])
def test_the_arrows_of_a_module_are_straight(path, preset):
    """Each branch is a column: no arrow deviates from the vertical by half a point."""
    summary = summarize(PRESETS[preset])
    for module in summary.config.modules:
        for arrow in groups(layout.svg(diagrams.module(summary, module.name).dot), "edge").values():
            across = [float(x) for x in re.findall(r"(-?[\d.]+),", arrow.find(f"{SVG}path").get("d"))]
            assert max(across) - min(across) < 0.5


HOSTILE = (
    '"]; evil [label="x',
    "<script>alert(1)</script>",
    "</TD></TABLE>>]",
    "javascript:alert(1)",
    "one\ntwo",
    "\\N\\",
    "&amp;",
    "]]>",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name):
    """Names cannot be hostile by type; if one were, it would appear as text and add no box."""
    hostile = InceptionModule.model_construct(**(dict(PRESETS["paper"].modules[0]) | {"name": name}))
    config = PRESETS["paper"].model_copy(update={"modules": (hostile, *PRESETS["paper"].modules[1:])})
    rows = tuple(
        row._replace(module=name, path=row.path.replace("inception_3a", name)) if row.module == "3a" else row
        for row in PAPER.rows
    )
    drawn = layout.svg(diagrams.overview(NetworkSummary(config, rows)).dot)
    nodes, expected = groups(drawn, "node"), groups(layout.svg(diagrams.overview(PAPER).dot), "node")
    assert len(expected) == len(nodes)
    texts = [re.sub(r"\s+", " ", text.text) for text in ElementTree.fromstring(drawn).iter(f"{SVG}text")]
    assert re.sub(r"\s+", " ", name) in texts
