"""Tables as text: each format holds every cell, and numbers stay numbers."""

import csv
import io
import re

from explorer import PRESETS, summarize
from explorer.views.layer_table import layer_rows
from explorer.views.tables import to_csv, to_html, to_latex, to_markdown, to_text

ROWS = [
    {"layer": "a_b", "shape": "3 × 4", "parameters": 1_234_567, "share": None},
    {"layer": "c", "shape": "5", "parameters": 0, "share": 2},
]


def test_csv() -> None:
    """A spreadsheet finds a byte-order mark, CRLF, plain integers and empty cells."""
    text = to_csv(ROWS)
    assert text == "\ufefflayer,shape,parameters,share\r\na_b,3 × 4,1234567,\r\nc,5,0,2\r\n"


def test_csv_runs_no_formula() -> None:
    """A text that a spreadsheet would run gets an apostrophe; a negative number stays a number."""
    row = {"name": "=1+1", "other": "@SUM(A1)", "tab": "\tx", "minus": "-2+3", "number": -5}
    cells = next(csv.reader(io.StringIO(to_csv([row]).removeprefix("\ufeff").split("\r\n", 1)[1])))
    assert cells == ["'=1+1", "'@SUM(A1)", "' x", "'-2+3", "-5"]


def test_latex() -> None:
    """A booktabs table: special characters are escaped, numbers are aligned to the right."""
    text = to_latex(ROWS, "50 % of #1×1")
    assert r"\begin{tabular}{lrrr}" in text
    assert r"a\_b & 3 $\times$ 4 & 1,234,567 &  \\" in text
    assert r"\caption{50 \% of \#1$\times$1}" in text
    assert text.count(r"\\") == 3
    assert text.count("{") == text.count("}")


def test_markdown() -> None:
    """Every line has the same cells, and special characters are escaped."""
    lines = to_markdown([{"a|b": "x*y", "n": 1}, {"a|b": "<i>", "n": 22}]).splitlines()
    assert lines == [r"| a\|b | n |", "| --- | ---: |", r"| x\*y | 1 |", "| &lt;i&gt; | 22 |"]


def test_html() -> None:
    """Numbers are marked, and everything is escaped."""
    assert to_html([{"a": "<b>", "n": 1_000}]) == (
        '<table><thead><tr><th>a</th><th class="n">n</th></tr></thead>'
        '<tbody><tr><td>&lt;b&gt;</td><td class="n">1,000</td></tr></tbody></table>'
    )


def test_a_column_is_aligned_as_a_whole() -> None:
    """A text that begins with a digit stays left in a column of texts; a word stays right in a column of numbers."""
    rows = [{"differs in": "5×5 branch", "#5×5": "blank"}, {"differs in": "dropout", "#5×5": 32}]
    page = to_html(rows)
    assert '<th>differs in</th><th class="n">#5×5</th>' in page
    assert '<td>5×5 branch</td><td class="n">blank</td>' in page
    assert '<td>dropout</td><td class="n">32</td>' in page


def test_text() -> None:
    """Columns are aligned for a terminal."""
    assert to_text(ROWS) == (
        "layer  shape  parameters  share\na_b    3 × 4   1,234,567\n".replace("a_b    3 × 4", "a_b    3 × 4")
        + "c          5           0      2\n"
    )


def test_no_rows() -> None:
    """An empty table is an empty text, not an error."""
    assert to_csv([]) == "\ufeff\r\n"
    assert to_html([]) == "<table><thead><tr></tr></thead><tbody></tbody></table>"


def test_all_layers_as_csv() -> None:
    """The sum of a column is the total of the page."""
    summary = summarize(PRESETS["paper"])
    rows = list(csv.DictReader(io.StringIO(to_csv(layer_rows(summary.rows)).removeprefix("\ufeff"))))
    assert len(rows) == len(summary.rows)
    assert sum(int(row["parameters"]) for row in rows) == 13_378_280
    assert sum(int(row["MACs"]) for row in rows) == 1_591_044_096


def test_all_layers_as_latex_and_markdown() -> None:
    """A line per layer, with as many cells in each."""
    summary = summarize(PRESETS["paper"])
    rows = layer_rows(summary.rows)
    latex = [line for line in to_latex(rows).splitlines() if line.endswith(r"\\")]
    assert len(latex) == 1 + len(rows)
    assert {len(re.findall(r"(?<!\\)&", line)) for line in latex} == {len(rows[0]) - 1}
    assert {line.count(" | ") for line in to_markdown(rows).splitlines()} == {len(rows[0]) - 1}
