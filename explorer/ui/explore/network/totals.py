"""The totals at the top: six numbers, each with its convention and its change against the preset."""

from typing import NamedTuple

import streamlit as st

from explorer.analysis import NetworkSummary, summarize
from explorer.ui import state
from explorer.views import formatting as fmt


class Total(NamedTuple):
    """One total: label, value, change against the preset, and the convention behind it.

    Less of a ``cost`` is better; a larger receptive field is neither better nor worse.
    """

    label: str
    value: str
    delta: str
    convention: str
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
            "Trainable numbers of the network at inference, without auxiliary heads: weights, biases, and BatchNorm's "
            "γ and β. Running statistics are not parameters.",
        ),
        Total(
            "while training",
            fmt.exact(training),
            fmt.change(training, base.parameters()),
            "With the auxiliary heads, which exist in training only: "
            f"{fmt.exact(training - inference)} more parameters.",
        ),
        Total(
            f"MACs · {fmt.short(2 * macs)} FLOPs",
            fmt.short(macs),
            fmt.change(macs, base.macs()),
            f"{fmt.exact(macs)} multiply-accumulates of convolutions and fully connected layers for one image, without "
            "auxiliary heads. FLOPs = 2 × MACs. Biases, pooling, LRN and BatchNorm are not counted.",
        ),
        Total(
            "activations",
            fmt.megabytes(activations),
            fmt.memory_change(activations, base.activations()),
            f"{fmt.exact(activations)} numbers, 4 bytes each: the outputs of all layers for one image, all in memory, "
            "ReLU in place.",
        ),
        Total(
            "model size",
            fmt.megabytes(inference),
            fmt.memory_change(inference, base.parameters(aux=False)),
            "The parameters at inference as float32, 4 bytes each; 1 MB = 10⁶ bytes. A file with BatchNorm's running "
            "statistics is a little larger.",
        ),
        Total(
            "receptive field",
            f"{fmt.exact(summary.receptive_field)} px",
            fmt.change(summary.receptive_field, base.receptive_field),
            "Pixels of the image along one side that one position after the last module sees, through the widest "
            "branch: r += (k − 1) · j, then j *= s. It may be larger than the image.",
            cost=False,
        ),
    )


def show_totals() -> None:
    """Show the six totals of the current network."""
    version = state.current()
    all_totals = totals(summarize(version.config), summarize(version.base_config))
    with st.container(horizontal=True, key="totals", gap="small"):
        for total in all_totals:
            st.metric(
                total.label,
                total.value,
                total.delta.replace("−", "-") or None,
                delta_color="inverse" if total.cost else "off",
                help=total.convention,
                width=190,
            )
