"""The documents are held to the code: an undocumented preset, page or room fails here."""

import re
from pathlib import Path

import pytest

from explorer import CATALOGUE
from explorer.ui.navigation import PAGES
from explorer.views import formatting as fmt

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text("utf-8")


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_readme_has_every_preset_with_its_totals(name: str) -> None:
    """Each line of the table of networks is that preset's numbers."""
    preset = CATALOGUE[name]
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {name} |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")][2:]
    assert [fmt.exact(preset.parameters), fmt.exact(preset.parameters_with_aux), fmt.short(preset.macs)] == cells


@pytest.mark.parametrize("entry", [entry for entries in PAGES.values() for entry in entries], ids=lambda e: e.file)
def test_the_readme_speaks_of_every_page(entry: object) -> None:
    """A page that exists is described, under its own title."""
    assert f"**{entry.title}**" in README


def test_the_pages_are_those_on_disk() -> None:
    """No page is without an entry, no entry without a page."""
    on_disk = {str(path.relative_to(ROOT / "pages")) for path in (ROOT / "pages").rglob("*.py")}
    assert {entry.file for entries in PAGES.values() for entry in entries} == on_disk


def test_the_architecture_names_every_room() -> None:
    """Each module of the core and each folder has its line."""
    explorer = ROOT / "explorer"
    modules = {f"explorer/{path.name}" for path in explorer.glob("*.py")} - {"explorer/__init__.py"}
    folders = {f"explorer/{path.parent.name}/" for path in explorer.glob("*/__init__.py")}
    named = set(re.findall(r"`(explorer/[\w/]+(?:\.py)?)`", ARCHITECTURE))
    assert set() == (modules | folders) - named


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/architecture.md"])
def test_every_link_between_the_documents_leads_somewhere(document: str) -> None:
    """A relative link names a file that exists."""
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert ((ROOT / document).parent / target).exists(), target
