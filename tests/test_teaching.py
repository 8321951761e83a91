"""docs/teaching.md: its table lists the lessons as they are, and its code runs as it says."""

import re
from pathlib import Path

from explorer.lessons.text import read
from explorer.ui.navigation import PAGES

TEXT = (Path(__file__).parent.parent / "docs" / "teaching.md").read_text(encoding="utf-8")


def test_every_lesson_is_listed_with_its_time() -> None:
    """In the order of the menu, under the name it has there."""
    rows = re.findall(r"^\| ([^|]+) \| (\d+) min \|", TEXT, re.MULTILINE)
    lessons = [(entry.title, read(Path(entry.file).stem).minutes) for entry in PAGES["Learn"]]
    assert [(title, int(minutes)) for title, minutes in rows] == lessons


def test_the_code_runs_and_gives_what_it_says() -> None:
    """The block is run as it stands, and the numbers in its comment are those of the line before it."""
    code = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]
    names: dict[str, object] = {}
    exec(code, names)
    line, told = re.search(r"^(direct.*?)  # (.*)$", code, re.MULTILINE).groups()
    assert eval(line, names) == tuple(int(number) for number in told.split(", "))
    assert len(names["report"].runs) == 6
