"""The totals of a network, each with its meaning and its change against the preset, as HTML."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from explorer.analysis import NetworkSummary
from explorer.views import formatting as fmt
from explorer.views.terms import TERMS


class Total(NamedTuple):
    """One total: label, value, change against the preset, and its meaning.

    Less of a ``cost`` is better; a larger receptive field is neither better nor worse.
    """

    label: str
    value: str
    delta: str
    meaning: str
    cost: bool = True


def totals(summary: NetworkSummary, base: NetworkSummary) -> tuple[Total, ...]:
    """Return the six totals of a network, compared with its preset."""
    inference, training = summary.parameters(aux=False), summary.parameters()
    macs, activations = summary.macs(), summary.activations()
    return (
        Total(
            "parameters",
            fmt.exact(inference),
            fmt.change(inference, base.parameters(aux=False)),
            TERMS["parameters"],
        ),
        Total(
            "in training",
            fmt.exact(training),
            fmt.change(training, base.parameters()),
            f"{TERMS['in training']} These are {fmt.exact(training - inference)}.",
        ),
        Total(
            f"MACs · {fmt.short(2 * macs)} FLOPs",
            fmt.short(macs),
            fmt.change(macs, base.macs()),
            f"{fmt.exact(macs)} MACs. {TERMS['MACs']} {TERMS['FLOPs']}",
        ),
        Total(
            "activations",
            fmt.megabytes(activations),
            fmt.memory_change(activations, base.activations()),
            f"{fmt.exact(activations)} numbers. {TERMS['activations']}",
        ),
        Total(
            "model size",
            fmt.megabytes(inference),
            fmt.memory_change(inference, base.parameters(aux=False)),
            TERMS["model size"],
        ),
        Total(
            "receptive field",
            f"{fmt.exact(summary.receptive_field)} px",
            fmt.change(summary.receptive_field, base.receptive_field),
            TERMS["receptive field"],
            cost=False,
        ),
    )


def to_html(all_totals: Sequence[Total]) -> str:
    """Return the totals as a list of terms and values. Each term shows its meaning on hover and on focus."""
    return f'<dl class="totals">{"".join(_item(number, total) for number, total in enumerate(all_totals))}</dl>'


def _item(number: int, total: Total) -> str:
    meaning = f"total-{number}"
    return (
        f'<div><dt><span class="term" tabindex="0" aria-describedby="{meaning}">{escape(total.label)}</span>'
        f'<span class="meaning" role="tooltip" id="{meaning}">{escape(total.meaning)}</span></dt>'
        f'<dd>{escape(total.value)}</dd><dd class="delta {_direction(total)}">{escape(total.delta)}</dd></div>'
    )


def _direction(total: Total) -> str:
    if not total.delta or not total.cost:
        return ""
    return "less" if total.delta.startswith("−") else "more"
