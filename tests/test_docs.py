"""The documents are held to the code: an undocumented preset, page or room fails here."""

import ast
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from explorer import CATALOGUE
from explorer.cli import app
from explorer.ui.navigation import CLASS_PAGES, PAGES
from explorer.views import formatting as fmt

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
ENTRIES = [*(entry for entries in PAGES.values() for entry in entries), *CLASS_PAGES]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_readme_has_every_preset_with_its_totals(name: str) -> None:
    """Each line of the table of networks is that preset's numbers."""
    preset = CATALOGUE[name]
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {name} |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")][2:]
    assert [fmt.exact(preset.parameters), fmt.exact(preset.parameters_with_aux), fmt.short(preset.macs)] == cells


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.file)
def test_the_readme_speaks_of_every_page(entry: object) -> None:
    """A page that exists is described, under its own title."""
    assert f"**{entry.title}**" in README


def test_the_pages_are_those_on_disk() -> None:
    """No page is without an entry, no entry without a page."""
    on_disk = {str(path.relative_to(ROOT / "pages")) for path in (ROOT / "pages").rglob("*.py")}
    assert {entry.file for entry in ENTRIES} == on_disk


def test_the_architecture_names_every_room() -> None:
    """Each module of the core and each folder has its line in a table."""
    explorer = ROOT / "explorer"
    modules = {path.stem for path in explorer.glob("*.py")} - {"__init__", "__main__"}
    folders = {f"explorer/{path.parent.name}/" for path in explorer.glob("*/__init__.py")}
    named = set(re.findall(r"^\| `([\w/]+)`", ARCHITECTURE, re.MULTILINE))
    assert set() == (modules | folders) - named


WAYS = {"An edit": 18, "An image": 20, "A run": 22}  # files at most


@pytest.mark.parametrize("way", WAYS)
def test_a_way_through_the_code_is_short_and_connected(way: str) -> None:
    """Each file exists, and one of the others imports it, starts it as a process or reads it as a script."""
    (paragraph,) = re.findall(rf"\*\*{way}, from.*?\*\*\n\n(.*?)\n\n", ARCHITECTURE, re.DOTALL)
    files = re.findall(r"`([\w/.]+)`", paragraph)
    assert 10 <= len(files) == len(set(files)) <= WAYS[way]
    sources = {file: (ROOT / file).read_text("utf-8") for file in files}
    for file in files[1:]:
        path = Path(file)
        names = rf"\b{path.stem}\b" if path.suffix == ".py" else path.name.replace(".", r"\.") + f"|{path.parent.name}"
        others = "\n".join(source for other, source in sources.items() if other != file)
        assert re.search(names, others), file


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/security.md"])
def test_every_link_between_the_documents_leads_somewhere(document: str) -> None:
    """A relative link names a file that exists."""
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target


COMMANDS = [
    "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt && .venv/bin/streamlit run streamlit_app.py",
    "python3 -m venv .venv && .venv/bin/pip install -r requirements-dev.txt && .venv/bin/pytest",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_runs_and_tests_by_one_command_each(command: str) -> None:
    """Whoever copies the line has everything."""
    assert f"\n```sh\n{command}\n```\n" in README


def test_the_readme_calls_no_other_python() -> None:
    """Every command runs in the environment that the first one made."""
    commands = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    assert all(line.startswith((".venv/bin/", "python3 -m venv .venv && ")) for line in commands)


def test_the_server_watches_files_only_for_a_developer_who_asks() -> None:
    """The README's command watches nothing; CONTRIBUTING has the option that turns the watcher on."""
    server = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    assert server["fileWatcherType"] == "none"
    assert "fileWatcherType" not in README
    assert "streamlit run streamlit_app.py --server.fileWatcherType auto" in (ROOT / "CONTRIBUTING.md").read_text()


@pytest.mark.slow
def test_the_readme_python_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its blocks, one after the other in one program: the library, and a training that finishes."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), namespace)
    assert namespace["summary"].config == namespace["config"]
    assert "kind='finished'" in capsys.readouterr().out


@pytest.mark.slow
def test_the_readme_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the command line, as a user types them; the exported code is Python."""
    monkeypatch.chdir(tmp_path)
    start = ".venv/bin/python -m explorer "
    commands = [line.removeprefix(start) for line in README.splitlines() if line.startswith(start)]
    assert commands
    for command in commands:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, result.output
    ast.parse((tmp_path / "googlenet.py").read_text("utf-8"))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.file)
def test_the_changelog_has_every_page(entry: object) -> None:
    """What is new is told."""
    assert entry.title.lower().rstrip("?") in CHANGELOG.lower()


def test_the_markers_are_documented() -> None:
    """Each marker of the tests has its reason where contributors look, and the quick round leaves the long ones out."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    assert {"gpu", "browser", "slow"} == {marker.partition(":")[0] for marker in settings["markers"]}
    assert "--strict-markers" in settings["addopts"]
    for document in (README, contributing):
        assert '`pytest -m "not slow and not browser"`' in document.replace("\n  ", " ")
    assert "`slow`" in contributing


DISTRIBUTIONS = {"PIL": "pillow", "fontTools": "fonttools", "sqlalchemy": "SQLAlchemy"}  # where the name differs


def test_what_is_imported_is_pinned() -> None:
    """Each package that the app imports itself has its exact version in requirements.txt, or in an optional file."""
    files = [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py"]
    trees = (ast.parse(file.read_text("utf-8")) for file in files)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - {"explorer"}
    requirements = (ROOT / f"requirements{optional}.txt" for optional in ("", "-engines", "-cluster"))
    texts = "\n".join(path.read_text("utf-8") for path in requirements)
    pinned = set(re.findall(r"^([\w-]+)==[\d.]+$", texts, re.MULTILINE))
    assert set() == {DISTRIBUTIONS.get(package, package) for package in packages} - pinned
