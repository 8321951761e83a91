"""What the results of training show, in sentences, tables and a confusion matrix; every accuracy has its interval.

Intervals are 95 % confidence intervals: Wilson's for one network on its test images, and those of
:mod:`explorer.runs.significance` for several seeds and for differences.
"""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import combinations
from math import sqrt
from typing import Any

import plotly.graph_objects as go

from explorer.analysis import NetworkSummary
from explorer.runs.records import Point
from explorer.runs.results import Comparison, SeedGroup
from explorer.runs.significance import MIN_SEEDS, McNemar, PairedDifference
from explorer.training.events import Evaluated, TrainingSample
from explorer.training.intervals import LEVEL, Interval, count_correct, newcombe, wilson
from explorer.training.plan import INTERIM_TEST_IMAGES
from explorer.views import formatting as fmt
from explorer.views.comparison_tables import LETTERS
from explorer.views.figures import Chart, heading
from explorer.views.palette import CIVIDIS, scale, text_on
from explorer.views.training import duration

_MAX_CLASSES_WITH_NUMBERS = 12  # with more classes, the numbers in the matrix cannot be read
_OVERFITTING_GAP = 0.05  # of accuracy between training and test images, from which the word is used


def percent(fraction: float) -> str:
    """Return a fraction in percent: ``88.4 %``."""
    return f"{100 * fraction:.1f} %"


def percentage_points(difference: float) -> str:
    """Return a difference of two fractions: ``78.4 percentage points``."""
    return f"{_points(difference)} percentage point{'s' * (_points(difference) != '1.0')}"


def _points(difference: float) -> str:
    return f"{100 * difference:.1f}".replace("-", "−")


def _signed(difference: float) -> str:
    text = f"{100 * difference:+.1f}".replace("-", "−")
    return "0.0" if text in ("+0.0", "−0.0") else text


def interval_text(interval: Interval) -> str:
    """Return the interval of an accuracy: ``88.6 to 91.2 %``."""
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f} %"


def p_text(p: float) -> str:
    """Return a p-value: ``p = 0.031``, ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def accuracy_text(correct: int, images: int, kind: str = "test") -> str:
    """Return an accuracy with its interval: ``90.0 % of 2,000 test images classified correctly (95 % interval …)``."""
    interval = interval_text(wilson(correct, images))
    return (
        f"**{percent(correct / images)}** of {images:,} {kind} images classified correctly (95 % interval {interval}, "
        "Wilson)"
    )


# ── one network ────────────────────────────────────────────────────────────────────────────────────────────────────


def result_text(evaluated: Evaluated, tests: Sequence[Point], epochs: float) -> str:
    """Return what a result shows, in sentences.

    ``tests`` are the test accuracies so far, in order; ``epochs`` those that were trained.
    """
    correct, images = count_correct(evaluated.confusion)
    sentences = [f"{accuracy_text(correct, images)}: {_against_guessing(evaluated, correct, images)}."]
    return " ".join(filter(None, (*sentences, _trend(tests, images), _overfitting(evaluated, epochs))))


def _against_guessing(evaluated: Evaluated, correct: int, images: int) -> str:
    """Compare with always predicting the most frequent class, the best that is possible without seeing the image."""
    classes = [sum(row) for row in evaluated.confusion]
    guess = max(classes) / images
    name = "guessing" if max(classes) - min(classes) <= 0.1 * max(classes) else "always predicting the largest class"
    if wilson(correct, images).low <= guess:
        return f"no better than {name}, which gives {percent(guess)}"
    return f"{percentage_points(correct / images - guess)} better than {name}"


def _trend(tests: Sequence[Point], images: int) -> str:
    """Compare the last evaluation with the one three tenths of the budget before it, which had fewer images."""
    if len(tests) < 5:
        return ""
    last, before, since = tests[-1].value, tests[-4].value, f"step {tests[-4].step:,}"
    counts = ((last, images), (before, min(images, INTERIM_TEST_IMAGES)))
    spread = sqrt(sum(p * (1 - p) / n for p, n in counts))
    if last - before > 2 * spread:
        return f"Still improving: {percentage_points(last - before)} more than at {since}; a larger budget may help."
    if before - last > 2 * spread:
        return f"It has become worse: {percentage_points(before - last)} less than at {since}."
    return f"No clear change since {since}."


def _overfitting(evaluated: Evaluated, epochs: float) -> str:
    """Compare with training images, evaluated as test images are; before the first epoch ends, some are still new."""
    sample = evaluated.training_sample
    if sample is None or epochs < 1:
        return ""
    gap = _generalization_gap(sample, *count_correct(evaluated.confusion))
    interval = newcombe((sample.correct, sample.images), count_correct(evaluated.confusion))
    text = (
        f"After {epochs:.1f} epochs {accuracy_text(sample.correct, sample.images, 'training')}, without dropout: "
        f"{_signed(gap)} percentage points against test images ({_signed(interval.low)} to {_signed(interval.high)})"
    )
    if interval.low > _OVERFITTING_GAP:
        return f"{text}. It overfits."
    return f"{text}." if interval.low > 0 else f"{text}, which is no clear difference."


def _generalization_gap(sample: TrainingSample, correct: int, images: int) -> float:
    return sample.correct / sample.images - correct / images


def confusion_chart(evaluated: Evaluated, classes: Sequence[str], network: str) -> Chart:
    """Return the confusion matrix of a network; the title names the most frequent misclassification."""
    counts = evaluated.confusion
    indices = range(len(classes))
    most, label, predicted = max((counts[i][j], i, j) for i in indices for j in indices if i != j)
    title = f"{network}: no misclassification"
    if most:
        title = f"{network}, most frequent: {classes[label]} as {classes[predicted]}, {most} of {sum(counts[label])}"
    highest = max(1, *map(max, counts))
    labels = [escape(name, quote=False) for name in classes]  # Plotly reads tags in them
    figure = go.Figure(
        go.Heatmap(
            z=[list(row) for row in counts],
            x=labels,
            y=labels,
            zmin=0,
            zmax=highest,
            colorscale=[[at / (len(CIVIDIS) - 1), colour] for at, colour in enumerate(CIVIDIS)],
            hovertemplate="%{y} classified as %{x}: %{z}<extra></extra>",
            colorbar={"title": "images", "thickness": 12},
        )
    )
    if len(classes) <= _MAX_CLASSES_WITH_NUMBERS:
        figure.add_trace(_numbers(counts, labels, highest))
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


def _numbers(counts: Sequence[Sequence[int]], classes: Sequence[str], highest: int) -> go.Scatter:
    """Return the number in each cell, in the colour that can be read on it."""
    cells = [(i, j) for i in range(len(classes)) for j in range(len(classes))]
    return go.Scatter(
        x=[classes[j] for _, j in cells],
        y=[classes[i] for i, _ in cells],
        text=[str(counts[i][j]) for i, j in cells],
        mode="text",
        textfont={"color": [text_on(scale(counts[i][j] / highest)) for i, j in cells]},
        hoverinfo="skip",
        showlegend=False,
    )


# ── several networks ───────────────────────────────────────────────────────────────────────────────────────────────


def group_rows(groups: Sequence[SeedGroup], seeds: int = 0) -> list[dict[str, Any]]:
    """Return a row per group of results, in their order: mean accuracy, interval, spread, and the number of seeds.

    If there should be more ``seeds``, the others have diverged or were stopped.
    """
    return [
        {
            "network": group.name,
            "test accuracy": percent(group.mean),
            "95 % interval": interval_text(group.interval),
            "spread": "one seed" if group.spread is None else f"± {100 * group.spread:.1f}",
            "seeds": f"{len(group.results)} of {seeds}" if len(group.results) < seeds else str(len(group.results)),
            "test images": fmt.exact(group.images),
        }
        for group in groups
    ]


def interval_note(groups: Sequence[SeedGroup]) -> str:
    """Return what the intervals and the spread of these groups mean."""
    over_seeds = [group for group in groups if group.seed_interval]
    by_image = f"with fewer than {MIN_SEEDS} seeds only the choice of test images (Wilson)"
    text = f"The 95 % interval covers the choice of seeds and of test images; {by_image}."
    if not over_seeds:
        text = f"The 95 % interval covers the choice of test images only (Wilson): for seeds it takes {MIN_SEEDS}."
    return f"{text} ± is the standard deviation over the seeds."


def race_rows(
    groups: Sequence[SeedGroup],
    numbers: Sequence[int],
    summaries: Sequence[NetworkSummary],
    seconds: Mapping[int, float],
    seeds: int,
) -> list[dict[str, Any]]:
    """Return a row per network, in the order of ``groups``, with its cost.

    ``numbers`` are the indices of the networks in the plan, as are the keys of ``seconds``: of training per seed.
    """
    return [
        {"letter": LETTERS[number]}
        | row
        | {
            "training time": duration(seconds[number]),
            "parameters": fmt.exact(summaries[number].parameters(aux=False)),
            "MACs": fmt.short(summaries[number].macs()),
        }
        for number, row in zip(numbers, group_rows(groups, seeds), strict=True)
    ]


def comparison_text(names: Sequence[str], comparison: Comparison) -> str:
    """Return which differences are real, in sentences as Markdown. ``names`` are those of the compared groups."""
    if comparison.obstacle:
        return _OBSTACLES[comparison.obstacle]
    names = [fmt.markdown(name) for name in names]
    pairs = {(pair.first, pair.second): pair for pair in comparison.pairs}
    lines = [
        _pair_text(names[first], names[second], pairs.get((first, second)), comparison.trainings.get((first, second)))
        for first, second in combinations(range(len(names)), 2)
    ]
    return "\n".join(f"- {line}" for line in lines)


_OBSTACLES = {
    "not_stored": "**No comparison.** At least one of these results is of an older version of the app, which did not "
    "store which test images were classified correctly. Train it again to compare it.",
    "other_images": "**No comparison.** These results are of different test images.",
}


def comparison_note(comparison: Comparison, images: int) -> str:
    """Return how the differences were tested, and what the test controls."""
    if comparison.obstacle or (not comparison.pairs and not comparison.trainings):
        return ""
    count = len(comparison.trainings) + sum(pair.interval is not None for pair in comparison.pairs)
    corrected = f", corrected for {count} pairs (Bonferroni)" if count > 1 else ""
    method = f"Paired by seed and by {images:,} test images (crossed random effects){corrected}."
    if not any(pair.interval for pair in comparison.pairs):
        method = f"Paired by {images:,} test images (McNemar){corrected}."
    return (
        f"{method} If the networks were equal, at most {100 * LEVEL:.0f} % of such comparisons would claim a "
        "difference. A result holds for these images, this budget and these settings."
    )


def _pair_text(one: str, other: str, pair: PairedDifference | None, training: McNemar | None) -> str:
    if pair and pair.interval:
        return _seeds_text(one, other, pair, pair.interval)
    seeds = pair.seeds if pair else 0
    text = f"**No claim about {one} and {other}**: it takes at least {MIN_SEEDS} seeds that both have, not {seeds}."
    return f"{text} {_training_text(one, other, training)}" if training else text


def _seeds_text(one: str, other: str, pair: PairedDifference, interval: Interval) -> str:
    if pair.difference < 0:
        one, other = other, one
        interval = Interval(-interval.high, -interval.low)
    bounds = f"95 % interval {_signed(interval.low)} to {_signed(interval.high)}, {pair.seeds} seeds"
    difference = percentage_points(abs(pair.difference))
    if pair.is_significant:
        return f"**{one} is more accurate than {other}** by {difference} ({bounds})."
    return (
        f"**No difference shown between {one} and {other}**: {difference} in favour of {one}, but the interval "
        f"contains 0 ({bounds}). More seeds make it narrower."
    )


def _training_text(one: str, other: str, training: McNemar) -> str:
    """Compare two trainings: their weights, and not the networks."""
    interval = training.interval
    if training.difference < 0:
        one, other, interval = other, one, Interval(-interval.high, -interval.low)
    bounds = f"95 % interval {_signed(interval.low)} to {_signed(interval.high)}, McNemar {p_text(training.p)}"
    difference = percentage_points(abs(training.difference))
    if training.p < LEVEL:
        return (
            f"Of these two trainings, that of {one} is more accurate by {difference} ({bounds}); other seeds may "
            "reverse it."
        )
    return f"These two trainings show no difference either: {difference} ({bounds})."
