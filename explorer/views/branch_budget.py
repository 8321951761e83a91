"""What each branch of a module gives and what it takes: a table, and a flow picture of both shares."""

from typing import TYPE_CHECKING, Any, NamedTuple

from explorer.analysis import NetworkSummary
from explorer.views import formatting as fmt
from explorer.views import palette
from explorer.views.formulas import channel_ranges
from explorer.views.layer_table import BRANCH_NAMES

if TYPE_CHECKING:
    import plotly.graph_objects as go

COSTS = {"parameters": "parameters", "macs": "MACs", "activations": "activations"}


class Share(NamedTuple):
    """One branch: its output channels, its costs, and the receptive field of its output in pixels."""

    branch: str
    channels: int
    parameters: int
    macs: int
    activations: int
    receptive_field: int


def shares(summary: NetworkSummary, module: str) -> tuple[Share, ...]:
    """Return the branches of a module in the order of concatenation. Raises KeyError for an unknown module."""
    found = []
    for branch, (first, last) in channel_ranges(summary, module).items():
        end = [row for row in summary.rows if (row.module, row.branch) == (module, branch)][-1]
        found.append(Share(branch, last - first + 1, *summary.by_branch[module, branch], end.receptive_field))
    return tuple(found)


def budget_rows(branches: tuple[Share, ...]) -> list[dict[str, Any]]:
    """Return one dict per branch: channels and costs, each with its share of the module's branches in percent."""
    channels = sum(share.channels for share in branches)
    totals = {cost: sum(getattr(share, cost) for share in branches) for cost in COSTS}
    return [
        {
            "branch": BRANCH_NAMES[share.branch],
            "channels": share.channels,
            "% of output": _percent(share.channels, channels),
            "parameters": share.parameters,
            "% of parameters": _percent(share.parameters, totals["parameters"]),
            "MACs": share.macs,
            "% of MACs": _percent(share.macs, totals["macs"]),
            "receptive field": share.receptive_field,
        }
        for share in branches
    ]


def flow(summary: NetworkSummary, module: str, cost: str) -> "go.Figure":
    """Return a Sankey picture: left, the share of ``cost`` each branch takes; right, the channels it gives."""
    import plotly.graph_objects as go

    branches = shares(summary, module)
    takes = _shares_of([getattr(share, cost) for share in branches])
    gives = _shares_of([share.channels for share in branches])
    colours = [palette.BRANCH[share.branch] for share in branches]
    count = len(branches)
    concat = summary.concat(module)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            node={
                "label": [
                    f"{COSTS[cost]} of {module}",
                    *(BRANCH_NAMES[share.branch] for share in branches),
                    f"{concat.out_shape[0]:,} channels",
                ],
                "color": [palette.LIGHT.line, *colours, palette.LIGHT.line],
                "pad": 18,
                "thickness": 16,
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": [0] * count + list(range(1, count + 1)),
                "target": list(range(1, count + 1)) + [count + 1] * count,
                "value": [*takes, *gives],
                "color": [_pale(colour) for colour in colours] * 2,
                "hovertemplate": "%{source.label} → %{target.label}: %{value:.1f} %<extra></extra>",
            },
        )
    )
    figure.update_layout(
        title=_title(branches, takes, gives, cost), height=340, margin={"l": 8, "r": 8, "t": 56, "b": 8}
    )
    return figure


def _title(branches: tuple[Share, ...], takes: list[float], gives: list[float], cost: str) -> str:
    widest = max(range(len(branches)), key=lambda n: takes[n] - gives[n])
    return (
        f"The {BRANCH_NAMES[branches[widest].branch]} branch takes {takes[widest]:.0f} % of the {COSTS[cost]} "
        f"and gives {gives[widest]:.0f} % of the channels"
    )


def _shares_of(numbers: list[int]) -> list[float]:
    total = sum(numbers)
    return [100 * number / total if total else 0 for number in numbers]


def _percent(part: int, whole: int) -> str:
    return fmt.percent(part, whole)


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.45)"
