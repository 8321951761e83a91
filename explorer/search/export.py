"""A study as a file: its trials as a CSV table, or everything as JSON."""

import csv
import io
import json
from typing import Any

from explorer.config import HEADINGS
from explorer.search.outcome import importances, outcome, predictor_correlations
from explorer.search.records import StudyRecord, TrialRecord

FORMAT = "inception-explorer study"
_COLUMNS = ("ceiling", "kind", "number", "state", "source", "seed", "accuracy", "parameters", "macs", "activations")
_USED = ("training_macs", "seconds", "synflow", "gradient_norm", "pruned_at_step", "error")


def trials_csv(record: StudyRecord) -> str:
    """Return one line per trial: what it is, its accuracy and costs, what it used, and all cells of its table."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    modules = [module.name for module in record.spec.network.config.modules]
    cells = [f"{name} {heading}" for name in modules for heading in HEADINGS.values()]
    writer.writerow((*_COLUMNS, *_USED, *cells))
    for trial in record.trials:
        used = (
            *(trial.macs, trial.seconds, trial.synflow, trial.gradient_norm),
            *(trial.pruned.step if trial.pruned else None, _one_line(trial.error)),
        )
        widths = (
            [getattr(module, field) for module in trial.config.modules for field in HEADINGS] if trial.config else ()
        )
        writer.writerow((*_facts(record, trial).values(), *used, *widths))
    return text.getvalue()


def _one_line(text: str) -> str:
    """Return a text for a cell: one line, and nothing that a spreadsheet takes for a formula."""
    line = " ".join(text.split())
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line


def _facts(record: StudyRecord, trial: TrialRecord) -> dict[str, Any]:
    return {
        "ceiling": record.spec.ceilings[trial.arm.ceiling],
        "kind": trial.arm.kind,
        "number": trial.number,
        "state": trial.state,
        "source": trial.source,
        "seed": trial.seed,
        "accuracy": trial.accuracy,
        **{name: trial.costs.get(name) for name in ("parameters", "macs", "activations")},
    }


def study_json(record: StudyRecord) -> str:
    """Return everything that is known of a study. Nothing in it depends on where it is stored."""
    document = {
        "format": FORMAT,
        "version": 1,
        "id": record.id,
        "state": record.state,
        "created": record.created,
        "spec": record.spec.model_dump(mode="json"),
        "outcomes": [_outcome(record, ceiling) for ceiling in range(len(record.spec.ceilings))],
        "trials": [
            {
                **_facts(record, trial),
                "point": dict(trial.point),
                "reports": [list(report) for report in trial.reports],
                "training_macs": trial.macs,
                "seconds": trial.seconds,
                "synflow": trial.synflow,
                "gradient_norm": trial.gradient_norm,
                "pruned": trial.pruned._asdict() if trial.pruned else None,
                "error": trial.error,
                "network": trial.config.model_dump(mode="json") if trial.config else None,
            }
            for trial in record.trials
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _outcome(record: StudyRecord, ceiling: int) -> dict[str, Any]:
    found = outcome(record, ceiling)
    searched = [*record.arm(ceiling, "search"), *record.arm(ceiling, "random")]
    return {
        "ceiling": record.spec.ceilings[ceiling],
        "test_images": found.images,
        "times_evaluated_on_test_images": found.looks,
        "accuracies": {
            one.source: {"mean": one.mean, "interval": one.interval, "cost": one.cost} for one in found.finals
        },
        "claims": [
            {
                "against": claim.control,
                "difference": claim.difference.difference,
                "interval": claim.difference.interval,
                "seeds": claim.difference.seeds,
                "p": claim.p,
            }
            for claim in found.claims
        ],
        "importances": importances(record, ceiling),
        "predictors": [one._asdict() for one in predictor_correlations(searched)],
    }
