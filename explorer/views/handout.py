"""A handout: one self-contained HTML page to print. It loads nothing from outside.

Diagrams are SVG images inside the page; charts are bars drawn here. All text is escaped here.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from html import escape

from explorer.analysis import NetworkSummary
from explorer.comparison import Comparison
from explorer.diff import find_changes
from explorer.history import Version
from explorer.lessons.worksheet import Worksheet
from explorer.presets import CATALOGUE
from explorer.table import to_rows
from explorer.views import comparison_tables, diagrams, tables
from explorer.views import formatting as fmt
from explorer.views.canvas import Drawing
from explorer.views.labels import edit_line
from explorer.views.layer_table import layer_rows
from explorer.views.layout import LayoutUnavailableError
from explorer.views.network_table import version_title
from explorer.views.palette import LIGHT

CHARTS = {"macs": "MACs per block, at inference", "parameters": "Parameters per block, at inference"}
_MAX_DRAWN = 3  # modules of a comparison, if none is selected
_ROW, _LABEL, _CHART = 13, 82, 560  # points: a bar's height, the names' width, the longest bar

_STYLE = f"""
body {{ font: 11pt/1.45 "Helvetica Neue", Helvetica, Arial, sans-serif; color: {LIGHT.ink}; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
h1 {{ font-size: 1.7em; margin: 0; }} h2 {{ font-size: 1.15em; margin: 2em 0 .5em; break-after: avoid; }}
p, figcaption {{ color: {LIGHT.muted}; margin: .3em 0; }} figure {{ margin: 0; break-inside: avoid; }}
img, svg {{ max-width: 100%; height: auto; }}
table {{ border-collapse: collapse; font-size: .82em; font-variant-numeric: tabular-nums; }}
th {{ text-align: left; font-weight: 600; }} th, td {{ padding: .2em .7em .2em 0; vertical-align: top; }}
thead th {{ border-bottom: 1.5px solid {LIGHT.line}; }} tbody tr {{ border-bottom: .5px solid #d5dbe3; }}
tr {{ break-inside: avoid; }}
.n, .cells thead th + th + th, .facts td, .cells td {{ text-align: right; white-space: nowrap; }}
.layers {{ font-size: .8em; }} .delta {{ display: block; font-size: .9em; }} .who {{ text-align: left; }}
.chip {{ border: 1.5px solid; border-radius: 4px; padding: 0 .3em; margin-right: .2em; }}
.bar {{ display: none; }} td.follows {{ font-weight: 600; }}
.base {{ color: {LIGHT.muted}; font-weight: 400; margin-left: .4em; }} td.marked {{ font-weight: 700; }}
.scroll {{ overflow-x: auto; }} ol li {{ margin: .9em 0; break-inside: avoid; }}
.answers {{ break-before: page; }}
@page {{ margin: 15mm; }}
@media print {{ body {{ margin: 0; max-width: none; padding: 0; font-size: 9.5pt; }}
  th, td {{ padding-right: .45em; }} .layers :is(th, td) {{ padding-right: .3em; }} .scroll {{ overflow: visible; }}
  .layers :is(th, td:not(.n)), .cells th {{ white-space: normal; }} .compare {{ width: 100%; }} }}
"""


def network_handout(
    version: Version,
    summary: NetworkSummary,
    name: str = "",
    note: str = "",
    modules: Sequence[str] = (),
    questions: Worksheet | None = None,
) -> str:
    """Return the handout of one network: totals, table, edits, diagrams, charts, layers, and the questions if given.

    ``modules`` are drawn after the whole network. Raises KeyError for an unknown one.
    """
    edits = find_changes(version.base_config, version.config)
    title = name or version_title(CATALOGUE[version.base].title, edits)
    comparison = Comparison((summary,))
    parts = [
        _paragraph(note),
        _paragraph(f"{CATALOGUE[version.base].story} Source: {CATALOGUE[version.base].source}."),
        _section("Totals", tables.to_html(comparison_tables.total_rows(comparison, [title])), _conventions()),
        _section("The table", tables.to_html(_printed_table(summary))),
        _section("Edits", _list(map(edit_line, edits))) if edits else "",
        _diagram("The network", diagrams.overview(summary)),
        *(_diagram(f"Module {module}", diagrams.module(summary, module)) for module in modules),
        *_charts(comparison, [title]),
        _section("All layers", _layers(_printed_layers(summary))),
        *(_questions(questions) if questions else ()),
    ]
    return _page(title, parts)


def comparison_handout(comparison: Comparison, names: Sequence[str], modules: Sequence[str] | None = None) -> str:
    """Return the handout of a comparison: totals with differences, tables, settings, charts, and differing layers.

    ``modules`` are drawn for each network that has them; None stands for the first whose cells differ.
    """
    drawn = comparison.edited_modules[:_MAX_DRAWN] if modules is None else modules
    settings = comparison_tables.setting_rows(comparison, names)
    diagram_sections = (
        _diagram(f"{title}: module {module}", diagrams.module(summary, module))
        for module in drawn
        for title, summary in zip(comparison_tables.titles(names), comparison.summaries, strict=True)
        if module in {row.name for row in summary.config.modules}
    )
    parts = [
        _section("Totals", comparison_tables.totals_html(comparison, names, LIGHT), _conventions()),
        _section(
            "The tables", comparison_tables.cells_html(comparison, LIGHT), "Cells that differ from the base are marked."
        ),
        _section("Settings that differ", tables.to_html(settings)) if settings else "",
        *_charts(comparison, names),
        *diagram_sections,
        *_differing_layers(comparison),
    ]
    return _page(" and ".join(comparison_tables.titles(names)), parts)


def _differing_layers(comparison: Comparison) -> Iterator[str]:
    """Yield a table for each network that differs from the base: all in one would be wider than a sheet of paper."""
    base = comparison.base
    for at, letter in enumerate(comparison_tables.LETTERS[: len(comparison.summaries)]):
        layers = Comparison((comparison.summaries[base], comparison.summaries[at])).differing_layers
        if layers:
            pair = comparison_tables.LETTERS[base] + letter
            rows = comparison_tables.layer_rows(layers, pair, 0)
            yield _section(f"Layers that differ between {pair[0]} and {letter}", _layers(rows))


def _layers(rows: tables.Rows) -> str:
    return f'<div class="layers scroll">{tables.to_html(rows)}</div>'


def bars(comparison: Comparison, names: Sequence[str], quantity: str) -> str:
    """Return bars per block and network as SVG, drawn to one scale, each with its number."""
    blocks = [block for block in comparison.blocks if not block.startswith("aux_")]
    values = [[getattr(s.by_module.get(block), quantity, 0) for s in comparison.summaries] for block in blocks]
    most = max(max(row) for row in values) or 1
    several = len(names) > 1
    lines, top = [], 0
    for block, row in zip(blocks, values, strict=True):
        middle = top + _ROW * len(row) / 2 + 4
        lines.append(f'<text x="{_LABEL - 8}" y="{middle:g}" text-anchor="end">{escape(block)}</text>')
        for letter, value in zip(comparison_tables.LETTERS, row, strict=False):
            long = _CHART * value / most
            fill = LIGHT.variants[letter] if several else LIGHT.line
            lines.append(f'<rect x="{_LABEL}" y="{top + 1}" width="{long:.1f}" height="{_ROW - 3}" fill="{fill}"/>')
            text = f"{letter} {fmt.short(value)}" if several else fmt.short(value)
            lines.append(f'<text x="{_LABEL + long + 5:.1f}" y="{top + _ROW - 3}">{text}</text>')
            top += _ROW
        top += 5
    label = f"{CHARTS[quantity]}: {', '.join(comparison_tables.titles(names)) if several else names[0]}"
    wide = _LABEL + _CHART + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" viewBox="0 0 {wide} {top}" '
        f'width="{wide}" height="{top}" font-size="10" fill="{LIGHT.ink}">{"".join(lines)}</svg>'
    )


def _charts(comparison: Comparison, names: Sequence[str]) -> Iterator[str]:
    for quantity, title in CHARTS.items():
        yield _section(title, f"<figure>{bars(comparison, names, quantity)}</figure>")


def _printed_table(summary: NetworkSummary) -> list[dict[str, object]]:
    rows = []
    for row in to_rows(summary.config):
        totals, out = summary.by_module[row["module"]], summary.concat(row["module"]).out_shape
        cells = {heading: comparison_tables.BLANK if value is None else value for heading, value in row.items()}
        rows.append({**cells, "output": fmt.shape(out), "parameters": totals.parameters, "MACs": totals.macs})
    return rows


def _printed_layers(summary: NetworkSummary) -> list[dict[str, object]]:
    """Return the rows of all layers without the columns that the path of a layer says too."""
    return [
        {heading: value for heading, value in row.items() if heading not in ("kind", "branch")}
        for row in layer_rows(summary.rows)
    ]


def _questions(worksheet: Worksheet) -> Iterator[str]:
    """Yield the questions with their options, and the answers on a separate page."""
    items = (f"{question.text} {_options(question.options, question.unit)}" for question in worksheet.questions)
    yield _section("Questions", _list(items, "ol"))
    answers = (
        f"{fmt.exact(question.value)} {question.unit}. {question.why} {question.formula}"
        for question in worksheet.questions
    )
    yield f'<div class="answers">{_section("Answers", _list(answers, "ol"))}</div>'


def _options(options: Sequence[int], unit: str) -> str:
    return " · ".join(f"☐ {fmt.exact(option)} {unit}" for option in options)


def _conventions() -> str:
    return "; ".join(f"{fact.label}: {fact.convention}" for fact in comparison_tables.QUANTITIES) + "."


def _diagram(title: str, drawing: Drawing) -> str:
    try:
        picture = b64encode(drawing.standalone_svg.encode()).decode()
    except LayoutUnavailableError as error:
        return _section(title, "", str(error))
    image = f'<img src="data:image/svg+xml;base64,{picture}" alt="{escape(drawing.alt)}">'
    return _section(title, f"<figure>{image}</figure>")


def _section(title: str, content: str, caption: str = "") -> str:
    return f"<section><h2>{escape(title)}</h2>{content}{_paragraph(caption)}</section>"


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _list(items: Iterator[str], kind: str = "ul") -> str:
    return f"<{kind}>{''.join(f'<li>{escape(item)}</li>' for item in items)}</{kind}>"


def _page(title: str, parts: Sequence[str]) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><header><h1>{escape(title)}</h1><p>Inception Explorer</p></header>{''.join(parts)}</body></html>\n"
    )
