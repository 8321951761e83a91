"""A comparison as rows and HTML: the costs of each network, the six columns with their marks, the layers side by side.

Variants have the letters A to D and the colours of :mod:`explorer.views.palette`. A lower cost is better; a receptive
field is neither. Colour, sign and arrow together show what is better or worse.
"""

from collections.abc import Iterator, Sequence
from html import escape
from statistics import quantiles
from typing import Any, NamedTuple

from explorer.analysis import LayerRow, NetworkSummary
from explorer.comparison import AlignedLayer, AlignedModule, Comparison
from explorer.config import HEADINGS, InceptionModule
from explorer.diff import Change, find_changes
from explorer.views import formatting as fmt
from explorer.views.labels import edit_line
from explorer.views.layer_table import kernel
from explorer.views.palette import Theme

LETTERS = "ABCD"
BLANK, ABSENT = "blank", "–"
_RESULTS = ("output", "parameters", "MACs")
_COUNTS = {"parameters": "parameters", "macs": "MACs"}


class Quantity(NamedTuple):
    """One line of the totals: its field of NetworkTotals, label and convention, and whether less of it is better."""

    field: str
    label: str
    convention: str
    is_cost: bool = True

    def text(self, value: int) -> str:
        """Return the value with its unit."""
        if self.field == "activations":
            return fmt.megabytes(value)
        return f"{fmt.exact(value)} px" if self.field == "receptive_field" else fmt.exact(value)


QUANTITIES = (
    Quantity("parameters", "parameters", "trainable numbers at inference, without auxiliary heads"),
    Quantity("training_parameters", "in training", "parameters with the auxiliary heads"),
    Quantity("macs", "MACs", "multiply-accumulates for one image at inference; FLOPs = 2 × MACs"),
    Quantity("activations", "activations", "outputs of all layers for one image, as float32"),
    Quantity(
        "receptive_field", "receptive field", "pixels that one position after the last module sees", is_cost=False
    ),
)


def titles(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names with their letters: ``A paper``, ``B wide``. A single network has no letter."""
    if len(names) == 1:
        return tuple(names)
    return tuple(f"{letter} {name}" for letter, name in zip(LETTERS, names, strict=False))


def difference(quantity: Quantity, value: int, base: int) -> str:
    """Return how a value differs from the base's: ``▲ +1,728 (+0.02 %)``; empty where it does not."""
    if value == base:
        return ""
    text = fmt.memory_change if quantity.field == "activations" else fmt.change
    return f"{'▲' if value > base else '▼'} {text(value, base)}"


def total_rows(comparison: Comparison, names: Sequence[str]) -> list[dict[str, str]]:
    """Return a row per total, with each network's value and its difference from the base."""
    base = comparison.totals[comparison.base]
    rows = []
    for quantity in QUANTITIES:
        row = {"total": quantity.label}
        for title, facts in zip(titles(names), comparison.totals, strict=True):
            value, there = getattr(facts, quantity.field), getattr(base, quantity.field)
            row[title] = " ".join(filter(None, (quantity.text(value), difference(quantity, value, there))))
        rows.append(row)
    return rows


def setting_rows(comparison: Comparison, names: Sequence[str]) -> list[dict[str, str]]:
    """Return a row per setting outside the table in which a network differs from the base."""
    base = comparison.summaries[comparison.base].config
    rows = []
    for title, summary in zip(titles(names), comparison.summaries, strict=True):
        settings = (change for change in find_changes(base, summary.config) if not _in_table(change))
        rows += [{"network": title, "differs in": edit_line(change)} for change in settings]
    return rows


def _in_table(change: Change) -> bool:
    return change.field in HEADINGS or (change.field == "modules" and change.where != "table")


def cell_text(module: InceptionModule | None, field: str) -> str:
    """Return a cell of the table; ``blank`` for no 1×1, a dash where there is no such module."""
    if module is None:
        return ABSENT
    value = getattr(module, field)
    return BLANK if value is None else fmt.exact(value)


def layer_rows(layers: Sequence[AlignedLayer], letters: str, base: int) -> list[dict[str, Any]]:
    """Return a row per aligned layer: its status, each network's output, parameters and MACs, and the differences.

    ``letters`` are those of the networks, in order. A column Δ has what a network has more than the base, a layer that
    is missing counted as 0.
    """
    rows = []
    for layer in layers:
        row: dict[str, Any] = {"layer": layer.path, "differs": _differs(layer, letters, base)}
        for letter, here in zip(letters, layer.rows, strict=True):
            row[f"{letter} output"] = _output(here)
        for quantity, heading in _COUNTS.items():
            for letter, here in zip(letters, layer.rows, strict=True):
                row[f"{letter} {heading}"] = getattr(here, quantity) if here else None
            for at, letter in enumerate(letters):
                if at != base:
                    row[f"{letter} Δ {heading}"] = layer.difference(quantity, at, base)
        rows.append(row)
    return rows


def _differs(layer: AlignedLayer, letters: str, base: int) -> str:
    """Return the status of the base's layer in each network that differs: ``B changed, C removed``."""
    found = [f"{letter} {layer.status(at, base)}" for at, letter in enumerate(letters) if at != base]
    return ", ".join(text for text in found if not text.endswith("same"))


def most_different_text(comparison: Comparison, names: Sequence[str]) -> str:
    """Return which layer of each network differs most from the base's, as Markdown with a line for each network.

    It may be one in parameters and another in MACs. A network without a difference has no line.
    """
    base = LETTERS[comparison.base]
    lines = []
    for network, title in enumerate(titles(names)):
        found: dict[str, list[str]] = {}
        for quantity, heading in _COUNTS.items():
            if layer := comparison.most_different_layer(quantity, network):
                change = f"{fmt.signed(layer.difference(quantity, network, comparison.base))} {heading}"
                found.setdefault(layer.path, []).append(change)
        if found:
            layers = " and in ".join(f"`{path}` ({', '.join(changes)})" for path, changes in found.items())
            lines.append(f"**{fmt.markdown(title)} differs most from {base}** in {layers}.")
    return "  \n".join(lines)


def _output(row: LayerRow | None) -> str:
    if row is None:
        return ABSENT
    window = f" · {kernel(row)}" if row.kernel and row.kind == "conv" else ""
    return fmt.shape(row.out_shape) + window


def totals_html(comparison: Comparison, names: Sequence[str], theme: Theme) -> str:
    """Return the totals as a table: columns are networks, rows are quantities, and differences stand out.

    Each number has a bar beside it, in proportion to the largest number of its row.
    """
    head = "".join(_head(at, name, comparison.base, theme) for at, name in enumerate(names))
    body = "".join(_total_line(quantity, comparison, theme) for quantity in QUANTITIES)
    return f'<table class="compare facts"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'


def _head(at: int, name: str, base: int, theme: Theme) -> str:
    note = '<span class="base">base</span>' if at == base else ""
    return f"<th>{chip(LETTERS[at], theme)} {escape(name)}{note}</th>"


def chip(letter: str, theme: Theme) -> str:
    """Return a variant's letter in its colour."""
    return f'<b class="chip" style="border-color:{theme.variants[letter]};color:{theme.variants[letter]}">{letter}</b>'


def _total_line(quantity: Quantity, comparison: Comparison, theme: Theme) -> str:
    values = [getattr(facts, quantity.field) for facts in comparison.totals]
    cells = "".join(_total_cell(quantity, at, values, values[comparison.base], theme) for at in range(len(values)))
    return f'<tr><th title="{escape(quantity.convention)}">{escape(quantity.label)}</th>{cells}</tr>'


def _total_cell(quantity: Quantity, at: int, values: Sequence[int], there: int, theme: Theme) -> str:
    value = values[at]
    change = difference(quantity, value, there)
    colour = theme.muted if not quantity.is_cost else theme.worse if value > there else theme.better
    changed = f'<span class="delta" style="color:{colour}">{escape(change)}</span>' if change else ""
    fill = theme.variants[LETTERS[at]]
    bar = f'<i class="bar"><i style="width:{100 * value / max(values):.1f}%;background:{fill}"></i></i>'
    return f'<td><div><span class="value">{escape(quantity.text(value))}{changed}</span>{bar}</div></td>'


def cells_html(comparison: Comparison, theme: Theme) -> str:
    """Return the six columns of all networks in one table, differing cells marked, with each module's output and costs.

    A module has one line for the base and the networks equal to it, and one for each other network: because a cell
    differs, or because a difference elsewhere changes the module's output or costs.
    """
    head = "".join(f"<th>{escape(heading)}</th>" for heading in (*HEADINGS.values(), *_RESULTS))
    body = "".join("".join(_module_lines(module, comparison, theme)) for module in comparison.modules)
    return (
        f'<table class="compare cells"><thead><tr><th>module</th><td></td>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _module_lines(module: AlignedModule, comparison: Comparison, theme: Theme) -> Iterator[str]:
    base, networks = comparison.base, range(len(module.modules))
    results = [_results(summary, module.name) for summary in comparison.summaries]
    differing = [at for at in networks if module.differing_fields(at, base) or results[at] != results[base]]
    alike = [at for at in networks if at not in differing]
    for place, group in enumerate([alike, *([at] for at in differing)]):
        at = base if group is alike else group[0]
        start = f'<th rowspan="{1 + len(differing)}">{escape(module.name)}</th>' if place == 0 else ""
        who = "".join(chip(LETTERS[network], theme) for network in group) if differing else "all"
        cells = "".join(
            _cell(cell_text(module.modules[at], field), module.differs(field, at, base), theme) for field in HEADINGS
        )
        cells += "".join(_result_cell(*texts) for texts in zip(results[at], results[base], strict=True))
        kind = "differs" if differing else "same"
        yield f'<tr class="{kind}{" first" if start else ""}">{start}<td class="who">{who}</td>{cells}</tr>'


def _results(summary: NetworkSummary, name: str) -> tuple[str, ...]:
    """Return the output and the costs of a module; dashes where there is no such module."""
    if name not in {module.name for module in summary.config.modules}:
        return (ABSENT,) * len(_RESULTS)
    totals = summary.by_module[name]
    return fmt.shape(summary.concat(name).out_shape), fmt.exact(totals.parameters), fmt.exact(totals.macs)


def _result_cell(text: str, base: str) -> str:
    """Return the cell of a result: bold where it differs from the base's."""
    return f"<td>{escape(text)}</td>" if text == base else f'<td class="follows">{escape(text)}</td>'


def _cell(text: str, differs: bool, theme: Theme) -> str:
    if not differs:
        return f"<td>{escape(text)}</td>"
    return f'<td class="marked" style="color:{theme.worse}"><span>{escape(text)}</span></td>'


def time_text(milliseconds: Sequence[float]) -> str:
    """Return measured times as text: the median and the quartiles; empty for fewer than two."""
    if len(milliseconds) < 2:
        return ""
    low, middle, high = quantiles(milliseconds, n=4)
    return f"{middle:,.1f} ms for one image (middle half {low:,.1f} to {high:,.1f})"
