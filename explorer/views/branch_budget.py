"""The costs and the output channels of each branch of a module: a table, and a Sankey chart from input to concat."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from explorer.analysis import LayerRow, NetworkSummary
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.block_diagrams import branches_of, title
from explorer.views.canvas import COLOURINGS, TIME, measure
from explorer.views.figures import Chart, heading
from explorer.views.labels import BRANCH_NAMES

CHANNELS = "channels"
WIDTHS = {CHANNELS: "channels", **{name: COLOURINGS[name] for name in ("parameters", "macs", "activations", TIME)}}
Times = Mapping[str, float]


class BranchBudget(NamedTuple):
    """One branch: its output channels, its costs, the receptive field of its output in pixels.

    ``seconds`` is None when nothing was measured.
    """

    branch: str
    channels: int
    parameters: int
    macs: int
    activations: int
    receptive_field: int
    seconds: float | None = None


def branch_budgets(summary: NetworkSummary, module: str, times: Times | None = None) -> tuple[BranchBudget, ...]:
    """Return the branches of a module in the order of concatenation. Raises KeyError for an unknown module.

    ``times`` are seconds by path.
    """
    found = []
    for branch, chain in _branches(summary, module).items():
        seconds = sum(times.get(row.path, 0.0) for row in chain) if times else None
        end = chain[-1]
        costs = summary.by_branch[module, branch]
        found.append(BranchBudget(branch, end.out_shape[0], *costs, end.receptive_field, seconds))
    return tuple(found)


def budget_rows(branches: tuple[BranchBudget, ...]) -> list[dict[str, Any]]:
    """Return one dict per branch: channels and costs, each with its share of the module's branches in percent."""
    channels = sum(budget.channels for budget in branches)
    parameters = sum(budget.parameters for budget in branches)
    macs = sum(budget.macs for budget in branches)
    rows = [
        {
            "branch": BRANCH_NAMES[budget.branch],
            "channels": budget.channels,
            "% of output": fmt.percent(budget.channels, channels),
            "parameters": budget.parameters,
            "% of parameters": fmt.percent(budget.parameters, parameters),
            "MACs": budget.macs,
            "% of MACs": fmt.percent(budget.macs, macs),
            "receptive field": budget.receptive_field,
        }
        for budget in branches
    ]
    timed = [budget.seconds for budget in branches if budget.seconds is not None]
    for row, seconds in zip(rows, timed, strict=False):
        row |= {"time": fmt.layer_time(seconds), "% of time": fmt.percent(seconds, sum(timed))}
    return rows


def sankey(summary: NetworkSummary, module: str, width: str, theme: palette.Theme, times: Times | None = None) -> Chart:
    """Return a Sankey chart from the input through the branches to the concat.

    By ``channels`` each arrow is as wide as the channels it carries. By a cost, the left side is the share of it that
    each branch takes, the right side its share of the output channels. Raises KeyError for another width, and for
    ``time`` without measured times.
    """
    if width == CHANNELS:
        figure, reading = _by_channels(summary, module, theme)
    else:
        figure, reading = _by_cost(summary, module, width, theme, times)
    return Chart(figure, reading, budget_rows(branch_budgets(summary, module, times)))


def _by_cost(
    summary: NetworkSummary, module: str, width: str, theme: palette.Theme, times: Times | None
) -> tuple[go.Figure, str]:
    cost, chains = measure(width, times), _branches(summary, module)
    takes = _percentages([sum(map(cost.of, chain)) for chain in chains.values()])
    gives = _percentages([chain[-1].out_shape[0] for chain in chains.values()])
    names = [BRANCH_NAMES[branch] for branch in chains]
    count, concat = len(names), summary.concat(module)
    widest = max(range(count), key=lambda n: takes[n] - gives[n])
    labels = [f"{name}: {take:.0f} % → {give:.0f} %" for name, take, give in zip(names, takes, gives, strict=True)]
    figure = _sankey(
        f"The {names[widest]} branch takes {takes[widest]:.0f} % of the {cost.title} "
        f"and gives {gives[widest]:.0f} % of the channels",
        nodes=[(f"{cost.title} of {module}", None), *zip(labels, chains, strict=True), (_channels(concat), None)],
        links=[
            *((0, 1 + n, takes[n], branch) for n, branch in enumerate(chains)),
            *((1 + n, 1 + count, gives[n], branch) for n, branch in enumerate(chains)),
        ],
        value="%{value:.1f} %",
        theme=theme,
    )
    reading = (
        f"Left, the share of the {cost.title} each branch takes; right, the share of the output channels it gives. "
        "Where both sides are equally wide, the cost is in proportion to the channels."
    )
    return figure, reading


def _by_channels(summary: NetworkSummary, module: str, theme: palette.Theme) -> tuple[go.Figure, str]:
    chains, concat = _branches(summary, module), summary.concat(module)
    inputs = next(iter(chains.values()))[0].in_shape[0]
    nodes: list[tuple[str, str | None]] = [(f"input, {fmt.exact(inputs)} channels", None), (_channels(concat), None)]
    links = []
    for branch, chain in chains.items():
        before = 0
        for row in chain:
            nodes.append((title(row), branch))
            links.append((before, len(nodes) - 1, row.in_shape[0], branch))
            before = len(nodes) - 1
        links.append((before, 1, chain[-1].out_shape[0], branch))
    figure = _sankey(_narrowest_title(chains, inputs), nodes, links, value="%{value:,} channels", theme=theme)
    reading = (
        "Every arrow is as wide as the channels it carries. All branches see the whole input; a 1×1 in front of a "
        "larger kernel reduces the channels on which that kernel works."
    )
    return figure, reading


def _narrowest_title(chains: Mapping[str, Sequence[LayerRow]], inputs: int) -> str:
    """Return a title that names the branch with the narrowest reduction."""
    reduced = {branch: chain[0].out_shape[0] for branch, chain in chains.items() if chain[0].path.endswith(".reduce")}
    if not reduced:
        return f"No 1×1 reduces the {fmt.exact(inputs)} channels: every branch works on all of them"
    branch = min(reduced, key=reduced.__getitem__)
    return f"The {BRANCH_NAMES[branch]} branch works on {fmt.exact(reduced[branch])} of {fmt.exact(inputs)} channels"


def _sankey(
    text: str,
    nodes: Sequence[tuple[str, str | None]],
    links: Iterable[tuple[int, int, float, str]],
    value: str,
    theme: palette.Theme,
) -> go.Figure:
    """Return a Sankey figure. ``nodes`` are (label, branch or None), ``links`` (from, to, width, branch)."""
    labels, branches = zip(*nodes, strict=True)
    sources, targets, values, carriers = zip(*links, strict=True)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": labels,
                "color": [palette.BRANCH.get(branch or "", theme.line) for branch in branches],
                "pad": 18,
                "thickness": 16,
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": sources,
                "target": targets,
                "value": values,
                "color": [_translucent(palette.BRANCH[branch]) for branch in carriers],
                "hovertemplate": f"%{{source.label}} → %{{target.label}}: {value}<extra></extra>",
            },
            textfont={"color": theme.ink, "size": 14, "shadow": "none"},
        )
    )
    figure.update_layout(title=heading(text), height=380, margin={"l": 8, "r": 8, "t": 64, "b": 8})
    return figure


def _branches(summary: NetworkSummary, module: str) -> dict[str, list[LayerRow]]:
    summary.config.module(module)
    return branches_of([row for row in summary.rows if row.module == module])


def _channels(concat: LayerRow) -> str:
    return f"{fmt.exact(concat.out_shape[0])} channels"


def _percentages(numbers: Sequence[float]) -> list[float]:
    total = sum(numbers)
    return [100 * number / total if total else 0 for number in numbers]


def _translucent(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.45)"
