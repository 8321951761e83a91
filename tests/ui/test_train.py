"""The page Train as a person uses it: set up, start, look, step in, and look back."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.data.datasets import imported_datasets
from explorer.diff import with_module
from explorer.history import Version
from explorer.runs.manager import Manager
from explorer.runs.records import STATES, Run
from explorer.settings import data_folder as folder_in_use
from explorer.share import to_token
from explorer.training.plan import MAX_DEFAULT_SECONDS, Budget
from explorer.training.races import QUESTIONS
from explorer.ui import runs
from explorer.ui.lab.train import history, images, run_view
from explorer.views import formatting as fmt
from explorer.views.curves import Panel
from tests.ui.conftest import ROOT, forge, title
from tests.ui.training import CLASSES, PAGE, diverged, manager, plan, put, train_page

__all__ = ["manager"]


def words(app: AppTest) -> str:
    """Return all that the page says, as one text."""
    kinds = ("markdown", "caption", "error", "info", "warning", "html", "progress")
    return "\n".join(
        str(getattr(element, "value", "") or getattr(getattr(element, "proto", None), "text", ""))
        for kind in kinds
        for element in app.get(kind)
    )


def click(app: AppTest, key: str) -> AppTest:
    """Click a button."""
    app.button(key=key).click().run()
    assert not app.exception
    return app


def view(app: AppTest, name: str) -> AppTest:
    """Choose a view of the page."""
    app.session_state["train_view"] = name
    app.run()
    assert not app.exception
    return app


def only_run(manager: Manager) -> Run:
    """Return the one run in the store."""
    (run,) = manager.store.runs()
    return run


def test_the_first_look_shows_images_and_an_estimate(manager: Manager) -> None:
    """Nothing was chosen: there are images of every class with their counts, what it takes, and a button."""
    app = train_page()
    shown = words(app)
    assert shown.count("data:image/png") == CLASSES
    assert "<th>Ankle boot</th><td>1,000</td><td>200</td>" in shown
    assert "10,000 training and 2,000 test images of 1 × 28 × 28" in shown
    assert "About 1 min" in shown
    assert " steps (" in shown
    assert " MB. Time and steps: a guess until a run has told the speed here." in shown
    assert not app.button(key="train_start").disabled
    assert manager.store.runs() == []


def test_the_first_look_loads_no_torch(tmp_path: Path) -> None:
    """The page with its pictures is there before PyTorch would be."""
    code = (
        "import sys\n"
        "from tests.ui.training import train_page\n"
        "app = train_page()\n"
        "assert any('data:image/png' in element.value for element in app.get('html'))\n"
        "print('torch' in sys.modules)"
    )
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path / "fresh")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "False"


def test_the_edited_network_is_what_is_trained(manager: Manager) -> None:
    """Once the table was edited the bench is proposed, and what fitting changes is said before anything starts."""
    mini = PRESETS["mini"]
    edited = Version("mini", with_module(mini, mini.module("4a").replace(ch3x3=60)).replace(classes=7))
    app = train_page(net=to_token(edited))
    assert title(app) == "mini + 2 edits"
    assert app.selectbox(key="one_networks").value == "current"
    assert "Classes: 7 → 10." in words(app)
    click(app, "train_start")
    (entrant,) = only_run(manager).plan.networks
    assert entrant.config == edited.config.replace(classes=10)
    assert entrant.name == "mini_4a"


def test_a_start_is_a_run_in_the_queue_with_its_address(manager: Manager) -> None:
    """One click: the run is the session's own, stands in the address, and its place is shown."""
    put(manager.store, plan("half"), "queued")
    app = click(train_page(), "train_start")
    run = manager.store.runs()[0]
    assert run.state == "queued"
    assert run.plan.budget == Budget(kind="seconds", amount=60.0)
    assert app.query_params["run"] == run.id
    assert "One run is before it." in words(app)
    assert {"run_cancel", "run_delete"} <= {button.key for button in app.button}
    assert "somebody else's" not in words(app)


def test_a_full_queue_is_explained(manager: Manager) -> None:
    """The reason stands under the button, and nothing else changes."""
    for _ in range(20):
        put(manager.store, plan("mini"), "queued")
    app = click(train_page(), "train_start")
    assert "20 runs are waiting already" in app.error[0].value
    assert len(manager.store.runs()) == 20


def test_a_run_is_found_by_its_address(manager: Manager) -> None:
    """A reload or a second tab shows the same run, in its view; so do other pages and back."""
    race = put(manager.store, plan("mini", "half"))
    app = train_page(run=race.id)
    assert app.session_state["train_view"] == "race"
    assert fmt.markdown("mini_vs_half") in words(app)
    app.switch_page("pages/explore/module.py").run()
    app.switch_page(PAGE).run()
    assert fmt.markdown("mini_vs_half") in words(app)
    assert app.query_params["run"] == race.id
    click(app, "train_away")
    assert "run" not in app.query_params


@pytest.mark.parametrize("token", ["r000000000000", "../../etc", "' OR 1=1", "<b>x"])
def test_a_forged_address_is_explained(manager: Manager, token: str) -> None:
    """The page says so, shows what it shows without a run, and takes the address back."""
    put(manager.store, plan("mini"))
    app = train_page(run=token)
    assert "names a run that is not here" in app.error[0].value
    assert "What it will learn from" in words(app)
    assert "run" not in app.query_params


@pytest.mark.parametrize("state", [state for state in STATES if state != "failed"])
@pytest.mark.parametrize("names", [("mini",), ("mini", "half")])
def test_every_state_is_shown(manager: Manager, state: str, names: tuple[str, ...]) -> None:
    """No state fails, and what can be done is offered: what runs can be stopped, what stopped can go on."""
    run = put(manager.store, plan(*names), state, session="me", message="The server ended while it ran.")
    app = open_as("me", run)
    keys = {button.key for button in app.button}
    assert ("run_resume" in keys) == run.resumable
    assert ("run_cancel" in keys) == (state in ("queued", "running"))
    assert ("run_pause" in keys) == (state == "running")
    assert app.button(key="run_delete").disabled == (state == "running")


def open_as(session: str, run: Run) -> AppTest:
    """Open a run's address in a session of this name."""
    app = train_page()
    app.session_state["reader"] = session
    app.session_state["train_runs"] = {"race" if len(run.plan.trainers) > 1 else "one": run.id}
    return view(app, "race" if len(run.plan.trainers) > 1 else "one")


def test_a_finished_run_says_what_it_shows(manager: Manager) -> None:
    """The verdict against chance, the commonest mistake, and the surest ones as pictures."""
    run = put(manager.store, plan("mini"), accuracies=(0.85,))
    app = train_page(run=run.id)
    shown = words(app)
    assert "**85.0 %** of 2,000 test images are told right" in shown
    assert "better than chance by 75.0 points" in shown
    assert "is most often taken for" in app.get("plotly_chart")[0].proto.spec
    assert "said <b>Trouser</b> 99.0 %" in shown
    assert shown.count("<figure>") == 12


def test_what_failed_says_why_and_where(manager: Manager) -> None:
    """The reason, the step, and that it can begin anew."""
    app = train_page(run=diverged(manager.store, plan("paper")).id)
    assert "At step 5 the loss was no longer a number" in app.error[0].value
    assert "It had come to step 5 and can begin anew" in app.error[0].value


def test_a_race_within_the_spread_says_so(manager: Manager) -> None:
    """Two networks whose seeds overlap are not told apart; two that are far apart are."""
    close = put(manager.store, plan("mini", "half", seeds=(0, 1)), accuracies=(0.85, 0.87, 0.86, 0.88))
    assert "**within the spread** of the seeds" in words(train_page(run=close.id))
    far = put(manager.store, plan("mini", "half", seeds=(0, 1)), accuracies=(0.85, 0.86, 0.70, 0.71))
    app = train_page(run=far.id)
    assert "mini and half: 15.0 points apart, more than the seeds spread." in words(app)
    table = app.dataframe[0].value
    assert list(table["network"]) == ["mini", "half"]
    assert list(table["test accuracy"]) == ["85.5 %", "70.5 %"]
    assert list(table["parameters"]) == ["378,658", "1,498,274"]


def test_pause_cancel_and_resume(manager: Manager) -> None:
    """Each button is an order to the manager; what was waiting becomes what was asked."""
    app = click(train_page(), "train_start")
    click(app, "run_cancel")
    assert only_run(manager).state == "cancelled"
    assert "can go on" in words(app) or "had not begun" in words(app)
    click(app, "run_resume")
    assert only_run(manager).state == "queued"


def test_another_ones_run_can_be_steered_by_those_who_mean_it(manager: Manager) -> None:
    """Its buttons are folded behind a notice; whoever opens it and clicks has been told."""
    run = put(manager.store, plan("mini"), "queued", session="somebody")
    app = train_page(run=run.id)
    assert "started in another tab, before this page was reloaded, or by somebody else" in words(app)
    assert "nobody stops another's run by accident" in words(app)
    click(app, "run_cancel")
    assert manager.store.run(run.id).state == "cancelled"


def test_a_run_is_renamed(manager: Manager) -> None:
    """A good name is taken; a bad one is explained and the old one stays."""
    run = put(manager.store, plan("mini"))
    app = train_page(run=run.id)
    name = f"run_name_{run.id}"
    app.text_input(key=name).set_value("my_best").run()
    assert manager.store.run(run.id).name == "my_best"
    app.text_input(key=name).set_value("../x").run()
    assert "That is no name for a run" in app.error[0].value
    assert manager.store.run(run.id).name == "my_best"


def test_a_run_is_deleted(manager: Manager) -> None:
    """It goes, with its weights, and the page shows what can be run next."""
    run = put(manager.store, plan("mini"))
    assert manager.store.weights_path(run.id).exists()
    app = train_page(run=run.id)
    assert "It may be somebody else's: ask first." in words(app)  # nothing tells that this session started it
    click(app, "run_delete")
    app.run()
    assert manager.store.runs() == []
    assert not list(manager.store.checkpoints.iterdir())
    assert "What it will learn from" in words(app)


def test_the_network_of_a_run_is_opened(manager: Manager) -> None:
    """The network as it was trained is on the bench, told against the nearest preset; undo leads back."""
    run = put(manager.store, plan("half"))
    app = click(train_page(run=run.id), "run_open_0")
    assert title(app).startswith("half width + ")
    click(app, "undo")
    assert title(app) == "paper"


def test_the_weights_of_a_run_lead_to_the_page_look_inside(manager: Manager) -> None:
    """The link carries run and lane; without a checkpoint there is none."""
    run = put(manager.store, plan("mini", "half", seeds=(0, 1)))
    links = [link.proto.query_string for link in train_page(run=run.id).get("page_link")]
    assert links == [f"weights=run%3A{run.id}", f"weights=run%3A{run.id}%3A2"]
    fresh = put(manager.store, plan("mini"), "queued")
    assert not train_page(run=fresh.id).get("page_link")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("one_amount", -5.0, "Budget: -5 is out of range"),
        ("one_amount", 1e9, "is out of range"),
        ("one_amount", None, "Budget: blank does not fit here"),
        ("one_batch_size", 1, "Batch size: 1 is out of range"),
        ("one_batch_size", 10**7, "out of range"),
        ("one_learning_rate", -0.1, "Learning rate: -0.1 is out of range"),
        ("one_momentum", 1.5, "Momentum: 1.5 is out of range"),
        ("one_weight_decay", 3.0, "Weight decay: 3.0 is out of range"),
        ("one_loss_weight", 11.0, "Auxiliary loss weight: 11.0 is out of range"),
        ("one_first", -1, "Seeds: write whole numbers"),
    ],
)
def test_a_bad_value_is_explained_and_changes_nothing(
    manager: Manager, key: str, value: float | None, message: str
) -> None:
    """The sentence stands with the control, the value stays to be mended, and the last good plan would start."""
    app = train_page()
    app.number_input(key=key).set_value(value).run()
    assert message in app.error[0].value
    assert app.number_input(key=key).value == value
    click(app, "train_start")
    assert only_run(manager).plan == train_plan(manager)


def train_plan(manager: Manager) -> object:
    """Return what is started where nothing was set."""
    click(train_page(), "train_start")
    return manager.store.runs()[0].plan


@pytest.mark.parametrize("key", ["one_kind", "one_optimiser", "one_schedule", "one_images", "one_device"])
def test_a_forged_choice_is_refused(manager: Manager, key: str) -> None:
    """What the control does not offer is explained."""
    app = train_page()
    forge(app.selectbox(key=key), "<b>x").run()
    assert app.error
    click(app, "train_start")
    assert only_run(manager).plan == train_plan(manager)


@pytest.mark.parametrize("key", ["train_view", "train_axis_one"])
def test_without_a_choice_the_usual_is_shown(manager: Manager, key: str) -> None:
    """A browser that sends no choice of view or axis gets the first one."""
    run = put(manager.store, plan("mini"))
    app = train_page(run=run.id)
    app.session_state[key] = None
    app.run()
    assert not app.exception
    assert "85.0 %" in words(app)


def test_a_network_that_left_the_shelf_leaves_the_race(manager: Manager) -> None:
    """What remains of a race of two is no race: the usual networks stand there again."""
    mini = PRESETS["mini"]
    app = train_page(net=to_token(Version("mini", with_module(mini, mini.module("4a").replace(ch3x3=60)))))
    click(app, "keep")
    view(app, "race")
    app.multiselect(key="race_networks").set_value(["mini", "mini_4a"]).run()
    assert app.multiselect(key="race_networks").value == ["mini", "mini_4a"]
    app.session_state["shelf"] = app.session_state["shelf"].delete("mini_4a")
    app.run()
    assert not app.exception
    assert app.multiselect(key="race_networks").value == ["current", "mini"]


def test_settings_are_taken(manager: Manager) -> None:
    """Each control ends in the plan; the defaults are one click away."""
    app = train_page()
    app.number_input(key="one_batch_size").set_value(32).run()
    app.number_input(key="one_learning_rate").set_value(0.05).run()
    app.selectbox(key="one_optimiser").set_value("adam").run()
    app.selectbox(key="one_schedule").set_value("constant").run()
    app.number_input(key="one_first").set_value(7).run()
    app.selectbox(key="one_images").set_value("scales").run()
    click(app, "train_start")
    made = only_run(manager).plan
    settings = made.settings
    assert (settings.batch_size, settings.learning_rate, settings.optimiser, settings.schedule) == (
        32,
        0.05,
        "adam",
        "constant",
    )
    assert (made.seeds, made.data.name) == ((7,), "scales")
    click(app, "one_defaults")
    click(app, "train_start")
    assert manager.store.runs()[0].plan.settings.batch_size != 32


def test_the_budget_in_other_units(manager: Manager) -> None:
    """Another unit keeps the budget about as it was, in round numbers."""
    app = train_page()
    app.selectbox(key="one_kind").set_value("epochs").run()
    assert not app.error
    app.number_input(key="one_amount").set_value(2.0).run()
    assert "(2.0 epochs)" in words(app)
    click(app, "train_start")
    assert only_run(manager).plan.budget == Budget(kind="epochs", amount=2.0)


def test_a_large_network_is_given_more_time(manager: Manager) -> None:
    """Where a minute would be a few steps, the proposal is longer; it can still be changed."""
    app = train_page()
    app.selectbox(key="one_networks").set_value("naive").run()
    assert 60 < app.number_input(key="one_amount").value <= MAX_DEFAULT_SECONDS
    assert "Classes: 1,000 → 10." in words(app)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_starts_its_race_in_one_click(manager: Manager, name: str) -> None:
    """The plan that runs is the question's own."""
    app = view(train_page(), "race")
    assert QUESTIONS[name].title in words(app)
    click(app, f"question_{name}")
    assert only_run(manager).plan == QUESTIONS[name].plan
    assert app.query_params["run"] == only_run(manager).id


def test_a_race_of_ones_own(manager: Manager) -> None:
    """Networks, seeds and equal parameters are taken; too few networks are explained."""
    app = view(train_page(), "race")
    app.multiselect(key="race_networks").set_value(["mini"]).run()
    assert "A race is between 2 and 4 networks" in app.error[0].value
    app.multiselect(key="race_networks").set_value(["mini", "half"]).run()
    app.number_input(key="race_seeds").set_value(6).run()
    assert "Give 1 to 5" in app.error[0].value
    app.number_input(key="race_seeds").set_value(2).run()
    app.toggle(key="race_equal_parameters").set_value(True).run()
    assert "Widths: scaled alike, from 1,498,274 to" in words(app)
    click(app, "train_start")
    run = only_run(manager)
    assert [entrant.name for entrant in run.plan.networks] == ["mini", "half"]
    assert run.plan.seeds == (0, 1)


def test_the_history_is_empty_at_first(manager: Manager) -> None:
    """It says what to do."""
    assert "No run yet" in words(view(train_page(), "history"))


def test_the_history_lists_and_filters(manager: Manager) -> None:
    """All runs, the latest first, by name, network, images, state and owner."""
    put(manager.store, plan("mini"), accuracies=(0.8,))
    put(manager.store, plan("half", data="scales"), "cancelled", session="me")
    app = train_page()
    app.session_state["reader"] = "me"
    view(app, "history")
    table = app.dataframe[0].value
    assert list(table["run"]) == ["half", "mini"]
    assert list(table["state"]) == ["stopped", "finished"]
    assert table["accuracy"][1] == 80.0
    app.text_input(key="history_text").set_value("SCALES").run()
    assert list(app.dataframe[0].value["run"]) == ["half"]
    app.text_input(key="history_text").set_value("").run()
    app.multiselect(key="history_states").set_value(["finished"]).run()
    assert list(app.dataframe[0].value["run"]) == ["mini"]
    app.toggle(key="history_mine").set_value(True).run()
    assert "No run is like that" in words(app)


def test_the_history_follows_what_happens(manager: Manager) -> None:
    """It looks again while a run is not over, and not when all are."""
    run = put(manager.store, plan("mini"), "queued")
    app = view(train_page(), "history")
    assert "history_again" in str(app)
    manager.cancel(run.id, sure=True)
    app.run()
    assert list(app.dataframe[0].value["state"]) == ["stopped"]
    assert "history_again" not in str(app)


def test_the_history_compares_every_network_of_a_race(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line per network, in its run's colour, beside a run of one network; the caption says what is drawn."""
    put(manager.store, plan("mini"))
    put(manager.store, plan("mini", "half", seeds=(0, 1)))
    drawn: list[Panel] = []
    monkeypatch.setattr(history, "_table", lambda found: found)  # all of its rows are chosen
    monkeypatch.setattr(run_view, "show_curves", lambda panels, *_, **__: drawn.extend(panels))
    app = view(train_page(), "history")
    assert not app.exception
    assert [line.name for line in drawn[0].lines] == ["A mini_vs_half: mini", "A mini_vs_half: half", "B mini"]
    assert len({line.colour for line in drawn[0].lines}) == 2
    assert all(line.points for panel in drawn for line in panel.lines)
    assert "Of a race each network is drawn, as the mean over its seeds" in words(app)
    assert "Some may be somebody else's: ask first." in words(app)  # under the button that deletes all of them


def zipped(**classes: int) -> bytes:
    """Return a zip with so many pictures in a folder per class."""
    file = io.BytesIO()
    generator = np.random.Generator(np.random.PCG64(0))
    with zipfile.ZipFile(file, "w") as archive:
        for name, count in classes.items():
            for number in range(count):
                picture = io.BytesIO()
                Image.fromarray(generator.integers(0, 256, (16, 16, 3), np.uint8)).save(picture, "PNG")
                archive.writestr(f"{name}/{number}.png", picture.getvalue())
    return file.getvalue()


def bring(app: AppTest, content: bytes) -> AppTest:
    """Upload a file and import it."""
    next(u for u in app.get("file_uploader") if u.key.startswith("one_files")).upload("mine.zip", content).run()
    return click(app, "one_import")


def test_ones_own_images(manager: Manager) -> None:
    """A zip of class folders is chosen at once and shown; it can be trained on, and deleted."""
    app = bring(train_page(), zipped(cat=8, dog=6))
    shown = words(app)
    assert "<th>cat</th>" in shown
    assert "<th>dog</th>" in shown
    click(app, "train_start")
    run = only_run(manager)
    assert run.plan.data.name == "own"
    assert run.plan.networks[0].config.classes == 2
    click(app, "one_forget")
    assert imported_datasets(folder_in_use()) == ()
    assert app.selectbox(key="one_images").value == "fashion_mnist"
    assert "Its images are no longer there." in words(train_page(run=run.id))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no images at all", "neither a zip"),
        (zipped(cat=5), "class"),
        (b"PK\x03\x04 cut off", "damaged or cut off"),
    ],
)
def test_a_bad_upload_is_explained_where_it_was_made(manager: Manager, content: bytes, message: str) -> None:
    """The sentence stands at the uploader and says what would be right; the images stay those that were chosen."""
    app = bring(train_page(), content)
    assert message in app.error[0].value
    assert app.selectbox(key="one_images").value == "fashion_mnist"


def test_nothing_is_kept_of_the_images_in_the_server(manager: Manager) -> None:
    """What stays in memory of a set is a few small pictures."""
    train_page()
    assert images._strips.cache_info().currsize
    assert len(images._strips(plan("mini").data, str(folder_in_use()))) < 200_000


def test_a_data_directory_that_cannot_be_used_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page says which folder and what to do; the rest of the app goes on."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "file"))
    runs._manager.clear()
    app = train_page()
    assert "Name another one in EXPLORER_DATA" in app.error[0].value
    assert not [button for button in app.button if button.key == "train_start"]


def test_the_shelf_knows_what_was_reached(manager: Manager, data_folder: Path) -> None:
    """The scatter of the page Compare tells the best accuracy of a network that was trained, and of no other."""
    data_folder.mkdir()
    (data_folder / "runs.sqlite").touch()  # where the server's store would be
    put(manager.store, plan("mini", "half"), accuracies=(0.8, 0.7))
    put(manager.store, plan("mini"), accuracies=(0.75,))
    app = train_page()
    app.switch_page("pages/explore/compare.py").run()
    app.session_state["compare_view"] = "Shelf"
    app.run()
    assert not app.exception
    spec = app.get("plotly_chart")[0].proto.spec
    assert spec.count("(best run here)") == 2
    assert "80.0 % on Fashion-MNIST" in spec
