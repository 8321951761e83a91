"""The paper's table as the editor shows it: config ↔ rows, and a judgement of every cell that comes back.

The browser's limits are no checks: a forged edit can bring any value, row or column. What comes back is judged
whole, and each problem names its cell.
"""

from collections.abc import Mapping, Sequence
from math import isnan
from numbers import Integral, Real
from string import ascii_lowercase
from typing import Any, NamedTuple

from pydantic import ValidationError

from explorer.analysis import problems
from explorer.config import HEADINGS, MAX_MODULES, GoogLeNetConfig, InceptionModule, Problem
from explorer.diff import with_module
from explorer.validation import cell_problem

MODULE = "module"
_FIELDS = {heading: field for field, heading in HEADINGS.items()}

Row = dict[str, Any]


class ParsedTable(NamedTuple):
    """What a table means: a config, or the problems that keep it from being one."""

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


def from_rows(rows: Sequence[Mapping[str, Any]], config: GoogLeNetConfig) -> ParsedTable:
    """Read the rows back into ``config``. Nothing in them raises: whatever is wrong becomes a Problem.

    A number is a whole number however it is typed (70, 70.0); NaN and None are a blank cell.
    """
    found: list[Problem] = []
    if len(rows) > MAX_MODULES:
        return ParsedTable(None, (_too_many(len(rows)),))
    modules = [_module(row, found) for row in rows]
    if found:
        return ParsedTable(None, tuple(found))
    candidate = config.replace(modules=tuple(modules))
    found.extend(problems(candidate))
    return ParsedTable(None if found else candidate, tuple(found))


def with_edits(rows: Sequence[Row], edited: Any) -> tuple[list[Row], tuple[Problem, ...]]:
    """Return copies of the rows with an editor's ``{row: {column: value}}`` laid over them.

    Rows and columns that the table does not have are refused with a Problem and otherwise ignored.
    """
    new, found = [dict(row) for row in rows], []
    if not isinstance(edited, Mapping):
        edited = {}
    for position, cells in edited.items():
        index = _index(position)
        if index is None or index >= len(new) or not isinstance(cells, Mapping):
            found.append(_no_such_cell(f"row {_shown(position)}"))
            continue
        for heading, value in cells.items():
            if heading in _FIELDS:
                new[index][heading] = value
            else:
                found.append(_no_such_cell(f"column “{_shown(heading)}” to be edited"))
    return new, tuple(found)


class EditResult(NamedTuple):
    """What an edit came to: the config with every good cell taken in, and the problems of what was left out.

    ``forged`` says that something was edited which the editor does not offer: a row or column that does not exist.
    """

    config: GoogLeNetConfig
    problems: tuple[Problem, ...] = ()
    forged: bool = False


def apply_edits(config: GoogLeNetConfig, edits: Any, last: GoogLeNetConfig | None = None) -> EditResult:
    """Take an editor's edits into ``config``: good cells are kept, bad ones left out and explained.

    What is left out stays as it is in ``last``, the last good network with the same rows (``config`` without one).

    ``edits`` is the editor's state, ``{"edited_rows": {row: {column: value}}, "added_rows": [], …}``, or whatever was
    sent in its place. When the bad cells cannot be told from the good ones (a picture that shrinks away), nothing
    is taken in.
    """
    before = to_rows(config)
    cells, foreign = _cell_edits(edits)
    after, unknown = with_edits(before, cells)
    forged = (*foreign, *unknown)
    parsed = from_rows(after, config)
    if parsed.config is not None:
        return EditResult(parsed.config, forged, bool(forged))
    bad = {(problem.where, problem.field) for problem in parsed.problems}
    last = last or config
    good = [_without(bad, old, new) for old, new in zip(to_rows(last), after, strict=True)]
    kept = from_rows(good, config).config
    return EditResult(kept or last, (*forged, *parsed.problems), bool(forged))


def _without(bad: set[tuple[str, str]], old: Row, new: Row) -> Row:
    """Return the new row with its bad cells as they were; all of them where the row as a whole is at fault."""
    name = old[MODULE]
    if (name, "branches") in bad:
        return old
    return {heading: old[heading] if (name, _FIELDS.get(heading)) in bad else cell for heading, cell in new.items()}


def _cell_edits(edits: Any) -> tuple[Mapping[Any, Any], tuple[Problem, ...]]:
    """Take the edited cells out of an editor's state; adding and deleting rows is not done in the grid."""
    state = edits if isinstance(edits, Mapping) else {"edited_rows": edits}
    cells = state.get("edited_rows") or {}
    found = [
        Problem("table", "modules", "Rows are added and removed with the Rows menu: that edit was left out.")
        for kind in ("added_rows", "deleted_rows")
        if state.get(kind)
    ]
    if not isinstance(cells, Mapping):
        found.append(Problem("table", "modules", "That was no edit of a cell: it was left out."))
        cells = {}
    return cells, tuple(found)


def free_name(config: GoogLeNetConfig, after: str) -> str | None:
    """Return the first unused name in the stage of the module ``after``, or None when all 26 letters are taken.

    Raises KeyError when there is no such module.
    """
    stage = config.module(after).stage
    taken = {module.name for module in config.modules}
    return next((f"{stage}{letter}" for letter in ascii_lowercase if f"{stage}{letter}" not in taken), None)


def insert_after(config: GoogLeNetConfig, after: str, name: str) -> ParsedTable:
    """Add a module below ``after``, with the same widths as it."""
    if missing := _missing(config, after):
        return missing
    modules = list(config.modules)
    at = modules.index(config.module(after))
    try:
        modules.insert(at + 1, modules[at].replace(name=name))
    except ValidationError:
        return ParsedTable(None, (_bad_name(name, after),))
    return validated(config.replace(modules=tuple(modules)))


def add_below(config: GoogLeNetConfig, after: str) -> ParsedTable:
    """Add a module below ``after`` under the first name that its stage has left."""
    if missing := _missing(config, after):
        return missing
    name = free_name(config, after)
    if name is None:
        full = f"Stage {config.module(after).stage} has all 26 letters. Add the row to another stage."
        return ParsedTable(None, (Problem(after, "name", full),))
    return insert_after(config, after, name)


def reset(config: GoogLeNetConfig, base: GoogLeNetConfig, name: str) -> ParsedTable:
    """Give a module the widths that the module of that name has in ``base``."""
    if missing := _missing(config, name) or _missing(base, name):
        return missing
    return validated(with_module(config, base.module(name)))


def remove(config: GoogLeNetConfig, name: str) -> ParsedTable:
    """Take a module out, with the auxiliary head that taps it."""
    if missing := _missing(config, name):
        return missing
    modules = tuple(module for module in config.modules if module.name != name)
    taps = tuple(tap for tap in config.aux.taps if tap != name)
    return validated(config.replace(modules=modules, aux=config.aux.replace(taps=taps)))


def rename(config: GoogLeNetConfig, old: str, new: str) -> ParsedTable:
    """Give a module another name; an auxiliary head that taps it follows."""
    if missing := _missing(config, old):
        return missing
    try:
        modules = tuple(module.replace(name=new) if module.name == old else module for module in config.modules)
        taps = tuple(new if tap == old else tap for tap in config.aux.taps)
        return validated(config.replace(modules=modules, aux=config.aux.replace(taps=taps)))
    except ValidationError:
        return ParsedTable(None, (_bad_name(new, old),))


def _missing(config: GoogLeNetConfig, name: str) -> ParsedTable | None:
    """Refuse a step whose module is not there: no menu of ours offers it, but a forged choice can name it."""
    if any(module.name == name for module in config.modules):
        return None
    known = ", ".join(module.name for module in config.modules)
    return ParsedTable(
        None, (Problem("table", "modules", f"There is no module “{_shown(name)}”. Choose one of {known}."),)
    )


def validated(config: GoogLeNetConfig) -> ParsedTable:
    """Return the config if it can be built, else its problems."""
    found = problems(config)
    return ParsedTable(None if found else config, found)


def _module(row: Mapping[str, Any], found: list[Problem]) -> InceptionModule | None:
    name = row.get(MODULE)
    where = _shown(name) or "table"
    cells = {field: _number(row.get(heading)) for field, heading in HEADINGS.items()}
    bad = False
    for field, value in cells.items():
        problem = value if isinstance(value, _Refused) else cell_problem(where, field, value)
        if problem:
            bad = True
            found.append(_cell_message(where, field, problem))
    if bad:
        return None
    try:
        return InceptionModule(name=name, **cells)
    except ValidationError:
        found.append(_bad_name(name, where))
        return None


class _Refused(NamedTuple):
    """A cell that holds no whole number, as it is shown in the message."""

    shown: str
    reason: str


def _number(value: Any) -> int | _Refused | None:
    """Read one cell: a whole number however it is typed, None for a blank, or the reason for refusing it."""
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    if isinstance(value, bool):
        return _Refused(str(value), "is no number")
    if isinstance(value, Integral) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    if isinstance(value, Real):
        return _Refused(_shown(value), "is no whole number")
    text = str(value).strip() if isinstance(value, str) else None
    if text == "":
        return None
    if text and text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    return _Refused(f"“{_shown(value)}”", "is no number")


def _shown(value: Any) -> str:
    """Return the beginning of a value as text. Python refuses to write out whole numbers of over 4,300 digits."""
    try:
        return str(value)[:20]
    except (ValueError, RecursionError):
        return f"{type(value).__name__} too long to show"


def _cell_message(name: str, field: str, problem: Problem | _Refused) -> Problem:
    if isinstance(problem, Problem):
        return problem
    heading = HEADINGS[field]
    return Problem(
        name,
        field,
        f"{name}, {heading}: {problem.shown} {problem.reason}. Write the number of filters as a whole number.",
    )


def _index(position: Any) -> int | None:
    """Read a row position: the browser sends it as text."""
    if isinstance(position, bool):
        return None
    if isinstance(position, int):
        return position if position >= 0 else None
    text = str(position)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None


def _no_such_cell(what: str) -> Problem:
    return Problem("table", "modules", f"The table has no {what}: that edit was left out.")


def _bad_name(name: Any, where: str) -> Problem:
    return Problem(
        where,
        "name",
        f"“{_shown(name)}” is no module name. Write the stage and one small letter, such as 4b or 10a.",
    )


def _too_many(count: int) -> Problem:
    return Problem(
        "table",
        "modules",
        f"The table has {count:,} rows. At most {MAX_MODULES} can be shown and built: remove some.",
    )
