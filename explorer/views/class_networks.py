"""The networks of a class on one chart: cost against measured accuracy."""

from collections.abc import Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from explorer.views.figures import Chart


class Collected(NamedTuple):
    """A network that was handed in. ``accuracy`` is a fraction, None if it was never trained here."""

    name: str
    parameters: int
    macs: int
    accuracy: float | None
    dataset: str


def accuracy_chart(networks: Sequence[Collected]) -> Chart:
    """Return accuracy over parameters. Networks without a measurement stand on the line at the bottom."""
    measured = [network for network in networks if network.accuracy is not None]
    lowest = min((network.accuracy for network in networks if network.accuracy is not None), default=0.5)
    base = max(0.0, lowest - 0.05)
    figure = go.Figure()
    for title, some, symbol in (
        ("measured", measured, "circle"),
        ("not trained yet", [network for network in networks if network.accuracy is None], "circle-open"),
    ):
        figure.add_scatter(
            name=title,
            x=[network.parameters for network in some],
            y=[base if network.accuracy is None else network.accuracy for network in some],
            text=[network.name for network in some],
            mode="markers+text" if len(networks) <= 40 else "markers",
            textposition="top center",
            marker={"size": 11, "symbol": symbol, "line": {"width": 2}},
        )
    best = max(measured, key=lambda network: network.accuracy or 0, default=None)
    title = f"{best.name} has the highest accuracy" if best else "No network was trained here yet"
    figure.update_layout(
        title=title,
        xaxis={"title": "parameters at inference", "type": "log"},
        yaxis={"title": "test accuracy", "tickformat": ".0%", "range": [max(0.0, base - 0.05), 1.02]},
        height=440,
        legend={"orientation": "h", "y": -0.2},
    )
    reading = (
        "each mark is a network that was handed in; better ones are higher and further left. Accuracies compare only "
        "on the same dataset; those of one run each differ by chance too."
    )
    return Chart(figure, reading, [network._asdict() for network in networks])
