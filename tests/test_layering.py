"""The walls between the rooms (docs/architecture.md): every import is read from the source and judged.

1. ``explorer/*.py``, ``lessons/`` and ``training/`` import only the standard library, pydantic and each other.
2. ``explorer/live/`` and the workers of runs and studies (``runs/worker.py``, ``search/worker.py``) load torch, and
   nothing else does. The screen and the command line (``cli.py``) import them inside the function that needs them;
   every other import is at the top.
3. ``live/``, ``data/``, ``jobs/``, ``runs/``, ``search/``, ``classroom/``, ``serving/`` and ``export/`` draw
   nothing: no plotly, graphviz, views or streamlit.
4. Only ``explorer/ui/``, ``pages/``, ``streamlit_app.py`` and ``class_app.py`` import streamlit; only they import
   ``explorer.ui``.
5. No ``*.py`` directly in ``pages/``; a page has at most 90 lines.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
MAX_PAGE_LINES = 90
TORCH = ("torch", "torchinfo", "explorer.live", "explorer.search.worker")  # whatever loads torch
SCREEN = ("ui", "pages", "app")
LAZY = (
    "tensorboardX",  # loads torch where it can; explorer/runs/export.py imports it so that it cannot
    "onnxruntime",  # optional (requirements-engines.txt), as the next
    "openvino",
    "explorer.classroom.store",  # loads SQLAlchemy, which only a class needs; as the next
    "explorer.serving",
    "ray",  # optional (requirements-cluster.txt)
)
ROOMS = (
    "data",
    "jobs",
    "export",
    "live",
    "views",
    "runs",
    "classroom",
    "serving",
    "search",
    "ui",
)  # those that need more than pydantic
WORKERS = (
    ("explorer", "runs", "worker.py"),
    ("explorer", "search", "worker.py"),
    ("explorer", "search", "ray_workers.py"),
)
COMMAND_LINE = tuple(
    ("explorer", f"{name}.py")
    for name in ("cli", "cli_errors", "cli_imports", "cli_networks", "cli_runs", "cli_search", "__main__")
)


class Import(NamedTuple):
    """One import in a source file: the full name of what is imported, and whether it runs with the file."""

    line: int
    name: str
    at_top: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Read all imports in a source text of a package; those for type checkers alone are left out, as none runs.

    ``from a import b`` is an import of ``a`` and of ``a.b``, as ``b`` may be a module.
    """

    def visit(node: ast.AST, at_top: bool) -> Iterator[Import]:
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            for child in node.orelse:
                yield from visit(child, at_top)
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, at_top)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join((*parents, base)).strip(".")
            yield Import(node.lineno, base, at_top)
            for alias in node.names:
                yield Import(node.lineno, f"{base}.{alias.name}", at_top)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"import_module", "__import__"}:
            names = [argument.value for argument in node.args[:1] if isinstance(argument, ast.Constant)]
            yield from (Import(node.lineno, str(name), at_top) for name in names)
        inside = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, at_top and not inside)

    yield from visit(ast.parse(source), True)


def room_of(path: Path) -> str:
    """Return a file's room: core, cli, worker, pages, app, or the folder's name in ``explorer/``."""
    parts = path.parts
    if parts in COMMAND_LINE:
        return "cli"
    if parts in WORKERS:
        return "worker"
    if parts[0] == "explorer":
        return "core" if len(parts) == 2 or parts[1] in ("lessons", "training") else parts[1]
    return "pages" if parts[0] == "pages" else "app"


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Say whether a name is one of these packages or stands in one of them."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def forbidden(room: str, found: Import) -> str | None:
    """Return the wall that an import breaks in a room, or None."""
    name = found.name
    if room == "core":
        own = within(name, ("explorer",)) and not within(name, tuple(f"explorer.{other}" for other in ROOMS))
        if not own and name.split(".")[0] not in (*sys.stdlib_module_names, "pydantic"):
            return "the core imports only the standard library, pydantic and itself"
    if room in ("views", "data", "jobs", "runs", "search", "export", "classroom", "serving") and within(name, TORCH):
        return "only live/ and the workers load torch"
    if room in ("live", "data", "jobs", "runs", "search", "worker", "export", "classroom", "serving") and within(
        name, ("plotly", "graphviz", "explorer.views")
    ):
        return f"{room}/ draws nothing"
    if room not in SCREEN and within(name, ("streamlit", "explorer.ui")):
        return "only ui/, pages/ and streamlit_app.py know the screen"
    if room in (*SCREEN, "cli") and found.at_top and within(name, TORCH):
        return "neither the first screen nor the help waits for torch: import it inside the function that needs it"
    if not found.at_top and not within(name, (*TORCH, *LAZY)):
        return "it loads no torch: import it at the top"
    return None


def breaches(root: Path) -> list[str]:
    """Return every breach of the walls in the sources under a folder, as file:line: name: wall."""
    found = []
    for path in sources(root):
        place = path.relative_to(root)
        package = ".".join(place.parts[:-1])
        for line, name, at_top in imports(path.read_text(), package):
            wall = forbidden(room_of(place), Import(line, name, at_top))
            if wall:
                found.append(f"{place}:{line}: {name}: {wall}")
    return found


def sources(root: Path) -> list[Path]:
    """Return the application's source files under a folder."""
    return sorted([*root.glob("explorer/**/*.py"), *root.glob("pages/**/*.py"), *root.glob("*_app.py")])


def test_no_import_breaks_a_wall() -> None:
    """Each room imports only what its walls allow."""
    assert [] == breaches(ROOT)


def test_the_walk_reaches_the_rooms() -> None:
    """The files that the walls are about are found."""
    found = {path.relative_to(ROOT).as_posix() for path in sources(ROOT)}
    assert {"explorer/config.py", "explorer/analysis.py", "explorer/live/model.py"} <= found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("explorer/config.py", "import torch"),
        ("explorer/config.py", "import numpy as np"),
        ("explorer/config.py", "import plotly.graph_objects as go"),
        ("explorer/config.py", "from pandas import DataFrame"),
        ("explorer/config.py", "def f():\n    import graphviz"),
        ("explorer/config.py", "from . import live"),
        ("explorer/config.py", "from .live.model import build_model"),
        ("explorer/config.py", "from explorer.views import figures"),
        ("explorer/lessons/reduction.py", "import torch"),
        ("explorer/lessons/reduction.py", "from ..live import model"),
        ("explorer/lessons/reduction.py", "import importlib\nimportlib.import_module('torch')"),
        ("explorer/live/model.py", "import plotly.express"),
        ("explorer/live/model.py", "from graphviz import Digraph"),
        ("explorer/live/model.py", "def f():\n    import streamlit as st"),
        ("explorer/live/model.py", "from explorer.ui.state import current"),
        ("explorer/views/figures.py", "import torch"),
        ("explorer/views/figures.py", "def f():\n    from torch import nn"),
        ("explorer/views/figures.py", "from explorer.live.trace import LiveRow"),
        ("explorer/views/figures.py", "from streamlit.runtime import exists"),
        ("explorer/runs/store.py", "try:\n    import streamlit\nexcept ImportError:\n    streamlit = None"),
        ("explorer/runs/store.py", "from explorer import ui"),
        ("explorer/runs/manager.py", "def f():\n    from explorer.live.training import train"),
        ("explorer/runs/worker.py", "import streamlit"),
        ("explorer/runs/worker.py", "def f():\n    import resource"),
        ("explorer/classroom/store.py", "import streamlit"),
        ("explorer/serving/limits.py", "import streamlit"),
        ("explorer/classroom/store.py", "from explorer.views import formatting"),
        ("explorer/live/attribution.py", "def f():\n    from captum.attr import Occlusion"),
        ("explorer/cli.py", "def f():\n    from explorer.views import tables"),
        ("explorer/runs/export.py", "from explorer.views import formatting"),
        ("explorer/ui/cache.py", "from explorer.live.model import build_model"),
        ("explorer/ui/cache.py", "from explorer import live"),
        ("explorer/ui/cache.py", "if True:\n    import torch"),
        ("explorer/ui/cache.py", "class C:\n    import torchinfo"),
        ("pages/explore/network.py", "import explorer.live.model"),
        ("streamlit_app.py", "__import__('torch')"),
        ("streamlit_app.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import torch"),
    ],
)
def test_a_planted_breach_is_found(tmp_path: Path, file: str, source: str) -> None:
    """An import that breaks a wall is found where it stands, however it is written."""
    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f'"""A room."""\n\n{source}\n')
    found = breaches(tmp_path)
    assert found
    assert all(breach.startswith(f"{file}:") for breach in found)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("explorer/config.py", "import json\nfrom pydantic import BaseModel\nfrom explorer.presets import PRESETS"),
        ("explorer/config.py", "from __future__ import annotations\nfrom .lessons import reduction"),
        ("explorer/config.py", '"""import torch"""\n# import torch'),
        ("explorer/live/model.py", "import torch\nfrom explorer import problems"),
        (
            "explorer/views/figures.py",
            "import plotly.graph_objects as go\nimport graphviz\nfrom explorer import LayerRow",
        ),
        ("explorer/views/figures.py", "if TYPE_CHECKING:\n    from explorer.live.trace import LiveRow"),
        ("explorer/runs/worker.py", "import torch\nfrom explorer.live.model import build_model"),
        ("explorer/ui/cache.py", "import streamlit as st\n\ndef f():\n    from explorer.live.model import build_model"),
        ("pages/explore/network.py", "from explorer.ui import editor\n\ndef f():\n    import torch"),
        ("streamlit_app.py", "import streamlit as st\nfrom explorer.ui import frame"),
    ],
)
def test_what_the_walls_allow_is_no_breach(tmp_path: Path, file: str, source: str) -> None:
    """An import that a room may have is not called a breach."""
    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(f"{source}\n")
    assert [] == breaches(tmp_path)


def loaded_by(*statements: str) -> list[set[str]]:
    """Return the top-level modules that one fresh interpreter holds after each of these statements, in turn."""
    code = "import sys\n" + "\n".join(
        f"{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))" for statement in statements
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return [set(line.split()) for line in run.stdout.splitlines()]


HEAVY = {"torch", "torchinfo", "streamlit", "pandas", "numpy", "plotly", "graphviz", "scipy"}


@pytest.mark.slow
def test_importing_loads_only_what_a_room_needs() -> None:
    """The core loads pydantic alone, no room but live/ and the worker loads torch, and the live network does."""
    modules: dict[str, list[str]] = {}
    for path in sources(ROOT):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        if name.startswith("explorer.") and not name.endswith("__"):
            modules.setdefault(room_of(path.relative_to(ROOT)), []).append(name)
    without_screen = [
        name
        for room in ("data", "jobs", "runs", "search", "export", "views", "classroom", "serving", "cli")
        for name in modules[room]
    ]
    steps = [modules["core"], without_screen, modules["ui"], ["explorer.live.model"]]
    core, plain, screen, live = loaded_by(*("\n".join(f"import {name}" for name in step) for step in steps))
    assert "pydantic" in core
    assert set() == core & HEAVY
    assert set() == plain & {"torch", "torchinfo", "streamlit"}
    assert "streamlit" in screen
    assert set() == screen & {"torch", "torchinfo"}
    assert "torch" in live  # so the assertions above can fail


MAX_CHAIN = 12  # modules


def chains(root: Path) -> dict[str, tuple[str, ...]]:
    """Return the longest chain of imports at the top of the files that starts at each module."""
    files = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in sources(root)
    }
    needs = {
        name: {found.name for found in imports(path.read_text(), name.rpartition(".")[0]) if found.at_top} & set(files)
        for name, path in files.items()
    }
    packages = {name for name, path in files.items() if path.name == "__init__.py"}
    known: dict[str, tuple[str, ...]] = {}

    def chain(name: str) -> tuple[str, ...]:
        if name not in known:
            known[name] = (name, *max(map(chain, sorted(needs[name] - packages - {name})), key=len, default=()))
        return known[name]

    return {name: chain(name) for name in files}


def test_no_chain_of_imports_is_long() -> None:
    """From a page to the core it takes at most twelve modules."""
    longest = max(chains(ROOT).values(), key=len)
    assert len(longest) <= MAX_CHAIN, " > ".join(longest)


def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    """Each import at the top is a link, one inside a function is none."""
    for name, source in {
        "streamlit_app.py": "from explorer import b",
        "explorer/a.py": "",
        "explorer/b.py": "from explorer import a\n\ndef f():\n    from explorer import c",
        "explorer/c.py": "import explorer.b",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(source)
    assert chains(tmp_path)["explorer.c"] == ("explorer.c", "explorer.b", "explorer.a")
    assert chains(tmp_path)["streamlit_app"] == ("streamlit_app", "explorer.b", "explorer.a")


def test_no_page_stands_directly_in_pages() -> None:
    """Streamlit's old discovery would run a file directly in pages/ without the frame."""
    assert [] == list(ROOT.glob("pages/*.py"))


def test_pages_are_thin() -> None:
    """A page reads state, calls the core and draws: at most 90 lines."""
    lengths = {str(page.relative_to(ROOT)): page.read_text().count("\n") for page in ROOT.glob("pages/**/*.py")}
    assert {} == {page: lines for page, lines in lengths.items() if lines > MAX_PAGE_LINES}


def test_no_table_on_screen_says_none() -> None:
    """Streamlit writes None into a cell without a value; each table says what to write instead."""
    for path in (ROOT / "explorer" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("st.dataframe", "st.data_editor"):
                assert "placeholder" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
