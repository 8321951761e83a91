"""Any table of rows as text: CSV that spreadsheets open safely, LaTeX, Markdown, HTML, plain columns.

A table is a list of dicts with the same keys. Integers stay numbers; everything else is text and is escaped here.
Source of the CSV rules: OWASP, "CSV Injection" (spreadsheets run a cell that begins like a formula).
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Rows = Sequence[Mapping[str, Any]]

_NUMBER = re.compile(r"[+−±]?\d[\d.,]*(?![A-Za-z])(?!.* · )|–|blank$|$")  # no module (3a), no list (64 × 56 × 56 · 1×1)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LATEX = str.maketrans(
    {
        **{sign: f"\\{sign}" for sign in "&%$#_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"×": r"$\times$", "→": r"$\to$", "·": r"$\cdot$", "−": "$-$", "±": r"$\pm$", "Δ": r"$\Delta$"},
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"},
    }
)
_MARKDOWN = str.maketrans({**{sign: f"\\{sign}" for sign in "\\`*_[]|#!~"}, "<": "&lt;", ">": "&gt;", "&": "&amp;"})


def to_csv(rows: Rows) -> str:
    """Return comma-separated values with a heading, as spreadsheets expect them: a byte-order mark, and CRLF.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, which spreadsheets do not show.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(name) for name in _headings(rows)])
    writer.writerows([_safe(value) for value in row.values()] for row in rows)
    return "\ufeff" + out.getvalue()


def to_latex(rows: Rows, caption: str = "") -> str:
    """Return a table of the package booktabs, with numbers aligned to the right."""
    names = _headings(rows)
    columns = "".join("r" if _is_number_column(rows, name) else "l" for name in names)
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{_latex(caption)}}}" if caption else r"\centering",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(names),
        r"\midrule",
        *(_latex_row(row.values()) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def to_markdown(rows: Rows) -> str:
    """Return a table in GitHub's Markdown, with numbers aligned to the right."""
    names = _headings(rows)
    rule = ["---:" if _is_number_column(rows, name) else "---" for name in names]
    body = [[_markdown(name) for name in names], rule, *([_markdown(v) for v in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in body) + "\n"


def to_html(rows: Rows) -> str:
    """Return a bare ``<table>``; the heading and the cells of a column of numbers have the class ``n``.

    A long path may break after each of its dots.
    """
    marks = {name: ' class="n"' if _is_number_column(rows, name) else "" for name in _headings(rows)}
    head = "".join(f"<th{mark}>{escape(name)}</th>" for name, mark in marks.items())
    body = "".join(f"<tr>{''.join(_html_cell(row[name], mark) for name, mark in marks.items())}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _html_cell(value: Any, mark: str) -> str:
    text = escape(_plain(value))
    return f"<td{mark}>{text if mark else text.replace('.', '.<wbr>')}</td>"


def to_text(rows: Rows) -> str:
    """Return aligned columns for a terminal."""
    names = _headings(rows)
    right = [_is_number_column(rows, name) for name in names]
    cells = [names, *([_plain(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(
            cell.rjust(wide) if number else cell.ljust(wide)
            for cell, wide, number in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in cells
    )
    return "\n".join(lines) + "\n"


def _headings(rows: Rows) -> list[str]:
    return list(rows[0]) if rows else []


def _is_number_column(rows: Rows, name: str) -> bool:
    """Whether a column has numbers, a few of them perhaps replaced by a word, or texts that all read as numbers."""
    values = [row[name] for row in rows if row[name] is not None]
    has_numbers = any(isinstance(value, int | float) for value in values)
    return has_numbers or all(_reads_as_number(value) for value in values)


def _reads_as_number(text: str) -> bool:
    """Whether a text is a number with a unit or difference, as :mod:`~explorer.views.formatting` writes it, or none."""
    return bool(_NUMBER.match(text))


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, int | float):
        return "" if value is None else value
    text = _plain(value)
    return f"'{text}" if text.startswith(_FORMULA) or text[:1].isspace() else text


def _plain(value: Any) -> str:
    """Return a value as one line of text."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "".join(sign if sign.isprintable() else " " for sign in str(value))


def _latex(value: Any) -> str:
    return _plain(value).translate(_LATEX)


def _latex_row(values: Any) -> str:
    return " & ".join(map(_latex, values)) + r" \\"


def _markdown(value: Any) -> str:
    return _plain(value).translate(_MARKDOWN)
