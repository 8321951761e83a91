"""The paper's table with its read-only columns, as rows of text and numbers for display."""

from typing import Any

from explorer.analysis import LayerRow, NetworkSummary, Totals
from explorer.config import HEADINGS
from explorer.diff import Change, find_changes
from explorer.errors import Problem
from explorer.table import MODULE, to_rows
from explorer.views import formatting as fmt
from explorer.views.labels import edit_text

MARK, FLOW, SIZE, PARAMETERS, MACS, NOTE = "mark", "in → out", "H×W", "parameters", "MACs", "note"
READ_ONLY = (MODULE, MARK, FLOW, SIZE, PARAMETERS, MACS, NOTE)
EDITED, RIPPLE, REJECTED = "●", "≈", "✗"
# Settings of the network that belong to one part of it. The stem also represents all pools between modules.
_SETTINGS_OF = {"stem": ("input_shape", "pooling"), "classifier": ("classes", "dropout")}


def table_rows(
    summary: NetworkSummary, base: NetworkSummary, problems: tuple[Problem, ...] = ()
) -> list[dict[str, Any]]:
    """Return one dict per module: its name, mark, six cells, and results, compared with the preset ``base``.

    The mark is ● where a cell was edited, ≈ where the numbers changed because of an edit elsewhere (upstream, or a
    setting of the whole network: the note says which), and ✗ where an edit was rejected.
    """
    edits = find_changes(base.config, summary.config)
    rejected = {problem.where for problem in problems}
    rows = []
    for row in to_rows(summary.config):
        name = row[MODULE]
        mark, note = mark_and_note(name, summary, base, edits)
        first, concat = _first_row(summary, name), summary.concat(name)
        rows.append(
            {
                MODULE: name,
                MARK: REJECTED if name in rejected else mark,
                **{heading: row[heading] for heading in HEADINGS.values()},
                FLOW: f"{first.in_shape[0]:,} → {concat.out_shape[0]:,}",
                SIZE: fmt.size(concat.out_shape[1:]),
                PARAMETERS: summary.by_module[name].parameters,
                MACS: summary.by_module[name].macs,
                NOTE: note,
            }
        )
    return rows


def row_text(summary: NetworkSummary, base: NetworkSummary, name: str) -> str:
    """Return what the table shows beside the six cells of a module, as one line."""
    row = next(row for row in table_rows(summary, base) if row[MODULE] == name)
    costs = f"{fmt.exact(row[PARAMETERS])} parameters · {fmt.exact(row[MACS])} MACs"
    return " · ".join(filter(None, (f"{row[FLOW]} channels", row[SIZE], costs, row[NOTE])))


def other_parts(summary: NetworkSummary, base: NetworkSummary) -> list[dict[str, Any]]:
    """Return the parts outside the table (stem, auxiliary heads, classifier) with their marks and numbers."""
    edits = find_changes(base.config, summary.config)
    rows = []
    for block in summary.by_module:
        if block != "stem" and block != "classifier" and not block.startswith("aux_"):
            continue
        mark, note = mark_and_note(block, summary, base, edits)
        inside = [row for row in summary.rows if row.module == block]
        rows.append(
            {
                "part": block.replace("_", " "),
                MARK: mark,
                "in": fmt.shape(inside[0].in_shape),
                "out": fmt.shape(inside[-1].out_shape),
                PARAMETERS: summary.by_module[block].parameters,
                MACS: summary.by_module[block].macs,
                NOTE: note,
            }
        )
    return rows


def version_title(base: str, edits: tuple[Change, ...]) -> str:
    """Return the name of a network: ``paper``, ``paper + 1 edit``, ``paper + 2 edits``."""
    if not edits:
        return base
    return f"{base} + {len(edits)} edit{'s' if len(edits) > 1 else ''}"


def change_text(before: NetworkSummary, now: NetworkSummary) -> str:
    """Return what a change of the network did to its totals, as a sentence each."""
    numbers = (
        ("Parameters", before.parameters(aux=False), now.parameters(aux=False)),
        ("MACs", before.macs(), now.macs()),
    )
    return " ".join(
        f"{name}: {fmt.exact(new)}, no change." if new == old else f"{name}: {fmt.exact(old)} → {fmt.exact(new)}."
        for name, old, new in numbers
    )


def mark_and_note(
    block: str, summary: NetworkSummary, base: NetworkSummary, edits: tuple[Change, ...]
) -> tuple[str, str]:
    """Return the mark of a block against the preset ``base``, and its reason; both empty where nothing changed."""
    own = [change for change in edits if _is_of(change, block)]
    here, there = summary.by_module[block], base.by_module.get(block)
    difference = _difference(here, there)
    if own:
        return EDITED, ", ".join(filter(None, (*map(edit_text, own), difference)))
    if there is None:
        return EDITED, "not in the preset"
    if here != there or _shapes(summary, block) != _shapes(base, block):
        causes = [edit_text(change) for change in edits if _reaches(change, block, summary)]
        return RIPPLE, ", ".join(filter(None, (*causes, _ripple(summary, base, block), difference)))
    return "", ""


def _is_of(change: Change, block: str) -> bool:
    """Whether an edit belongs to this block: to its row, or as a setting of this part of the network alone."""
    if block.startswith("aux_"):
        return change.where == "aux"
    return change.where == block or (change.where == "network" and change.field in _SETTINGS_OF.get(block, ()))


def _reaches(change: Change, block: str, summary: NetworkSummary) -> bool:
    """Whether a setting of the whole network acts in this block itself, not only through its input."""
    if change.where != "network" or block == "classifier":
        return False
    if change.field == "classes":
        return block.startswith("aux_")
    if change.field == "kernel_5x5":
        return any(row.module == block and row.branch == "5x5" for row in summary.rows)
    return change.field in ("normalisation", "conv_bias")


def _ripple(summary: NetworkSummary, base: NetworkSummary, block: str) -> str:
    """Return the change of the input: only the channels if height and width stayed the same."""
    now, was = _shapes(summary, block)[0], _shapes(base, block)[0]
    if now == was:
        return ""
    if now[1:] == was[1:]:
        return f"input channels {was[0]:,} → {now[0]:,}"
    return f"input {fmt.shape(was)} → {fmt.shape(now)}"


def _shapes(summary: NetworkSummary, block: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    inside = [row for row in summary.rows if row.module == block]
    return inside[0].in_shape, inside[-1].out_shape


def _difference(here: Totals, there: Totals | None) -> str:
    if there is None or here.parameters == there.parameters:
        return ""
    return f"{fmt.signed(here.parameters - there.parameters)} parameters"


def _first_row(summary: NetworkSummary, name: str) -> LayerRow:
    return next(row for row in summary.rows if row.module == name)
