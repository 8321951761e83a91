"""Understand the folders of an archive of images: which level is the classes, and which one the parts. Free of torch.

The rule is that of torchvision's ``ImageFolder``: the highest level of folders with different names is the classes. A
level of folders named train, val or test is the parts, above or below the classes.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from explorer.data.import_report import PART_NAMES, Branch, LabelSource, Part, Placed, Role, printable

_EXAMPLES = 3  # names of a level
_SIBLINGS, _BRANCHES = 6, 24  # folders that are shown: in one folder, and in all


class Folders(NamedTuple):
    """The levels that can be the classes, the one that is, the level of the parts, and where each image belongs."""

    levels: tuple[LabelSource, ...]
    level: int | None
    part_level: int | None
    images: tuple[Placed, ...]


def understand_folders(paths: Sequence[PurePosixPath], classes_from: str = "") -> Folders:
    """Understand the paths of all images; ``classes_from`` is the key of the level that a user chose."""
    folders = [path.parts[:-1] for path in paths]
    depth = max(map(len, folders), default=0)
    names = [Counter(folder[level] for folder in folders if len(folder) > level) for level in range(depth)]
    part_level = next((level for level in range(depth) if _are_parts(names[level])), None)
    others = [level for level in range(depth) if level != part_level]
    levels = tuple(_label_source(level, names[level]) for level in others if len(names[level]) > 1)
    chosen = next((int(source.name) - 1 for source in levels if source.key == classes_from), None)
    level = chosen if chosen is not None else int(levels[0].name) - 1 if levels else others[-1] if others else None
    return Folders(levels, level, part_level, tuple(_place(folder, level, part_level) for folder in folders))


def _are_parts(names: Counter[str]) -> bool:
    """Whether folders beside each other are parts: all of them have such names, or training and another one do."""
    parts = {PART_NAMES[name.lower()] for name in names if name.lower() in PART_NAMES}
    are_all = all(name.lower() in PART_NAMES for name in names)
    return "train" in parts and (len(parts) > 1 or are_all)


def _label_source(level: int, names: Counter[str]) -> LabelSource:
    examples = tuple(printable(name) for name in sorted(names)[:_EXAMPLES])
    return LabelSource(f"folder {level + 1}", "folder", str(level + 1), len(names), examples)


def _place(folder: tuple[str, ...], level: int | None, part_level: int | None) -> Placed:
    part: Part | str | None = ""
    if part_level is not None:
        part = PART_NAMES.get(folder[part_level].lower()) if len(folder) > part_level else None
    return Placed(part, folder[level] if level is not None and len(folder) > level else None)


def draw_tree(paths: Sequence[PurePosixPath], level: int | None, part_level: int | None) -> tuple[Branch, ...]:
    """Return the folders with the number of images in each, at most a few of one folder, in the order of their names.

    Folders below the classes are not shown. ``…`` stands for the folders that are left out.
    """
    deepest = _deepest(level, part_level)
    counts = Counter(path.parts[:depth] for path in paths for depth in range(1, min(len(path.parts) - 1, deepest) + 1))
    shown: list[Branch] = []
    siblings: Counter[tuple[str, ...]] = Counter()
    for folder in sorted(counts):
        siblings[folder[:-1]] += 1
        place = siblings[folder[:-1]]
        if any(siblings[folder[:depth]] > _SIBLINGS for depth in range(len(folder) - 1)):
            continue  # it is in a folder that is not shown
        if place <= _SIBLINGS and len(shown) < _BRANCHES:
            role = _role(folder, level, part_level)
            shown.append(Branch(len(folder) - 1, printable(folder[-1]), counts[folder], role))
        elif place == _SIBLINGS + 1:
            more = sum(1 for other in counts if other[:-1] == folder[:-1]) - _SIBLINGS
            shown.append(Branch(len(folder) - 1, f"… {more:,} more", 0, ""))
    return tuple(shown)


def _deepest(level: int | None, part_level: int | None) -> int:
    return max(-1 if level is None else level, -1 if part_level is None else part_level) + 1


def _role(folder: tuple[str, ...], level: int | None, part_level: int | None) -> Role:
    depth = len(folder) - 1
    if depth == part_level:
        return PART_NAMES.get(folder[-1].lower(), "unknown_part")
    return "class" if depth == level else ""
