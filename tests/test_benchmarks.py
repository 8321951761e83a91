"""The page of benchmarks: sections of groups, of which one run replaces only its own."""

from pathlib import Path

import pytest
import torch

from benchmarks.document import machine, write_page
from benchmarks.report import Measurement

TITLES = {"speed": "How fast it is.", "memory": "How large it is."}


def test_a_run_replaces_only_its_own_sections(tmp_path: Path) -> None:
    """The others stay, in the order of the groups; each value has its bound and whether it holds."""
    path = tmp_path / "benchmarks.md"
    write_page({"memory": [Measurement("a | b", 12_345.0, "MB", maximum=1)]}, TITLES, path)
    write_page({"speed": [Measurement("first", 1.0)]}, TITLES, path)
    write_page({"speed": [Measurement("second", 2.345, minimum=2)]}, TITLES, path)
    text = path.read_text("utf-8")
    assert "first" not in text
    assert text.index("| second | 2.35 × | at least 2 | holds |") < text.index(
        "| a \\| b | 12,345 MB | at most 1 | **fails** |"
    )
    assert text.count("How fast it is.") == text.count("How large it is.") == 1
    assert text.count(machine()) == 2


def test_without_a_gpu_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes values of a CPU for those of a GPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    path = tmp_path / "benchmarks.md"
    write_page({}, TITLES, path)
    assert "No GPU has been tried" in path.read_text("utf-8")
