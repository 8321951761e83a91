"""The notebook page of the documents runs as it is printed, step after step."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.data.datasets import load
from explorer.live import training
from explorer.training.plan import DatasetChoice

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "notebook.md").read_text("utf-8")
CELLS = re.findall(r"## (.+?)\n.*?```python\n(.*?)```", PAGE, re.DOTALL)


def test_it_has_the_five_steps_of_about_ten_lines() -> None:
    """Train, save, resume, predict, look inside."""
    assert [title for title, _ in CELLS] == ["Train", "Save", "Resume", "Predict", "Look inside"]
    assert all(len([line for line in code.splitlines() if line]) <= 11 for _, code in CELLS)


@pytest.mark.slow
def test_the_cells_run_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder; the resumed run ends, and its weights predict and explain an image."""
    # With fewer images and steps than are printed.
    whole = load(DatasetChoice(), tmp_path)
    few = replace(
        whole,
        train=whole.train[:128],
        train_labels=whole.train_labels[:128],
        test=whole.test[::40],
        test_labels=whole.test_labels[::40],
    )
    monkeypatch.setattr(training, "load", lambda data, folder: few)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for _, code in CELLS:
        exec(code.replace("amount=20", "amount=3").replace("event.step == 10", "event.step == 2"), names)
    assert (names["finished"].step, len(names["losses"])) == (3, 3)
    assert len(names["prediction"].classes) == 5
    assert (tmp_path / "heat.png").stat().st_size > 100
