"""A run on the page: its URL, its states, and the results of runs and races."""

from pathlib import Path

import pytest

from explorer.runs.manager import Manager
from explorer.runs.records import STATES, State
from explorer.views import formatting as fmt
from tests.stored_runs import make_plan, store_diverged_run, store_run
from tests.ui.lab.train.conftest import PAGE, click, open_as, open_page, page_text


def test_the_url_names_the_run(manager: Manager) -> None:
    """A reload or a second tab shows the same run in its view; so does a visit to another page and back."""
    race = store_run(manager.store, make_plan("mini", "half"))
    app = open_page(run=race.id)
    assert app.session_state["train_view"] == "race"
    assert fmt.markdown("mini_vs_half") in page_text(app)
    app.switch_page("pages/explore/module.py").run()
    app.switch_page(PAGE).run()
    assert fmt.markdown("mini_vs_half") in page_text(app)
    assert app.query_params["run"] == race.id
    click(app, "train_close_run")
    assert "run" not in app.query_params


@pytest.mark.parametrize("token", ["r000000000000", "../../etc", "' OR 1=1", "<b>x"])
def test_a_forged_url_is_explained(manager: Manager, token: str) -> None:
    """The page says so, shows what it shows without a run, and removes the parameter."""
    store_run(manager.store, make_plan("mini"))
    app = open_page(run=token)
    assert "The address names a run that does not exist here." in app.error[0].value
    assert "Training images" in page_text(app)
    assert "run" not in app.query_params


@pytest.mark.parametrize("state", [state for state in STATES if state != "failed"])
@pytest.mark.parametrize("names", [("mini",), ("mini", "half")])
def test_every_state_is_shown(manager: Manager, state: State, names: tuple[str, ...]) -> None:
    """Each state has its actions: an active run can be stopped, a stopped one resumed."""
    run = store_run(manager.store, make_plan(*names), state, session="me", message="The server ended while it ran.")
    app = open_as("me", run)
    keys = {button.key for button in app.button}
    assert ("run_resume" in keys) == run.is_resumable
    assert ("run_cancel" in keys) == (state in ("queued", "running"))
    assert ("run_pause" in keys) == (state == "running")
    assert app.button(key="run_delete").disabled == (state == "running")


def test_a_failed_run_says_why_and_where(manager: Manager) -> None:
    """The reason, the step, and whether it can be resumed."""
    app = open_page(run=store_diverged_run(manager.store, make_plan("paper")).id)
    assert "At step 5 the loss was not finite" in app.error[0].value
    assert "It reached step 5 and can start again from step 0" in app.error[0].value


def test_the_shelf_shows_the_best_accuracy(manager: Manager, data_folder: Path) -> None:
    """The scatter of the page Compare has the best accuracy of each trained network, at its mark, and of no other."""
    data_folder.mkdir()
    (data_folder / "runs.sqlite").touch()  # the file of the server's store
    store_run(manager.store, make_plan("mini", "half"), accuracies=(0.8, 0.7))
    store_run(manager.store, make_plan("mini"), accuracies=(0.75,))
    app = open_page()
    app.switch_page("pages/explore/compare.py").run()
    app.session_state["compare_view"] = "Shelf"
    app.run()
    assert not app.exception
    spec = app.get("plotly_chart")[0].proto.spec
    assert spec.count("the best of 2 trainings here; another would probably reach less") == 1
    assert spec.count("the only training here") == 1
    assert "mini · 80.0 % (best of 2)" in spec.encode().decode("unicode_escape")
    assert "of several trainings here the best" in "".join(text.value for text in app.markdown)
    assert not any("No run here has measured it" in caption.value for caption in app.caption)
    assert "80.0 % (95 % interval 78.2 to 81.7 %) on Fashion-MNIST" in spec
