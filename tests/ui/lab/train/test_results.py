"""The results of a run and of a race on the page Train."""

from explorer.runs.manager import Manager
from tests.stored_runs import make_plan, store_run
from tests.ui.lab.train.conftest import open_page, page_text


def test_a_finished_run_has_a_verdict(manager: Manager) -> None:
    """The accuracy with its interval against guessing, the most frequent confusion, and misclassified images."""
    run = store_run(manager.store, make_plan("mini"), accuracies=(0.85,))
    app = open_page(run=run.id)
    text = page_text(app)
    assert "**85.0 %** of 2,000 test images classified correctly (95 % interval 83.4 to 86.5 %, Wilson)" in text
    assert "75.0 percentage points better than guessing" in text
    assert "**mini, most frequent: " in text
    assert "predicted <b>Trouser</b> 99.0\N{NO-BREAK SPACE}%" in text
    assert text.count("<figure>") == 12


def test_overfitting_is_not_claimed_before_an_epoch(manager: Manager) -> None:
    """A hundred steps of 64 images are 0.6 epochs of 10,000; two hundred are more than one."""
    short = store_run(manager.store, make_plan("mini"))
    assert "training images classified" not in page_text(open_page(run=short.id))
    long = store_run(manager.store, make_plan("mini", steps=200))
    assert "After 1.3 epochs **85.0 %** of 2,000 training images classified" in page_text(open_page(run=long.id))


def test_a_race_claims_what_the_test_shows(manager: Manager) -> None:
    """Networks whose difference may be chance are not ranked; those that are far apart are, with the interval."""
    plan = make_plan("mini", "half", seeds=(0, 1, 2))
    close = store_run(manager.store, plan, accuracies=(0.85, 0.87, 0.83, 0.86, 0.84, 0.87))
    assert "**No difference shown between half and mini**" in page_text(open_page(run=close.id))
    far = store_run(manager.store, plan, accuracies=(0.85, 0.86, 0.855, 0.70, 0.71, 0.70))
    app = open_page(run=far.id)
    assert "**mini is more accurate than half** by 15.2 percentage points (95 % interval +" in page_text(app)
    assert "Paired by seed and by 2,000 test images" in page_text(app)
    table = app.dataframe[0].value
    assert list(table["network"]) == ["mini", "half"]
    assert list(table["test accuracy"]) == ["85.5 %", "70.3 %"]
    assert list(table["parameters"]) == ["378,658", "1,498,274"]


def test_a_race_of_two_seeds_claims_nothing_of_its_networks(manager: Manager) -> None:
    """However far apart they are."""
    run = store_run(manager.store, make_plan("mini", "half", seeds=(0, 1)), accuracies=(0.9, 0.9, 0.5, 0.5))
    assert "**No claim about mini and half**: it takes at least 3 seeds" in page_text(open_page(run=run.id))
