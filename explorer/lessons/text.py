"""The text of a lesson as a teacher edits it: Markdown with a short front matter and placeholders for live parts.

::

    ---
    title: The 1×1 convolution
    goal: …
    minutes: 10
    ---
    Some text.

    <!-- live: bars -->

    More text.

``live`` puts the part beside the preceding text, ``wide`` below it. The part ``predict`` is the opening question. What
stands after it may give its answer, so a reader sees that only after answering or skipping the question.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

from explorer.errors import UserError
from explorer.paths import ASSETS

FOLDER = ASSETS / "lessons"
PREDICTION = "predict"  # the part with the opening question
_PLACEHOLDER = re.compile(r"^<!-- (live|wide): ([a-z_]+) -->$", re.MULTILINE)


class Block(NamedTuple):
    """A piece of Markdown, or the name of a live part that goes beside the text (``live``) or below it (``wide``)."""

    kind: Literal["text", "live", "wide"]
    content: str


class LessonText(NamedTuple):
    """One lesson: its title, its goal, its duration in minutes, and its blocks in order."""

    name: str
    title: str
    goal: str
    minutes: int
    blocks: tuple[Block, ...]

    @property
    def live(self) -> tuple[str, ...]:
        """The names of the live parts, in order."""
        return tuple(block.content for block in self.blocks if block.kind != "text")

    @property
    def opening(self) -> tuple[Block, ...]:
        """The blocks up to the opening question; all of them if there is none."""
        parts = ["" if block.kind == "text" else block.content for block in self.blocks]
        return self.blocks[: parts.index(PREDICTION) + 1] if PREDICTION in parts else self.blocks


class LessonError(UserError, ValueError):
    """A lesson's file cannot be read; the message says what is wrong with it."""


def read(name: str) -> LessonText:
    """Return a lesson from ``assets/lessons``, and read it again when its file changes. Raises LessonError."""
    path = FOLDER / f"{name}.md"
    try:
        return _read(name, path, path.stat().st_mtime_ns)
    except OSError:
        raise LessonError(f"The lesson's file {path.name} does not exist.") from None


@lru_cache(maxsize=16)
def _read(name: str, path: Path, modified_ns: int) -> LessonText:
    return parse(name, path.read_text(encoding="utf-8"))


def parse(name: str, text: str) -> LessonText:
    """Read front matter and blocks. Raises LessonError for a missing field or an unknown placeholder."""
    if not text.startswith("---\n") or "\n---\n" not in text:
        raise LessonError(f"{name}.md must begin with its title, goal and minutes between two lines of ---.")
    head, _, body = text[4:].partition("\n---\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    missing = [field for field in ("title", "goal", "minutes") if not fields.get(field)]
    if missing or not fields["minutes"].isdigit():
        raise LessonError(f"{name}.md has no {' and no '.join(missing) or 'whole number of minutes'} at its beginning.")
    blocks = _blocks(body)
    if any("<!--" in block.content for block in blocks):
        raise LessonError(f"{name}.md has a placeholder that is neither <!-- live: name --> nor <!-- wide: name -->.")
    return LessonText(name, fields["title"], fields["goal"], int(fields["minutes"]), blocks)


def _blocks(body: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    end = 0
    for match in _PLACEHOLDER.finditer(body):
        blocks.append(Block("text", body[end : match.start()].strip()))
        blocks.append(Block("live" if match[1] == "live" else "wide", match[2]))
        end = match.end()
    blocks.append(Block("text", body[end:].strip()))
    return tuple(block for block in blocks if block.content)
