"""Training in words and tables: how far a run is, what its result says and does not, the standings of a race.

Standard errors are those of a share of independent images: √(p (1 − p) / n).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import Any

import plotly.graph_objects as go

from explorer.analysis import NetworkSummary
from explorer.runs.records import Point, Run, State
from explorer.training.events import Evaluated
from explorer.training.plan import Budget, DatasetInfo, Plan, Settings, effective_learning_rate
from explorer.training.races import Standing, within_spread
from explorer.views import formatting as fmt
from explorer.views.comparison_tables import LETTERS
from explorer.views.figures import Chart, heading
from explorer.views.palette import CIVIDIS

ON_THE_WAY = 500  # test images of an evaluation before the last (explorer.live.training.SAMPLE)
STATES: Mapping[State, tuple[str, str, str]] = {  # what a state is called, its colour, its icon
    "queued": ("waiting", "gray", "hourglass_top"),
    "running": ("training", "blue", "play_arrow"),
    "paused": ("paused", "orange", "pause"),
    "finished": ("finished", "green", "check"),
    "cancelled": ("stopped", "gray", "stop"),
    "failed": ("failed", "red", "error"),
    "interrupted": ("interrupted", "orange", "power_off"),
}
_CROWDED = 12  # classes; beyond, the numbers in the matrix cannot be read
_BY_HEART = 0.05  # of accuracy: from here on the distance between training and test is worth a sentence


def duration(seconds: float) -> str:
    """Return a time as it is spoken of: ``8 s``, ``1 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def share(value: float) -> str:
    """Return a share in percent: ``88.4 %``."""
    return f"{100 * value:.1f} %"


def points(difference: float) -> str:
    """Return a difference of two shares: ``78.4 points``."""
    return f"{100 * difference:.1f} points"


def budget(asked: Budget) -> str:
    """Return a budget with its unit: ``60 seconds``, ``1.50 G MACs``."""
    if asked.kind == "macs":
        return f"{fmt.short(asked.amount)} MACs"
    unit = asked.kind[:-1] if asked.amount == 1 else asked.kind
    return f"{asked.amount:,g} {unit}"


def settings(asked: Settings, plan: Plan) -> str:
    """Return how a run trains, in one line."""
    rates = dict.fromkeys(f"{effective_learning_rate(asked, entrant.config):.2g}" for entrant in plan.entrants)
    method = f"SGD, Nesterov momentum {asked.momentum:g}" if asked.optimiser == "sgd" else "Adam"
    parts = [
        f"batches of {asked.batch_size:,}",
        method,
        f"learning rate {' / '.join(rates)}",
        {"one_cycle": "one-cycle", "paper": "−4 % every 8 epochs", "constant": "constant"}[asked.schedule],
        f"weight decay {asked.weight_decay:g}",
        "augmented" if asked.augment else "not augmented",
    ]
    return " · ".join([*parts, *(["bfloat16"] if asked.precision == "bf16" else [])])


def planned(plan: Plan, facts: DatasetInfo) -> str:
    """Return what a run is about, in one line: networks, images, budget, seeds."""
    names = " vs ".join(entrant.name for entrant in plan.entrants)
    each = " each" if len(plan.trainers) > 1 else ""
    seeds = f"seed{'s' * (len(plan.seeds) > 1)} {', '.join(map(str, plan.seeds))}"
    return f"{names} on {facts.title} · {budget(plan.budget)}{each} · {seeds}"


def caution(plan: Plan) -> str:
    """Return what is known to make some of these networks hard to train; empty where nothing does."""
    bare = [entrant for entrant in plan.entrants if entrant.config.normalisation != "batch_norm"]
    if not bare:
        return ""
    names = " and ".join(entrant.name for entrant in bare)
    rates = dict.fromkeys(f"{effective_learning_rate(plan.settings, entrant.config):.2g}" for entrant in bare)
    return (
        f"{names} {'has no BatchNorm and is' if len(bare) == 1 else 'have no BatchNorm and are'} hard to train: "
        f"at larger learning rates than {' / '.join(rates)} the loss soon diverges, at this one a run moves little."
    )


def seconds_left(run: Run) -> float | None:
    """Return how much longer it will train at the pace so far; None before that can be told."""
    spent = sum(lane.seconds for lane in run.trainers)
    if run.progress <= 0 or spent < 0.5:
        return None
    return spent * (1 - run.progress) / run.progress


def progress(run: Run) -> str:
    """Return how far a run is: ``41 % · about 35 s left · 812 images/s · step 640``."""
    spent, seen = sum(lane.seconds for lane in run.trainers), sum(lane.images for lane in run.trainers)
    left = seconds_left(run)
    parts = [f"{100 * run.progress:.0f} %"]
    if left is not None:
        parts += [f"about {duration(left)} left", f"{seen / spent:,.0f} images/s"]
    return " · ".join([*parts, f"step {run.step:,}"])


def waiting(place: int) -> str:
    """Return where a run stands in the queue, which ``place`` runs are before."""
    if place == 0:
        return "It starts in a moment."
    return "One run is before it." if place == 1 else f"{place} runs are before it."


def verdict(evaluated: Evaluated, classes: int, tests: Sequence[Point], train_accuracy: float | None) -> str:
    """Say in sentences what a result shows, and what not.

    ``tests`` are the test accuracies so far, in order; ``train_accuracy`` the mean over the last batches.
    """
    judged = sum(map(sum, evaluated.confusion))
    chance, right = 1 / classes, evaluated.accuracy
    error = sqrt(right * (1 - right) / judged)
    if right - chance <= 2 * sqrt(chance * (1 - chance) / judged):
        first = (
            f"No better than chance: {share(right)} of {judged:,} test images, where guessing gives {share(chance)}."
        )
    else:
        first = (
            f"**{share(right)}** of {judged:,} test images are told right (± {100 * error:.1f} by the choice of "
            f"images): better than chance by {points(right - chance)}."
        )
    return " ".join(filter(None, (first, _trend(tests, judged), _by_heart(right, train_accuracy))))


def _trend(tests: Sequence[Point], judged: int) -> str:
    """Compare the last evaluation with the one three tenths of the budget before it."""
    if len(tests) < 5:
        return ""
    last, before, since = tests[-1].value, tests[-4].value, f"step {tests[-4].step:,}"
    spread = sqrt(sum(p * (1 - p) / n for p, n in ((last, judged), (before, min(judged, ON_THE_WAY)))))
    if last - before > 2 * spread:
        return f"Still improving: {points(last - before)} more than at {since}; a larger budget may help."
    if before - last > 2 * spread:
        return f"It was better at {since}: {share(before)}."
    return f"No clear change since {since}."


def _by_heart(right: float, train_accuracy: float | None) -> str:
    if train_accuracy is None or train_accuracy - right < _BY_HEART:
        return ""
    return f"Of the training images it tells {share(train_accuracy)}: part of that is learned by heart."


def confusion(evaluated: Evaluated, classes: Sequence[str]) -> Chart:
    """Return which class was taken for which, as a matrix; the title names the commonest mistake."""
    counts = evaluated.confusion
    pairs = [(counts[t][s], t, s) for t in range(len(classes)) for s in range(len(classes)) if t != s]
    most, truth, said = max(pairs)
    title = "No mistake at all"
    if most:
        title = f"{classes[truth]} is most often taken for {classes[said]}: {most} of {sum(counts[truth])}"
    few = len(classes) <= _CROWDED
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in counts],
            x=list(classes),
            y=list(classes),
            colorscale=[[at / (len(CIVIDIS) - 1), colour] for at, colour in enumerate(CIVIDIS)],
            texttemplate="%{z}" if few else None,
            hovertemplate="%{y} taken for %{x}: %{z}<extra></extra>",
            colorbar={"title": "images", "thickness": 12},
        )
    )
    figure.update_layout(
        title=heading(title),
        height=max(430, min(900, 120 + 34 * len(classes))),
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        xaxis={"title": "said", "tickangle": -35, "type": "category", "automargin": True},
        yaxis={"title": "is", "autorange": "reversed", "type": "category", "automargin": True},
    )
    data = [
        {"is": classes[t], "said": classes[s], "images": counts[t][s]}
        for t in range(len(classes))
        for s in range(len(classes))
        if counts[t][s]
    ]
    reading = "A row per true class, a column per answer; right answers lie on the diagonal."
    return Chart(figure, reading, data)


def race_rows(
    plan: Plan, summaries: Sequence[NetworkSummary], rows: Sequence[Standing], seconds: Mapping[int, float]
) -> list[dict[str, Any]]:
    """Return a row per network, the best first. ``seconds`` of training by the number of the entrant, per seed."""
    numbers = {entrant.name: number for number, entrant in enumerate(plan.entrants)}
    return [
        {
            "": LETTERS[number],
            "network": row.name,
            "test accuracy": share(row.mean),
            "spread": "one seed" if row.spread is None else f"± {100 * row.spread:.1f}",
            "seeds": len(row.accuracies),
            "training time": duration(seconds[number]),
            "parameters": fmt.exact(summaries[number].parameters(aux=False)),
            "MACs": fmt.short(summaries[number].macs()),
        }
        for row in rows
        for number in (numbers[row.name],)
    ]


def race_verdict(rows: Sequence[Standing]) -> str:
    """Say which differences are more than what the seeds make, and which are not."""
    if len(rows) < 2:
        return ""
    if any(row.spread is None for row in rows):
        best, second = rows[:2]
        return (
            f"**{best.name}** is ahead of {second.name} by {points(best.mean - second.mean)}. With one seed each that "
            "may be luck: run more seeds to see how much they spread."
        )
    said = []
    for one, other in combinations(rows, 2):
        apart = f"{one.name} and {other.name}: {points(one.mean - other.mean)} apart"
        said.append(
            f"{apart}, **within the spread** of the seeds, so this race does not tell them apart."
            if within_spread(one, other)
            else f"{apart}, more than the seeds spread."
        )
    return "  \n".join(said)
