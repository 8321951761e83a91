"""Charts of a study: accuracy against cost, the best table found against the compute used, and replays."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from explorer.jobs.replays import SamplerComparison
from explorer.search.outcome import front
from explorer.search.records import Kind, StudyRecord, TrialRecord
from explorer.search.samplers import SAMPLERS
from explorer.views import search as words
from explorer.views.figures import Chart, heading
from explorer.views.palette import Theme

_LAYOUT: dict[str, Any] = {
    "margin": {"l": 10, "r": 10, "t": 80, "b": 10},
    "height": 380,
    "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    "hoverlabel": {"namelength": -1},
}
_SYMBOLS: Mapping[Kind, str] = {"search": "circle", "random": "diamond-open"}
_DASHES = {"random": "dot"}  # of lines, which are solid otherwise
_LETTERS: Mapping[str, str] = {"search": "A", "tpe": "A", "random": "B", "evolutionary": "C", "paper": "D"}


def accuracy_against_cost(record: StudyRecord, theme: Theme) -> Chart:
    """Return the complete trials as points, with the front as a line. ``customdata`` of a point: arm and number."""
    quantity = record.spec.quantity
    figure, rows = go.Figure(), list[dict[str, Any]]()
    line = front(record)
    figure.add_scatter(
        x=[point.cost for point in line],
        y=[100 * point.accuracy for point in line],
        mode="lines",
        name="front",
        line={"color": theme.muted, "shape": "hv"},
        hoverinfo="skip",
    )
    for kind in ("search", "random"):
        trials = [one for one in record.trials if one.arm.kind == kind and one.accuracy is not None and one.costs]
        figure.add_scatter(
            x=[one.costs[quantity] for one in trials],
            y=[100 * (one.accuracy or 0.0) for one in trials],
            mode="markers",
            name=words.KINDS[kind],
            marker={"color": theme.variants[_LETTERS[kind]], "symbol": _SYMBOLS[kind], "size": 9},
            customdata=[[kind, one.arm.ceiling, one.number] for one in trials],
            text=[_table_text(one) for one in trials],
            hovertemplate="%{y:.1f} %, %{x:,}<br>%{text}<extra>" + words.KINDS[kind] + "</extra>",
        )
        rows += [
            {"arm": words.KINDS[kind], "trial": one.number, "accuracy": one.accuracy, quantity: one.costs[quantity]}
            for one in trials
        ]
    figure.update_layout(
        _LAYOUT,
        title=heading("Accuracy against cost"),
        xaxis={"title": words.QUANTITIES[quantity]},
        yaxis={"title": "accuracy in %"},
    )
    reading = "each mark is a trained table. The line joins those that no other beats at the same or a lower cost."
    return Chart(figure, reading, rows)


def _table_text(trial: TrialRecord) -> str:
    """Return the first rows of a table for a tooltip."""
    if trial.config is None:
        return ""
    lines = [
        " ".join("–" if width is None else str(width) for width in list(dict(module).values())[1:])
        for module in trial.config.modules
    ]
    names = [module.name for module in trial.config.modules]
    return "<br>".join(f"{name}: {line}" for name, line in zip(names, lines, strict=True))


def best_by_compute(record: StudyRecord, ceiling: int, theme: Theme) -> Chart:
    """Return the best validation accuracy against the MACs of training, for the search and its random control."""
    figure, rows = go.Figure(), list[dict[str, Any]]()
    for kind in ("search", "random"):
        ended = [one for one in record.arm(ceiling, kind) if one.macs]
        used = list(accumulate(one.macs / 1e12 for one in ended))
        best = list(accumulate((100 * (one.accuracy or 0.0) for one in ended), max))
        figure.add_scatter(
            x=used,
            y=[value or None for value in best],
            mode="lines",
            name=words.KINDS[kind],
            line={
                "color": theme.variants[_LETTERS[kind]],
                "shape": "hv",
                "dash": "solid" if kind == "search" else "dot",
            },
        )
        rows += [
            {"arm": words.KINDS[kind], "training T MACs": x, "best accuracy in %": y}
            for x, y in zip(used, best, strict=True)
        ]
    figure.update_layout(
        _LAYOUT,
        title=heading("Best table so far"),
        xaxis={"title": "T MACs of training"},
        yaxis={"title": "accuracy in %"},
    )
    reading = (
        "both have used the same MACs up to one trial. The best of many is too optimistic; the end of the study is not."
    )
    return Chart(figure, reading, rows)


def replays(comparisons: Sequence[SamplerComparison], own_accuracy: float, theme: Theme) -> Chart:
    """Return the mean best accuracy of each sampler by trials of full length; the network's own table is a line."""
    figure, rows = go.Figure(), list[dict[str, Any]]()
    for one in comparisons:
        trials = list(range(1, len(one.curve) + 1))
        figure.add_scatter(
            x=trials,
            y=[100 * value for value in one.curve],
            mode="lines",
            name=SAMPLERS[one.sampler].title,
            line={
                "color": theme.variants[_LETTERS[one.sampler]],
                "dash": "dot" if one.sampler == "random" else "solid",
            },
        )
        rows += [{"sampler": one.sampler, "trials": x, "accuracy": y} for x, y in zip(trials, one.curve, strict=True)]
    figure.add_hline(
        100 * own_accuracy, line={"color": theme.muted, "dash": "dash"}, annotation_text="the network's own"
    )
    figure.update_layout(
        _LAYOUT,
        title=heading("Best table found by each sampler"),
        xaxis={"title": "trials of full length"},
        yaxis={"title": "accuracy in %"},
    )
    reading = f"means over {comparisons[0].replays} replays. A table is evaluated by other seeds than it was chosen by."
    return Chart(figure, reading, rows)


def importance_bars(importances: Mapping[str, float], theme: Theme) -> Chart:
    """Return the importance of each dimension as bars."""
    names = list(importances)[::-1]
    figure = go.Figure(
        go.Bar(x=[importances[name] for name in names], y=names, orientation="h", marker={"color": theme.variants["A"]})
    )
    figure.update_layout(_LAYOUT, title=heading("Importance of each dimension"))
    figure.update_layout(height=120 + 26 * len(names))
    reading = "how far the best tables differ from all in a dimension (PED-ANOVA); 0 is not at all. All add up to 1."
    return Chart(figure, reading, [{"dimension": name, "importance": value} for name, value in importances.items()])
