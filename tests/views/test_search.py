"""A study in words, charts and a report (explorer.views.search, search_charts, search_report)."""

from pathlib import Path

import pytest

from explorer.runs.significance import PairedDifference
from explorer.search.export import study_json, trials_csv
from explorer.search.outcome import Claim, Outcome, outcome
from explorer.search.records import PruneReason, StudyRecord
from explorer.search.runner import Runner
from explorer.search.spec import SearchBudget
from explorer.search.store import StudyStore
from explorer.training.intervals import Interval
from explorer.views import palette, search_charts
from explorer.views import search as words
from explorer.views.search_report import report_html
from tests.search.studies import SPEC, make_train


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> StudyRecord:
    """Return a study that has ended."""
    folder: Path = tmp_path_factory.mktemp("study")
    store = StudyStore(folder)
    study_id = store.create(SPEC.replace(name="<b>study</b>", finalists=1, budget=SearchBudget(amount=5.0)))
    Runner(store, study_id, "worker", make_train()).run()
    return store.record(study_id)


def claim(low: float, high: float, difference: float) -> Claim:
    """Return a claim against the network's own table."""
    return Claim("paper", PairedDifference(0, 1, 5, 10_000, difference, Interval(low, high)), 0.012)


def test_a_claim_says_its_controls_and_its_numbers() -> None:
    """A difference is claimed only where its interval excludes 0, and in its direction."""
    found = Outcome(0, (), (), 10_000, 1)
    assert words.claim_text(SPEC, found, claim(0.004, 0.01, 0.007)) == (
        "Better than the network's own table at the same cost: +0.7 ± 0.3 points on 10,000 test images that the search "
        "never used, 5 seeds each, p = 0.012."
    )
    assert words.claim_text(SPEC, found, claim(-0.01, -0.004, -0.007)).startswith("Worse than")
    assert words.claim_text(SPEC, found, claim(-0.002, 0.01, 0.004)).startswith("No difference from")
    assert "evaluated 2 times" in words.claim_text(SPEC, found._replace(looks=2), claim(0.004, 0.01, 0.007))


def test_the_reason_of_a_pruned_trial() -> None:
    """It says where, with what, and how many were better."""
    text = words.prune_text(PruneReason(25, 0.412, 3, 5))
    assert "step 25: with 41.2 %" in text
    assert "5 trials there (3 were better)" in text


@pytest.mark.slow
def test_a_report_has_the_claims_and_escapes_names(record: StudyRecord) -> None:
    """The page names every trial and claim, loads nothing, and shows a name as text."""
    page = report_html(record)
    for one in outcome(record, 0).claims:
        assert words.p_text(one.p).replace("<", "&lt;") in page
    assert "&lt;b&gt;study" in page
    assert "<b>study" not in page
    assert "http" not in page
    assert page.count("<circle") == sum(
        one.state == "complete" for kind in ("search", "random") for one in record.arm(0, kind)
    )


@pytest.mark.slow
def test_exports_have_every_trial(record: StudyRecord) -> None:
    """The CSV has a line per trial with all cells, the JSON every trial with its network."""
    lines = trials_csv(record).splitlines()
    assert len(record.trials) + 1 == len(lines)
    assert len({line.count(",") for line in lines}) == 1
    assert '"against": "paper"' in study_json(record)


@pytest.mark.slow
def test_the_charts_have_the_trials(record: StudyRecord) -> None:
    """Every complete trial is a mark that says which one it is; the search and its control have a line each."""
    chart = search_charts.accuracy_against_cost(record, palette.LIGHT)
    marks = [trace for trace in chart.figure.data if trace.mode == "markers"]
    assert ["search", "random"] == [trace.customdata[0][0] for trace in marks]
    assert len(chart.data) == sum(len(trace.x) for trace in marks)
    lines = search_charts.best_by_compute(record, 0, palette.LIGHT).figure.data
    assert all(list(line.y) == sorted(line.y) for line in lines if None not in line.y)
