"""The paper's table as the editor shows it: config ↔ rows, and validation of every edit.

The limits in the browser are not checks: a forged edit can contain any value, row or column. So every edit is validated
as a whole, and each problem names its cell.
"""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any, NamedTuple

from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import HEADINGS, MAX_MODULES, GoogLeNetConfig, InceptionModule
from explorer.diff import with_module
from explorer.errors import Problem
from explorer.typed_numbers import Unreadable, excerpt, read_whole, unreadable_message
from explorer.validation import cell_problem

MODULE = "module"
_FIELDS = {heading: field for field, heading in HEADINGS.items()}

Row = dict[str, Any]


class TableResult(NamedTuple):
    """The config that a table describes, or the problems that prevent building it."""

    config: GoogLeNetConfig | None
    problems: tuple[Problem, ...]


def to_rows(config: GoogLeNetConfig) -> list[Row]:
    """Return the table as the editor shows it: one dict per module, headed as in the paper; None is a blank cell."""
    return [
        {
            MODULE: module.name,
            **{heading: getattr(module, field) for field, heading in HEADINGS.items()},
        }
        for module in config.modules
    ]


def from_rows(rows: Sequence[Mapping[str, Any]], config: GoogLeNetConfig) -> TableResult:
    """Return ``config`` with the rows as its table. Nothing in them raises: each error becomes a Problem.

    A cell is what was typed (:mod:`explorer.typed_numbers`), an int or a whole float; "", NaN and None are blank.
    """
    found: list[Problem] = []
    if len(rows) > MAX_MODULES:
        return TableResult(None, (_too_many(len(rows)),))
    modules = [_module(row, found) for row in rows]
    if found:
        return TableResult(None, tuple(found))
    candidate = config.replace(modules=tuple(modules))
    found.extend(problems(candidate))
    return TableResult(None if found else candidate, tuple(found))


def overlay_edits(rows: Sequence[Row], edited: Any) -> tuple[list[Row], tuple[Problem, ...]]:
    """Return copies of the rows with an editor's ``{row: {column: value}}`` laid over them.

    Rows and columns that the table does not have are ignored, each with a Problem.
    """
    new, found = [dict(row) for row in rows], []
    if not isinstance(edited, Mapping):
        edited = {}
    for position, cells in edited.items():
        index = _index(position)
        if index is None or index >= len(new) or not isinstance(cells, Mapping):
            found.append(_no_such_cell(f"row {excerpt(position)}"))
            continue
        for heading, value in cells.items():
            if heading in _FIELDS:
                new[index][heading] = value
            else:
                found.append(_no_such_cell(f"column “{excerpt(heading)}” to be edited"))
    return new, tuple(found)


class EditResult(NamedTuple):
    """The config with every valid cell of an edit, and the problems of the others.

    ``is_forged`` is true if the edit contains a row or column that does not exist, which the editor never sends.
    """

    config: GoogLeNetConfig
    problems: tuple[Problem, ...] = ()
    is_forged: bool = False


def apply_edits(config: GoogLeNetConfig, edits: Any, last: GoogLeNetConfig | None = None) -> EditResult:
    """Apply an editor's edits to ``config``: valid cells are applied, the others are ignored and explained.

    An ignored cell keeps its value in ``last``, the last valid network with the same rows (default: ``config``).

    ``edits`` is the editor's state, ``{"edited_rows": {row: {column: value}}, "added_rows": [], …}``, or whatever the
    browser sent instead. If no single cell is invalid (a feature map becomes too small), no edit is applied.
    """
    before = to_rows(config)
    cells, foreign = _cell_edits(edits)
    after, unknown = overlay_edits(before, cells)
    forged = (*foreign, *unknown)
    result = from_rows(after, config)
    if result.config is not None:
        return EditResult(result.config, forged, bool(forged))
    bad = {(problem.where, problem.field) for problem in result.problems}
    last = last or config
    good = [_restore_cells(bad, old, new) for old, new in zip(to_rows(last), after, strict=True)]
    partial = from_rows(good, config).config
    return EditResult(partial or last, (*forged, *result.problems), bool(forged))


def _restore_cells(bad: set[tuple[str, str]], old: Row, new: Row) -> Row:
    """Return the new row with the old values in its invalid cells, or the old row if it is invalid as a whole."""
    name = old[MODULE]
    if (name, "branches") in bad:
        return old
    return {heading: old[heading] if (name, _FIELDS.get(heading)) in bad else cell for heading, cell in new.items()}


def _cell_edits(edits: Any) -> tuple[Mapping[Any, Any], tuple[Problem, ...]]:
    """Return the edited cells of an editor's state, and the problems of rows added or deleted in the grid."""
    state = edits if isinstance(edits, Mapping) else {"edited_rows": edits}
    cells = state.get("edited_rows") or {}
    found = [
        Problem("table", "modules", "Rows are added and removed with the Rows menu: that edit was ignored.")
        for kind in ("added_rows", "deleted_rows")
        if state.get(kind)
    ]
    if not isinstance(cells, Mapping):
        found.append(Problem("table", "modules", "That was not an edit of a cell: it was ignored."))
        cells = {}
    return cells, tuple(found)


def unused_name(config: GoogLeNetConfig, after: str) -> str | None:
    """Return the first unused name in the stage of the module ``after``, or None when all 26 letters are taken.

    Raises KeyError when there is no such module.
    """
    stage = config.module(after).stage
    taken = {module.name for module in config.modules}
    return next((f"{stage}{letter}" for letter in ascii_lowercase if f"{stage}{letter}" not in taken), None)


def insert_after(config: GoogLeNetConfig, after: str, name: str) -> TableResult:
    """Add a module below ``after``, with the same widths as it."""
    if missing := _missing(config, after):
        return missing
    modules = list(config.modules)
    at = modules.index(config.module(after))
    try:
        modules.insert(at + 1, modules[at].replace(name=name))
    except ValidationError:
        return TableResult(None, (_bad_name(name, after),))
    return check_table(config.replace(modules=tuple(modules)))


def add_below(config: GoogLeNetConfig, after: str) -> TableResult:
    """Add a module below ``after`` with the first unused name of its stage."""
    if missing := _missing(config, after):
        return missing
    name = unused_name(config, after)
    if name is None:
        full = f"Stage {config.module(after).stage} has all 26 letters. Add the row to another stage."
        return TableResult(None, (Problem(after, "name", full),))
    return insert_after(config, after, name)


def reset(config: GoogLeNetConfig, base: GoogLeNetConfig, name: str) -> TableResult:
    """Reset a module to the widths of the module with that name in ``base``."""
    if missing := _missing(config, name) or _missing(base, name):
        return missing
    return check_table(with_module(config, base.module(name)))


def remove(config: GoogLeNetConfig, name: str) -> TableResult:
    """Remove a module, and the auxiliary head that taps it."""
    if missing := _missing(config, name):
        return missing
    modules = tuple(module for module in config.modules if module.name != name)
    taps = tuple(tap for tap in config.aux.taps if tap != name)
    return check_table(config.replace(modules=modules, aux=config.aux.replace(taps=taps)))


def rename(config: GoogLeNetConfig, old: str, new: str) -> TableResult:
    """Rename a module, and the tap of its auxiliary head."""
    if missing := _missing(config, old):
        return missing
    try:
        modules = tuple(module.replace(name=new) if module.name == old else module for module in config.modules)
        taps = tuple(new if tap == old else tap for tap in config.aux.taps)
        return check_table(config.replace(modules=modules, aux=config.aux.replace(taps=taps)))
    except ValidationError:
        return TableResult(None, (_bad_name(new, old),))


def _missing(config: GoogLeNetConfig, name: str) -> TableResult | None:
    """Return the problem of an unknown module, if it is one. The app offers none, but a forged choice can name one."""
    if any(module.name == name for module in config.modules):
        return None
    known = ", ".join(module.name for module in config.modules)
    return TableResult(
        None, (Problem("table", "modules", f"There is no module “{excerpt(name)}”. Choose one of {known}."),)
    )


def check_table(config: GoogLeNetConfig) -> TableResult:
    """Return the config if it can be built, else its problems."""
    found = problems(config)
    return TableResult(None if found else config, found)


def _module(row: Mapping[str, Any], found: list[Problem]) -> InceptionModule | None:
    """Return the module of one row; None if it has problems, which are appended to ``found``."""
    name = row.get(MODULE)
    where = excerpt(name) or "table"
    cells: dict[str, int | None] = {}
    for field, heading in HEADINGS.items():
        value = read_whole(row.get(heading))
        if isinstance(value, Unreadable):
            found.append(Problem(where, field, unreadable_message(f"{where}, {heading}", value, whole=True)))
        elif problem := cell_problem(where, field, value):
            found.append(problem)
        else:
            cells[field] = value
    if len(cells) < len(HEADINGS):
        return None
    try:
        return InceptionModule.model_validate({"name": name, **cells})
    except ValidationError:
        found.append(_bad_name(name, where))
        return None


def _index(position: Any) -> int | None:
    """Return a row position, which the browser sends as text, or None if it is not one."""
    if isinstance(position, bool):
        return None
    if isinstance(position, int):
        return position if position >= 0 else None
    text = str(position)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _no_such_cell(what: str) -> Problem:
    return Problem("table", "modules", f"The table has no {what}: that edit was ignored.")


def _bad_name(name: Any, where: str) -> Problem:
    return Problem(
        where,
        "name",
        f"“{excerpt(name)}” is not a module name. Write the stage and one lowercase letter, such as 4b or 10a.",
    )


def _too_many(count: int) -> Problem:
    return Problem(
        "table",
        "modules",
        f"The table has {count:,} rows. At most {MAX_MODULES} can be shown and built: remove some.",
    )
