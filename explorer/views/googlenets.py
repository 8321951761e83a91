"""Tables of the lesson on differing numbers: the presets, the audit of Table 1, the conventions of counting."""

from collections.abc import Mapping, Sequence

from explorer.analysis import NetworkSummary
from explorer.diff import find_changes
from explorer.lessons.audit import AuditRow, Cell, Count
from explorer.presets import CATALOGUE
from explorer.views import formatting as fmt
from explorer.views.labels import KERNELS, NORMALISATIONS, edit_line, edit_place

_MAX_LISTED = 6  # more edited cells than this are only counted


def presets_table(summaries: Mapping[str, NetworkSummary], present: str) -> str:
    """Return every preset with its conventions and totals as a Markdown table; the ``present`` one in bold."""
    lines = [
        "| network | 5×5 branch | normalisation | biases | classes | parameters | in training | MACs |",
        "|:--|:--|:--|:--|--:|--:|--:|--:|",
    ]
    for name, summary in summaries.items():
        config = summary.config
        cells = (
            CATALOGUE[name].title,
            KERNELS[config.kernel_5x5],
            NORMALISATIONS[config.normalisation],
            "yes" if config.conv_bias else "no",
            fmt.exact(config.classes),
            fmt.exact(summary.parameters(aux=False)),
            fmt.exact(summary.parameters()),
            fmt.exact(summary.macs()),
        )
        lines.append("| " + " | ".join(f"**{cell}**" if name == present else cell for cell in cells) + " |")
    return "\n".join(lines)


def changes_text(name: str) -> str:
    """Return the differences of a preset from the paper's network, and their effect on its numbers, in one line."""
    paper, preset = CATALOGUE["paper"], CATALOGUE[name]
    if name == "paper":
        return f"**{preset.title}**: {preset.story}"
    edits = find_changes(paper.config, preset.config)
    cells = [edit for edit in edits if edit_place(edit)]
    listed = [f"{len(cells)} cells of the table"] if len(cells) > _MAX_LISTED else [edit_line(edit) for edit in cells]
    listed += [edit_line(edit) for edit in edits if edit not in cells]
    parameters = fmt.change(preset.parameters, paper.parameters) or "the same parameters"
    macs = fmt.change(preset.macs, paper.macs) or "the same"
    line = f"**{preset.title}** against the paper: {'; '.join(listed)}."
    return f"{line}  \nParameters at inference: {parameters}. MACs: {macs}.".replace("#", r"\#")


def audit_table(rows: Sequence[AuditRow]) -> str:
    """Return Table 1 with printed and computed figures side by side, and the reasons, as a Markdown table."""
    lines = [
        "| row of Table 1 | params printed | computed | agrees | ops printed | computed | agrees | reason |",
        "|:--|--:|--:|:-:|--:|--:|:-:|:--|",
    ]
    for row in rows:
        cells = (row.title, *_figures(row.params, "K"), *_figures(row.ops, "M"), _reason(row))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _figures(cell: Cell, unit: str) -> tuple[str, str, str]:
    digits = 1 if unit == "K" else 2
    mark = ":green[✓]" if cell.agrees else ":red[✗]"
    return f"{cell.printed:,g} {unit}", f"{cell.computed:,.{digits}f} {unit}", mark


def _reason(row: AuditRow) -> str:
    both = {"params": row.params.reason, "ops": row.ops.reason}
    reasons = {column: reason for column, reason in both.items() if reason}
    if len(set(reasons.values())) == 1 and len(reasons) == 2:
        return next(iter(reasons.values()))
    return " ".join(f"*{column}:* {reason}" for column, reason in reasons.items())


def agreement(rows: Sequence[AuditRow]) -> str:
    """Return one sentence on how many printed figures agree."""
    cells = [cell for row in rows for cell in (row.params, row.ops)]
    agree = sum(cell.agrees for cell in cells)
    known = sum(not cell.agrees and not cell.reason.startswith("No known") for cell in cells)
    return (
        f"{agree} of {len(cells)} printed figures agree with the printed widths; {known} more have a known "
        f"explanation, and {len(cells) - agree - known} have none."
    )


def counts_table(counts: Sequence[Count]) -> str:
    """Return the conventions of counting one network as a Markdown table."""
    lines = ["| what | number | how it is counted |", "|:--|--:|:--|"]
    lines += [f"| {c.name} | {fmt.exact(c.value)} {c.unit} | {c.convention} |" for c in counts]
    return "\n".join(lines)
