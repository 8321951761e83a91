"""The words of the project (CONTRIBUTING.md): standard terms in names, plain modern English in texts.

``python -m tests.test_words [PATH ...]`` lists every offender as ``file:line: word: where it is used``; without a
path it reads what the tests below read.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
CODE = ("explorer", "pages", "streamlit_app.py")
TEXTS = ("assets/lessons", "README.md", "CONTRIBUTING.md", "docs")
SCRIPTS = ("assets",)

# Parts of names, however a name is spelt (snake_case, CamelCase). Names that begin with is, has or was may use them.
DISMISSED_NAMES = """
    told said says judge judged judges judgement kept noted asked wanted wish wished wishes overdue brought spoken
    lane lanes entrant entrants looker lookers bringer bringers taker asker manners bench desk clock clocks book books
    dear dearer dearest anew whoever settle settled settles fold folded folds
    mine ours theirs fate fates heir heirs misfit misfits doctor climber
"""
NAMES = frozenset(DISMISSED_NAMES.split())

# Regular expressions for texts: string literals, docstrings, comments, lessons, documents.
PHRASES = (
    r"told",
    r"anew",
    r"whoever",
    r"wherein",
    r"dear(?:er|est)?",
    r"of itself",
    r"a look",
    r"which of them",
    r"the bench",
    r"the desk",
    r"it says",
    r"head on \w+ says",
    r"tak(?:e|es|en|ing|ers?)(?: (?:it|them|this|that|one))? away",
    r"what (?:the|a) network gets",
    r"what (?:the|a) channel wants",
    r"which branch matters",
    r"where it looked",
    r"how to read this",
    r"blind guess",
    r"one's own",
    r"bring(?:s|ing)? (?:your|their|its) own",
    r"manners",
    r"while training",
    r"vermilion (?:is|against)",
    r"lookers?",
    r"bringers?",
)
PATTERN = re.compile(rf"\b(?:{'|'.join(PHRASES)})\b", re.IGNORECASE)

# Names that a stored format fixes, by file, each with its reason. What a document or a table calls a field is no choice
# of ours once a user has a file with it.
STORED: dict[tuple[str, str], str] = {}


class Offender(NamedTuple):
    """One dismissed word: where it is, and the name or the line that uses it."""

    file: str
    line: int
    word: str
    context: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.word}: {self.context}"


def parts(name: str) -> list[str]:
    """Split a name into its words, in lower case: ``MyName_of2`` gives my, name, of."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def dismissed(name: str) -> list[str]:
    """Return the dismissed words in a name."""
    words = parts(name)
    return [] if words[:1] in (["is"], ["has"], ["was"]) else [word for word in words if word in NAMES]


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each name that a module defines."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)):
                yield node.lineno, name


def in_python(source: str, file: str) -> Iterator[Offender]:
    """Yield the dismissed words in the names, the strings and the comments of a Python module."""
    tree = ast.parse(source)
    for line, name in names(tree):
        for word in dismissed(name):
            if (file, name) not in STORED:
                yield Offender(file, line, word, name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from in_text(node.value, file, node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from in_text(token.string, file, token.start[0])


def in_script(source: str, file: str) -> Iterator[Offender]:
    """Yield the dismissed words in the declared names and in the text of a JavaScript file."""
    for number, line in enumerate(source.splitlines(), 1):
        for name in re.findall(r"\b(?:const|let|var|function|class)\s+(\w+)", line):
            for word in dismissed(name):
                yield Offender(file, number, word, name)
    yield from in_text(source, file, 1)


def in_text(text: str, file: str, first: int) -> Iterator[Offender]:
    """Yield the dismissed phrases in a text that begins at a line of a file; they may go over the end of a line."""
    for found in PATTERN.finditer(re.sub(r"\n(?=[^\n])", " ", text)):
        line = text.count("\n", 0, found.start())
        yield Offender(file, first + line, found[0].lower(), text.splitlines()[line].strip()[:120])


def offenders(*places: str) -> list[Offender]:
    """Return every dismissed word in some files and folders of the project."""
    found: list[Offender] = []
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.*")):
            name = file.relative_to(ROOT).as_posix()
            if file.suffix == ".py":
                found += in_python(file.read_text("utf-8"), name)
            elif file.suffix == ".js":
                found += in_script(file.read_text("utf-8"), name)
            elif file.suffix == ".md":
                found += in_text(file.read_text("utf-8"), name, 1)
    return found


@pytest.mark.parametrize("places", [CODE, SCRIPTS, TEXTS], ids=["code", "scripts", "texts"])
def test_no_dismissed_word_is_used(places: tuple[str, ...]) -> None:
    """Names, strings, comments, lessons and documents use the field's terms and plain English."""
    assert "" == "\n".join(str(offender) for offender in offenders(*places))


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def told(): ...", "told"),
        ("class KeptFile: ...", "kept"),
        ("def f(lane): ...", "lane"),
        ("def f(*, entrant_name=1): ...", "entrant"),
        ("wished = 1", "wished"),
        ("for judge in (): ...", "judge"),
        ("self.overdue = 1", "overdue"),
        ("bench: int", "bench"),
        ("import json as book", "book"),
        ("x = 'It says: cat'", "it says"),
        ("x = f'{1} told right'", "told"),
        ('"""Put it on\nthe bench."""', "the bench"),
        ("x = 1  # large kernels are dear", "dear"),
    ],
)
def test_a_dismissed_word_is_found(source: str, word: str) -> None:
    """However a module uses it."""
    assert [word] == [offender.word for offender in in_python(source, "x.py")]


@pytest.mark.parametrize(
    "source", ["is_kept = 1", "scaffold = 1", "x.said()", "x = 'a planet'", "bookmark = benchmark = 1"]
)
def test_other_words_are_allowed(source: str) -> None:
    """A truth may be a participle; a part of a word is no word; a name of another library is not ours."""
    assert [] == list(in_python(source, "x.py"))


def test_what_is_stored_is_still_there() -> None:
    """An exception that nothing needs any more is taken out of the list."""
    used = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in (ROOT / "explorer").rglob("*.py")
        for _, name in names(ast.parse(file.read_text("utf-8")))
    }
    assert set() == set(STORED) - used


if __name__ == "__main__":
    print(*offenders(*(sys.argv[1:] or (*CODE, *SCRIPTS, *TEXTS))), sep="\n")
