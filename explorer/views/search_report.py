"""A study as one HTML page to print or to send: claims, front, what mattered, and all trials. It loads nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from html import escape

from explorer.config import HEADINGS
from explorer.search.ceilings import ceiling_of
from explorer.search.outcome import (
    Learnt,
    best_tenth,
    front,
    importances,
    outcome,
    predictor_correlations,
)
from explorer.search.records import StudyRecord, TrialRecord
from explorer.views import search as words
from explorer.views.palette import LIGHT, SERIES

_WIDTH, _HEIGHT, _MARGIN = 640, 340, 56  # of the chart, in pixels
COLOURS = dict(zip(("search", "random", "paper"), SERIES, strict=True))
_STYLE = f"""
body {{ font: 11pt/1.45 "Helvetica Neue", Helvetica, Arial, sans-serif; color: {LIGHT.ink}; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }}
h1 {{ font-size: 1.6em; margin: 0; }} h2 {{ font-size: 1.15em; margin: 2em 0 .5em; }}
p.claim {{ font-size: 1.1em; }} table {{ border-collapse: collapse; font-size: .82em; }}
th, td {{ text-align: left; padding: .2em .7em .2em 0; vertical-align: top; font-variant-numeric: tabular-nums; }}
thead th {{ border-bottom: 1.5px solid {LIGHT.line}; }} .scroll {{ overflow-x: auto; }} svg {{ max-width: 100%; }}
"""


def report_html(record: StudyRecord) -> str:
    """Return the report of a study."""
    title = escape(record.spec.name)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head>'
        f"<body><h1>{title}</h1>{''.join(_body(record))}</body></html>\n"
    )


def _body(record: StudyRecord) -> Iterator[str]:
    spec = record.spec
    yield f"<p>{escape(words.state_text(record))} {escape(words.setup_text(spec))}</p>"
    for ceiling, fraction in enumerate(spec.ceilings):
        quantity = words.QUANTITIES[spec.quantity]
        yield f"<h2>At {fraction:.2f} of the network’s {quantity} ({ceiling_of(spec, ceiling):,})</h2>"
        found = outcome(record, ceiling)
        for claim in found.claims:
            yield f'<p class="claim">{escape(words.claim_text(spec, found, claim))}</p>'
        if not found.claims:
            yield "<p>The trainings on the test images have not ended, so nothing is claimed yet.</p>"
        yield _table(
            ("Table", "Accuracy on the test images", "Seeds", quantity),
            (
                (
                    words.SOURCES[one.source],
                    words.accuracy_text(one.mean, one.interval),
                    len(one.accuracies),
                    f"{one.cost:,}",
                )
                for one in found.finals
            ),
        )
        if weights := importances(record, ceiling):
            yield "<h2>What mattered</h2>"
            yield _table(("Dimension", "Importance"), ((name, f"{value:.2f}") for name, value in weights.items()))
        if learnt := best_tenth(record, ceiling):
            yield f"<h2>What the search learnt</h2><p>{escape(words.learnt_text(learnt))}</p>{_learnt_table(learnt)}"
        searched = [*record.arm(ceiling, "search"), *record.arm(ceiling, "random")]
        if found_correlations := predictor_correlations(searched):
            yield "<h2>Cheap predictors</h2>"
            yield _table(
                ("Predictor", "Rank correlation with the accuracy", "Trials"),
                (
                    (words.PREDICTORS[one.predictor], words.correlation_text(one.value, one.interval), one.trials)
                    for one in found_correlations
                ),
            )
    yield f"<h2>Accuracy on the validation images against cost</h2>{front_svg(record)}"
    yield "<h2>Trials</h2>"
    yield _table(
        ("Arm", "Ceiling", "Trial", "Result", words.QUANTITIES[spec.quantity]),
        (
            (
                *(words.KINDS[one.arm.kind], f"{spec.ceilings[one.arm.ceiling]:.2f}", one.number),
                *(words.trial_text(one), f"{one.costs[spec.quantity]:,}" if one.costs else ""),
            )
            for one in record.trials
        ),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>'


def _learnt_table(learnt: Learnt) -> str:
    return _table(("Module", *HEADINGS.values()), words.learnt_rows(learnt))


def front_svg(record: StudyRecord) -> str:
    """Return the complete trials as points of accuracy against cost, with the front as a line."""
    trials = [one for one in record.trials if one.arm.kind in ("search", "random") and one.accuracy and one.costs]
    if not trials:
        return "<p>No trial has ended yet.</p>"
    quantity = record.spec.quantity
    costs, accuracies = [one.costs[quantity] for one in trials], [one.accuracy or 0.0 for one in trials]
    x, y = _scale(costs, _MARGIN, _WIDTH - 10), _scale(accuracies, _HEIGHT - 40, 10)
    marks = "".join(_mark(one, x(one.costs[quantity]), y(one.accuracy or 0.0), quantity) for one in trials)
    line = " ".join(f"{x(point.cost):.1f},{y(point.accuracy):.1f}" for point in front(record))
    axes = (
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" text-anchor="middle">{words.QUANTITIES[quantity]} '
        f"({min(costs):,} to {max(costs):,})</text>"
        f'<text x="4" y="{_HEIGHT - 40}">{100 * min(accuracies):.1f} %</text>'
        f'<text x="4" y="20">{100 * max(accuracies):.1f} %</text>'
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" font-size="12" '
        f'aria-label="{len(trials)} trials, accuracy against cost">'
        f'<polyline points="{line}" fill="none" stroke="{LIGHT.muted}"/>{marks}{axes}</svg>'
        "<p>Violet: searched; grey: random. The line joins the trials that no other beats at a lower cost.</p>"
    )


def _scale(values: Sequence[float], start: float, end: float) -> Callable[[float], float]:
    low, high = min(values), max(values)

    def place(value: float) -> float:
        return start + (end - start) * ((value - low) / (high - low) if high > low else 0.5)

    return place


def _mark(trial: TrialRecord, x: float, y: float, quantity: str) -> str:
    label = f"{words.KINDS[trial.arm.kind]} {trial.number}: {words.trial_text(trial)}, {trial.costs[quantity]:,}"
    colour = COLOURS[trial.source]
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"><title>{escape(label)}</title></circle>'
