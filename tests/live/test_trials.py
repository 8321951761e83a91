"""Training the tables of a study (explorer.live.trials)."""

from pathlib import Path

import pytest

from explorer.live import trials
from explorer.live.predictors import synflow
from explorer.live.training import train
from explorer.live.trials import TableTrainer
from explorer.training.events import Evaluated
from explorer.training.plan import Budget, DatasetChoice, NamedNetwork, Plan, Settings
from explorer.training.races import scale_widths
from tests.live.tiny_training import TINY, images

PLAN = Plan(
    networks=(NamedNetwork(name="tiny", config=TINY),),
    data=DatasetChoice(),
    settings=Settings(batch_size=8),
    budget=Budget(kind="steps", amount=12.0),
)


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TableTrainer:
    """Return a trainer of tables on small images, which counts how often they are loaded."""
    monkeypatch.setattr("explorer.live.training.load", lambda data, folder: images())
    monkeypatch.setattr(trials, "load", lambda data, folder: images())
    return TableTrainer(tmp_path)


@pytest.mark.slow
def test_a_trial_is_a_run_like_any_other(trainer: TableTrainer, tmp_path: Path) -> None:
    """Its evaluations at given steps change nothing: the accuracy is the one of a run with the same plan."""
    result = trainer(PLAN, (3, 6), lambda report: True)
    events = list(train(PLAN, tmp_path))
    (final,) = [event for event in events if isinstance(event, Evaluated) and event.final]
    assert (final.accuracy, final.results) == (result.accuracy, result.results)
    assert [3, 6] == [report.step for report in result.reports]
    assert 10 == len(result.losses)
    assert result.gradient_norm > 0


def test_a_stopped_trial_has_no_accuracy(trainer: TableTrainer) -> None:
    """The first report can stop a trial, which then has taken no further step."""
    result = trainer(PLAN, (3, 6), lambda report: report is None)
    assert (result.accuracy, result.steps) == (None, 3)


def test_the_images_are_loaded_once(trainer: TableTrainer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second trial of a study does not load its images again."""
    trainer(PLAN, (), lambda report: True)

    def fail(data: DatasetChoice, folder: Path) -> None:
        raise AssertionError

    monkeypatch.setattr(trials, "load", fail)
    assert trainer(PLAN.replace(seeds=(1,)), (), lambda report: True).accuracy is not None


def test_synflow_grows_with_the_paths() -> None:
    """A wider network has more paths from input to output, so a larger score; the seed hardly matters."""
    assert synflow(scale_widths(TINY, 4)) > synflow(TINY) + 1.5
    assert synflow(TINY, 1) == pytest.approx(synflow(TINY, 2), abs=1.5)
