"""Training in sentences and tables: the progress of a run, what its result shows, and the standings of a race.

Standard errors are those of the fraction of independent images: √(p (1 − p) / n).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt
from typing import Any, Literal

import plotly.graph_objects as go

from explorer.analysis import NetworkSummary
from explorer.runs.records import Point, Run, State
from explorer.training.events import Evaluated
from explorer.training.plan import (
    INTERIM_TEST_IMAGES,
    Budget,
    DatasetInfo,
    Plan,
    Settings,
    effective_learning_rate,
)
from explorer.training.races import Standing, within_spread
from explorer.views import formatting as fmt
from explorer.views.comparison_tables import LETTERS
from explorer.views.figures import Chart, heading
from explorer.views.palette import CIVIDIS

BadgeColour = Literal["gray", "blue", "orange", "green", "red"]
STATES: Mapping[State, tuple[str, BadgeColour, str]] = {  # the name of a state, its colour, its icon
    "queued": ("waiting", "gray", "hourglass_top"),
    "running": ("training", "blue", "play_arrow"),
    "paused": ("paused", "orange", "pause"),
    "finished": ("finished", "green", "check"),
    "cancelled": ("stopped", "gray", "stop"),
    "failed": ("failed", "red", "error"),
    "interrupted": ("interrupted", "orange", "power_off"),
}
_MAX_CLASSES_WITH_NUMBERS = 12  # with more classes, the numbers in the matrix cannot be read
_OVERFITTING_GAP = 0.05  # of accuracy between training and test images, from which a sentence mentions it


def duration(seconds: float) -> str:
    """Return a time in words: ``8 s``, ``1 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def percent(fraction: float) -> str:
    """Return a fraction in percent: ``88.4 %``."""
    return f"{100 * fraction:.1f} %"


def percentage_points(difference: float) -> str:
    """Return a difference of two fractions: ``78.4 percentage points``."""
    return f"{100 * difference:.1f} percentage points"


def budget_text(budget: Budget) -> str:
    """Return a budget with its unit: ``60 seconds``, ``1.50 G MACs``."""
    if budget.kind == "macs":
        return f"{fmt.short(budget.amount)} MACs"
    unit = budget.kind[:-1] if budget.amount == 1 else budget.kind
    return f"{budget.amount:,g} {unit}"


def settings_text(settings: Settings, plan: Plan) -> str:
    """Return how a run trains, in one line."""
    rates = dict.fromkeys(f"{effective_learning_rate(settings, network.config):.2g}" for network in plan.networks)
    method = f"SGD, Nesterov momentum {settings.momentum:g}" if settings.optimiser == "sgd" else "Adam"
    parts = [
        f"batches of {settings.batch_size:,}",
        method,
        f"learning rate {' / '.join(rates)}",
        {"one_cycle": "one-cycle", "paper": "−4 % every 8 epochs", "constant": "constant"}[settings.schedule],
        f"weight decay {settings.weight_decay:g}",
        "augmented" if settings.augment else "not augmented",
    ]
    return " · ".join([*parts, *(["bfloat16"] if settings.precision == "bf16" else [])])


def plan_text(plan: Plan, dataset: DatasetInfo) -> str:
    """Return what a run trains, in one line: networks, images, budget, seeds."""
    names = " vs ".join(network.name for network in plan.networks)
    each = " each" if len(plan.trainers) > 1 else ""
    seeds = f"seed{'s' * (len(plan.seeds) > 1)} {', '.join(map(str, plan.seeds))}"
    return f"{names} on {dataset.title} · {budget_text(plan.budget)}{each} · {seeds}"


def training_caution(plan: Plan) -> str:
    """Return which of these networks are known to be hard to train, and why; empty if none is."""
    without = [network for network in plan.networks if network.config.normalisation != "batch_norm"]
    if not without:
        return ""
    names = " and ".join(network.name for network in without)
    rates = dict.fromkeys(f"{effective_learning_rate(plan.settings, network.config):.2g}" for network in without)
    return (
        f"{names} {'has no BatchNorm and is' if len(without) == 1 else 'have no BatchNorm and are'} hard to train: "
        f"at learning rates above {' / '.join(rates)} the loss soon diverges, and at this one a run learns little."
    )


def seconds_left(run: Run) -> float | None:
    """Return how much longer it will train at the speed so far; None before the speed is known."""
    spent = sum(trainer.seconds for trainer in run.trainers)
    if run.progress <= 0 or spent < 0.5:
        return None
    return spent * (1 - run.progress) / run.progress


def progress_text(run: Run) -> str:
    """Return the progress of a run: ``41 % · about 35 s left · 812 images/s · step 640``."""
    seconds, images = sum(trainer.seconds for trainer in run.trainers), sum(trainer.images for trainer in run.trainers)
    left = seconds_left(run)
    parts = [f"{100 * run.progress:.0f} %"]
    if left is not None:
        parts += [f"about {duration(left)} left", f"{images / seconds:,.0f} images/s"]
    return " · ".join([*parts, f"step {run.step:,}"])


def queue_text(position: int) -> str:
    """Return the position of a run in the queue, as a sentence; ``position`` runs are before it."""
    if position == 0:
        return "It will start in a moment."
    return "One run is before it." if position == 1 else f"{position} runs are before it."


def result_text(evaluated: Evaluated, classes: int, tests: Sequence[Point], train_accuracy: float | None) -> str:
    """Return what a result shows, in sentences.

    ``tests`` are the test accuracies so far, in order; ``train_accuracy`` the mean over the last batches.
    """
    images = sum(map(sum, evaluated.confusion))
    chance, accuracy = 1 / classes, evaluated.accuracy
    error = sqrt(accuracy * (1 - accuracy) / images)
    if accuracy - chance <= 2 * sqrt(chance * (1 - chance) / images):
        first = (
            f"No better than chance: {percent(accuracy)} of {images:,} test images classified correctly, where "
            f"guessing gives {percent(chance)}."
        )
    else:
        first = (
            f"**{percent(accuracy)}** of {images:,} test images classified correctly (± {100 * error:.1f} for the "
            f"choice of images): better than chance by {percentage_points(accuracy - chance)}."
        )
    return " ".join(filter(None, (first, _trend(tests, images), _overfitting(accuracy, train_accuracy))))


def _trend(tests: Sequence[Point], images: int) -> str:
    """Compare the last evaluation with the one three tenths of the budget before it."""
    if len(tests) < 5:
        return ""
    last, before, since = tests[-1].value, tests[-4].value, f"step {tests[-4].step:,}"
    counts = ((last, images), (before, min(images, INTERIM_TEST_IMAGES)))
    spread = sqrt(sum(p * (1 - p) / n for p, n in counts))
    if last - before > 2 * spread:
        return f"Still improving: {percentage_points(last - before)} more than at {since}; a larger budget may help."
    if before - last > 2 * spread:
        return f"It was better at {since}: {percent(before)}."
    return f"No clear change since {since}."


def _overfitting(accuracy: float, train_accuracy: float | None) -> str:
    if train_accuracy is None or train_accuracy - accuracy < _OVERFITTING_GAP:
        return ""
    return f"On training images its accuracy is {percent(train_accuracy)}, so it overfits."


def confusion_chart(evaluated: Evaluated, classes: Sequence[str]) -> Chart:
    """Return the confusion matrix; the title names the most frequent misclassification."""
    counts = evaluated.confusion
    indices = range(len(classes))
    most, label, predicted = max((counts[i][j], i, j) for i in indices for j in indices if i != j)
    title = "No misclassification"
    if most:
        title = f"Most frequent: {classes[label]} classified as {classes[predicted]}, {most} of {sum(counts[label])}"
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in counts],
            x=list(classes),
            y=list(classes),
            colorscale=[[at / (len(CIVIDIS) - 1), colour] for at, colour in enumerate(CIVIDIS)],
            texttemplate="%{z}" if len(classes) <= _MAX_CLASSES_WITH_NUMBERS else None,
            hovertemplate="%{y} classified as %{x}: %{z}<extra></extra>",
            colorbar={"title": "images", "thickness": 12},
        )
    )
    figure.update_layout(
        title=heading(title),
        height=max(430, min(900, 120 + 34 * len(classes))),
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        xaxis={"title": "predicted class", "tickangle": -35, "type": "category", "automargin": True},
        yaxis={"title": "label", "autorange": "reversed", "type": "category", "automargin": True},
    )
    data = [
        {"label": classes[i], "predicted": classes[j], "images": counts[i][j]}
        for i in indices
        for j in indices
        if counts[i][j]
    ]
    reading = "One row per label, one column per predicted class; correct predictions are on the diagonal."
    return Chart(figure, reading, data)


def race_rows(
    plan: Plan, summaries: Sequence[NetworkSummary], standings: Sequence[Standing], seconds: Mapping[int, float]
) -> list[dict[str, Any]]:
    """Return a row per network, the best first. ``seconds``: of training per seed, by the index of the network."""
    indices = {network.name: index for index, network in enumerate(plan.networks)}
    return [
        {
            "": LETTERS[index],
            "network": standing.name,
            "test accuracy": percent(standing.mean),
            "spread": "one seed" if standing.spread is None else f"± {100 * standing.spread:.1f}",
            "seeds": len(standing.accuracies),
            "training time": duration(seconds[index]),
            "parameters": fmt.exact(summaries[index].parameters(aux=False)),
            "MACs": fmt.short(summaries[index].macs()),
        }
        for standing in standings
        for index in (indices[standing.name],)
    ]


def race_text(standings: Sequence[Standing]) -> str:
    """Return which differences exceed the spread of the seeds, in sentences."""
    if len(standings) < 2:
        return ""
    if any(standing.spread is None for standing in standings):
        best, second = standings[:2]
        return (
            f"**{best.name}** is ahead of {second.name} by {percentage_points(best.mean - second.mean)}. With one seed "
            "each this may be luck: use more seeds to see how much they spread."
        )
    sentences = []
    for one, other in combinations(standings, 2):
        apart = f"{one.name} and {other.name}: {percentage_points(one.mean - other.mean)} apart"
        sentences.append(
            f"{apart}, **within the spread** of the seeds, so this race does not show which is better."
            if within_spread(one, other)
            else f"{apart}, more than the spread of the seeds."
        )
    return "  \n".join(sentences)
