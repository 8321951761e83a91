"""docs/teaching.md: its table lists the lessons, and its code gives the results in its comments."""

import re
from pathlib import Path

import pytest

from explorer.lessons.text import read
from explorer.ui.navigation import PAGES

TEXT = (Path(__file__).parent.parent / "docs" / "teaching.md").read_text(encoding="utf-8")


def test_every_lesson_is_listed_with_its_time() -> None:
    """The lessons are in the order and under the names of the menu."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+) min \|", TEXT, re.MULTILINE)
    lessons = [(entry.title, read(Path(entry.file).stem).minutes) for entry in PAGES["Learn"]]
    assert [(title, int(minutes)) for title, minutes in rows] == lessons


@pytest.mark.slow
def test_the_code_gives_the_documented_results() -> None:
    """The code block runs unchanged, and the numbers in its comment are those of the line before it."""
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    names: dict[str, object] = {}
    exec(code, names)
    line, comment = re.search(r"^(direct.*?)  # (.*)$", code, re.MULTILINE).groups()
    assert eval(line, names) == tuple(int(number) for number in comment.split(", "))
    assert len(names["report"].runs) == 6
