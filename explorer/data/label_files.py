"""Read the labels of images from CSV files in the same archive. Free of torch.

The column with the names of the images is the one whose values are most often names of images; with or without folder
and suffix. The labels are in a column with a usual name, else in the only other column that can be classes, or one-hot
in several columns, with the classes as headings.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from explorer.data.import_report import PART_NAMES, LabelSource, Part, Placed, printable

SUFFIXES = (".csv", ".tsv", ".txt")
MAX_LABELS = 1_000  # different values of a column that can be labels
_LABEL_NAMES = (
    *("label", "labels", "class", "class_name", "category", "target", "y"),
    *("breed", "species", "diagnosis", "dx"),
)
_PART_COLUMNS = ("split", "set", "subset", "part", "partition", "usage")
_ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")
_EXAMPLES = 3
_ONE_HOT = "one-hot columns"

_Row = Mapping[str, str]


class Labels(NamedTuple):
    """The columns that can be labels, the one that is, the file, and where each image belongs."""

    columns: tuple[LabelSource, ...]
    column: LabelSource
    file: str
    images: tuple[Placed, ...]


def read_label_files(
    files: Mapping[str, bytes], paths: Sequence[PurePosixPath], classes_from: str = ""
) -> Labels | None:
    """Return the labels of images at these paths; None if no file has any. ``files`` are contents by path."""
    by_image: dict[str, _Row] = {}
    used: list[str] = []
    keys = {key: number for number, path in enumerate(paths) for key in _keys(path)}
    for name, content in files.items():
        rows = _rows(content, _part_of(name))
        image_column = _image_column(rows, keys)
        if image_column:
            used.append(name)
            by_image |= {_key(row[image_column]): {**row, image_column: ""} for row in rows if row.get(image_column)}
    found = [next((by_image[key] for key in _keys(path) if key in by_image), None) for path in paths]
    columns = _label_columns([row for row in found if row])
    if not columns:
        return None
    column = next((source for source in columns if source.key == classes_from), columns[0])
    return Labels(columns, column, printable(used[0]), tuple(_place(row, column) for row in found))


def _keys(path: PurePosixPath) -> tuple[str, ...]:
    """Return the names by which a file may list an image: its path, its name, and its name without suffix."""
    return str(path).lower(), path.name.lower(), path.stem.lower()


def _key(value: str) -> str:
    return value.strip().replace("\\", "/").removeprefix("./").lower()


def _part_of(name: str) -> str:
    """Return the part in the name of a file, such as ``train_labels.csv``; empty if there is none."""
    words = re.split(r"[^a-z]+", PurePosixPath(name).stem.lower())
    return next((PART_NAMES[word] for word in words if word in PART_NAMES), "")


def _rows(content: bytes, part: str) -> list[dict[str, str]]:
    """Return the rows of a file by their headings; numbers are the headings of a file that has none."""
    text = next(text for encoding in _ENCODINGS if (text := _decode(content, encoding)) is not None)
    lines = text.splitlines()
    first = lines[0] if lines else ""
    delimiter = max(",;\t ", key=first.count)
    try:
        table = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if row]
    except csv.Error:
        return []
    if not table:
        return []
    has_heading = not any(re.search(r"\.(png|jpe?g|webp|gif|bmp|tiff?)$", cell.strip().lower()) for cell in table[0])
    headings = [cell.strip() for cell in table[0]] if has_heading else [str(n + 1) for n in range(len(table[0]))]
    rows = (dict(zip(headings, row, strict=False)) for row in table[has_heading:])
    return [({"part of the file": part} if part else {}) | row for row in rows]


def _decode(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _image_column(rows: Sequence[_Row], keys: Mapping[str, int]) -> str:
    """Return the column with the names of images; empty if fewer than half of the rows have one."""
    counts = {
        column: sum(_key(row.get(column, "")) in keys for row in rows) for column in (rows[0] if rows else {}) if column
    }
    best = max(counts, key=lambda column: counts[column], default="")
    return best if best and 2 * counts[best] >= min(len(rows), len(keys)) > 0 and counts[best] else ""


def _label_columns(rows: Sequence[_Row]) -> tuple[LabelSource, ...]:
    """Return the columns that can be labels, the most likely first."""
    if not rows:
        return ()
    names = [column for column in rows[0] if column and column != "part of the file"]
    values = {column: {row.get(column, "").strip() for row in rows} - {""} for column in names}
    one_hot = _one_hot_columns(rows, values)
    columns = [
        LabelSource(f"column {column}", "column", printable(column), len(values[column]), _examples(values[column]))
        for column in sorted(names, key=lambda column: (column.lower() not in _LABEL_NAMES, len(values[column])))
        if 2 <= len(values[column]) <= MAX_LABELS
        and not _is_part_column(column, values[column])
        and column not in one_hot
    ]
    if one_hot:
        columns.append(LabelSource(f"column {_ONE_HOT}", "column", _ONE_HOT, len(one_hot), _examples(set(one_hot))))
    return tuple(columns)


def _examples(values: set[str]) -> tuple[str, ...]:
    return tuple(printable(value) for value in sorted(values)[:_EXAMPLES])


def _one_hot_columns(rows: Sequence[_Row], values: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return the columns of zeros and ones that together have a single one in every row."""
    columns = [column for column, found in values.items() if found and {*map(_number, found)} <= {0.0, 1.0}]
    if len(columns) < 2 or any(sum(_number(row.get(column, "")) == 1 for column in columns) != 1 for row in rows):
        return ()
    return tuple(columns)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_part_column(column: str, values: set[str]) -> bool:
    return column.lower() in _PART_COLUMNS and all(value.lower() in PART_NAMES for value in values)


def _place(row: _Row | None, column: LabelSource) -> Placed:
    if row is None:
        return Placed("", None)
    part: Part | str | None = row.get("part of the file", "")
    for name in row:
        if name.lower() in _PART_COLUMNS and row[name].strip().lower() in PART_NAMES:
            part = PART_NAMES[row[name].strip().lower()]
    if column.name == _ONE_HOT:
        return Placed(part, next((name for name in row if _number(row[name]) == 1), None))
    return Placed(part, row.get(column.key.removeprefix("column "), "").strip() or None)
