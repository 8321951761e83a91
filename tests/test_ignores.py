"""What the checkers of style and types are told to ignore: each place names a rule and its reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MARK = re.compile(r"#\s*(?:type:\s*ignore|noqa)\b.*")
ALLOWED = re.compile(r"# (?:type: ignore\[[\w, -]+\]  # |noqa: [A-Z]+\d+(?:, [A-Z]+\d+)*  # )\w.{8,}")


def ignores(root: Path) -> list[str]:
    """Return the comments in the application that ignore a rule."""
    files = [*root.glob("explorer/**/*.py"), *root.glob("pages/**/*.py"), *root.glob("*.py")]
    return [found for file in files for found in MARK.findall(file.read_text("utf-8"))]


def test_every_ignore_has_a_rule_and_a_reason() -> None:
    """As ``# type: ignore[rule]  # reason`` or ``# noqa: rule  # reason``."""
    found = ignores(ROOT)
    assert found
    assert [] == [comment for comment in found if not ALLOWED.fullmatch(comment)]


@pytest.mark.parametrize("comment", ["# type: ignore", "# type: ignore[attr-defined]", "# noqa", "# noqa: SIM118"])
def test_an_ignore_without_a_reason_is_found(tmp_path: Path, comment: str) -> None:
    """Or one for all rules."""
    (tmp_path / "app.py").write_text(f"x = 1  {comment}\n")
    assert not any(map(ALLOWED.fullmatch, ignores(tmp_path)))
    assert ignores(tmp_path) == [comment]
