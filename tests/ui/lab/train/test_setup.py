"""The settings of a run: the first visit, what is trained, controls that reject input, and races."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import PRESETS
from explorer.diff import with_module
from explorer.history import Version
from explorer.runs.manager import Manager
from explorer.share import to_token
from explorer.training.plan import Budget, NamedNetwork, Plan, Settings
from explorer.training.races import QUESTIONS
from explorer.training.recipe import MAX_DEFAULT_SECONDS, RECIPE
from explorer.ui import runs
from tests.stored_runs import CLASSES, make_plan, store_run
from tests.ui.app import ROOT, forge, title
from tests.ui.lab.train.conftest import choose_view, click, only_run, open_page, page_text


def test_the_first_visit_shows_images_and_an_estimate(manager: Manager) -> None:
    """Without a choice: images of each class with their counts, an estimate, and a start button."""
    app = open_page()
    text = page_text(app)
    assert text.count("data:image/png") == CLASSES
    assert "<th>Ankle boot</th><td>6,000</td><td>1,000</td>" in text
    assert "60,000 training and 10,000 test images of 1 × 28 × 28" in text
    assert "About 1 min" in text
    assert " steps (" in text
    assert " MB. Time and steps are a guess until a run has measured the speed here." in text
    assert not app.button(key="train_start").disabled
    assert manager.store.runs() == []


@pytest.mark.slow
def test_the_first_visit_loads_no_torch(tmp_path: Path) -> None:
    """The page with its images does not wait for PyTorch."""
    code = (
        "import sys\n"
        "from tests.ui.lab.train.conftest import open_page\n"
        "app = open_page()\n"
        "assert any('data:image/png' in element.value for element in app.get('html'))\n"
        "print('torch' in sys.modules)"
    )
    environment = os.environ | {"EXPLORER_DATA": str(tmp_path / "fresh")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == "False"


def test_the_edited_network_is_trained(manager: Manager) -> None:
    """After an edit the current network is the default, and the page shows how it is adapted before the start."""
    mini = PRESETS["mini"]
    edited = Version("mini", with_module(mini, mini.module("4a").replace(ch3x3=60)).replace(classes=7))
    app = open_page(net=to_token(edited))
    assert title(app) == "mini + 2 edits"
    assert app.selectbox(key="one_networks").value == "current"
    assert "Classes: 7 → 10." in page_text(app)
    click(app, "train_start")
    (network,) = only_run(manager).plan.networks
    assert network.config == edited.config.replace(classes=10)
    assert network.name == "mini, 4a #3×3 60"


def test_the_start_button_queues_a_run(manager: Manager) -> None:
    """The run belongs to the session, the URL names it, and the page shows its position in the queue."""
    store_run(manager.store, make_plan("half"), "queued")
    app = click(open_page(), "train_start")
    run = manager.store.runs()[0]
    assert run.state == "queued"
    assert run.plan.budget == Budget(kind="seconds", amount=60.0)
    assert app.query_params["run"] == run.id
    assert "One run is before it." in page_text(app)
    assert {"run_cancel", "run_delete"} <= {button.key for button in app.button}
    assert "another person" not in page_text(app)


def test_a_full_queue_is_explained(manager: Manager) -> None:
    """The reason is below the button, and nothing else changes."""
    for _ in range(20):
        store_run(manager.store, make_plan("mini"), "queued")
    app = click(open_page(), "train_start")
    assert "20 runs are already waiting" in app.error[0].value
    assert len(manager.store.runs()) == 20


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("one_amount", "-5.0", "Budget: -5 is out of range"),
        ("one_amount", "1e9", "is out of range"),
        ("one_amount", "", "Budget: the field is blank"),
        ("one_batch_size", "1", "Batch size: 1 is out of range"),
        ("one_batch_size", "10000000", "out of range"),
        ("one_learning_rate", "-0.1", "Learning rate: -0.1 is out of range"),
        ("one_momentum", "1.5", "Momentum: 1.5 is out of range"),
        ("one_weight_decay", "3.0", "Weight decay: 3.0 is out of range"),
        ("one_label_smoothing", "1.0", "Label smoothing: 1.0 is out of range"),
        ("one_warm_up", "-0.1", "Warm-up: -0.1 is out of range"),
        ("one_clip_norm", "0", "Gradient clipping: 0.0 is out of range"),
        ("one_small_images", "1.0", "Small images first: 1.0 is out of range"),
        ("one_averaging", "2.0", "Weight averaging: 2.0 is out of range"),
        ("one_loss_weight", "11.0", "Auxiliary loss weight: 11.0 is out of range"),
        ("one_first", "-1", "Seeds: enter whole numbers"),
    ],
)
def test_an_invalid_value_is_explained_and_changes_nothing(
    manager: Manager, key: str, value: str, message: str
) -> None:
    """The message is at the control, which keeps the value; the start button uses the last valid plan."""
    app = open_page()
    app.text_input(key=key).set_value(value).run()
    assert message in app.error[0].value
    assert app.text_input(key=key).value == value
    click(app, "train_start")
    assert only_run(manager).plan == default_plan(manager)


def default_plan(manager: Manager) -> Plan:
    """Return the plan of a run that starts without a choice."""
    click(open_page(), "train_start")
    return manager.store.runs()[0].plan


@pytest.mark.parametrize("field", ["kind", "optimiser", "schedule", "images", "device", "precision", "initialisation"])
def test_a_forged_choice_is_rejected(manager: Manager, field: str) -> None:
    """A value that the list does not have is explained and changes nothing."""
    app = open_page()
    forge(app.selectbox(key=f"one_{field}"), "<b>x").run()
    assert app.error
    click(app, "train_start")
    assert only_run(manager).plan == default_plan(manager)


@pytest.mark.parametrize("key", ["train_view", "train_axis_one"])
def test_without_a_choice_the_default_is_shown(manager: Manager, key: str) -> None:
    """A browser that sends no choice of view or axis gets the first one."""
    run = store_run(manager.store, make_plan("mini"))
    app = open_page(run=run.id)
    app.session_state[key] = None
    app.run()
    assert not app.exception
    assert "85.0 %" in page_text(app)


@pytest.mark.slow
def test_a_network_that_left_the_shelf_leaves_the_race(manager: Manager) -> None:
    """One network is not a race, so the default networks are chosen again."""
    mini = PRESETS["mini"]
    app = open_page(net=to_token(Version("mini", with_module(mini, mini.module("4a").replace(ch3x3=60)))))
    click(app, "keep")
    choose_view(app, "race")
    app.multiselect(key="race_networks").set_value(["mini", "mini_4a"]).run()
    assert app.multiselect(key="race_networks").value == ["mini", "mini_4a"]
    app.session_state["shelf"] = app.session_state["shelf"].delete("mini_4a")
    app.run()
    assert not app.exception
    assert app.multiselect(key="race_networks").value == ["current", "mini"]


@pytest.mark.slow
def test_settings_reach_the_plan(manager: Manager) -> None:
    """Each control changes the plan; one click returns to the defaults."""
    app = open_page()
    app.text_input(key="one_batch_size").set_value("32").run()
    app.text_input(key="one_learning_rate").set_value("0.05").run()
    app.selectbox(key="one_optimiser").set_value("adam").run()
    app.selectbox(key="one_schedule").set_value("constant").run()
    app.text_input(key="one_first").set_value("7").run()
    app.selectbox(key="one_images").set_value("scales").run()
    click(app, "train_start")
    plan = only_run(manager).plan
    settings = plan.settings
    assert (settings.batch_size, settings.learning_rate, settings.optimiser, settings.schedule) == (
        32,
        0.05,
        "adam",
        "constant",
    )
    assert (plan.seeds, plan.data.name) == ((7,), "scales")
    click(app, "one_defaults")
    click(app, "train_start")
    assert manager.store.runs()[0].plan.settings.batch_size != 32


def test_the_recipe_reaches_the_plan(manager: Manager) -> None:
    """A new run has the default recipe, and every part of it can be changed or switched off."""
    app = open_page()
    click(app, "train_start")
    assert only_run(manager).plan.settings == RECIPE
    for field, value in {"label_smoothing": "0", "warm_up": "0.1", "clip_norm": "2"}.items():
        app.text_input(key=f"one_{field}").set_value(value).run()
    for field, value in {"small_images": "0.5", "averaging": "0.1"}.items():
        app.text_input(key=f"one_{field}").set_value(value).run()
    app.toggle(key="one_mirror").set_value(True).run()
    app.toggle(key="one_precise_batch_norm").set_value(False).run()
    app.selectbox(key="one_initialisation").set_value("caffe").run()
    app.selectbox(key="one_precision").set_value("fp32").run()
    click(app, "train_start")
    assert manager.store.runs()[0].plan.settings == Settings(
        warm_up=0.1,
        clip_norm=2.0,
        small_images=0.5,
        averaging=0.1,
        mirror=True,
        precise_batch_norm=False,
        initialisation="caffe",
    )


def test_one_click_measures_a_setting(manager: Manager) -> None:
    """The race has the network with and without the chosen setting, from three seeds, and the page shows it."""
    app = open_page()
    app.selectbox(key="one_measured").set_value("averaging").run()
    click(app, "one_measure")
    plan = only_run(manager).plan
    assert [network.name for network in plan.networks] == ["with_averaging", "without_averaging"]
    assert [plan.settings_of(number).averaging for number in (0, 1)] == [0.1, 0.0]
    assert plan.seeds == (0, 1, 2)
    assert app.query_params["run"] == only_run(manager).id
    assert not app.exception


def test_another_unit_keeps_the_budget(manager: Manager) -> None:
    """The amount in the new unit is about the same budget, rounded."""
    app = open_page()
    app.selectbox(key="one_kind").set_value("epochs").run()
    assert not app.error
    app.text_input(key="one_amount").set_value("2.0").run()
    assert "(2.0 epochs)" in page_text(app)
    click(app, "train_start")
    assert only_run(manager).plan.budget == Budget(kind="epochs", amount=2.0)


def test_a_large_network_has_a_larger_default_budget(manager: Manager) -> None:
    """A minute would be a few steps only, so the default is longer."""
    app = open_page()
    app.selectbox(key="one_networks").set_value("naive").run()
    assert 60 < float(app.text_input(key="one_amount").value) <= MAX_DEFAULT_SECONDS
    assert "Classes: 1,000 → 10." in page_text(app)


def test_a_minute_is_promised_only_of_a_network_that_learns_in_it(manager: Manager) -> None:
    """Of mini; never beside the caution that a network is hard to train."""
    app = open_page()
    assert "learns within a minute" in page_text(app)
    app.selectbox(key="one_networks").set_value("paper").run()
    text = page_text(app)
    assert "paper has no BatchNorm and is hard to train" in text
    assert "learns within a minute" not in text


@pytest.mark.slow
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_starts_its_race_with_one_click(manager: Manager, name: str) -> None:
    """The queued plan is the question's."""
    app = choose_view(open_page(), "race")
    assert QUESTIONS[name].title in page_text(app)
    click(app, f"question_{name}")
    assert only_run(manager).plan == QUESTIONS[name].plan
    assert app.query_params["run"] == only_run(manager).id


def test_a_question_opens_in_the_form(manager: Manager) -> None:
    """There its seeds and its budget can be changed before it starts; then the user can choose other networks."""
    app = click(choose_view(open_page(), "race"), "question_heads_change")
    assert "mini without heads" in page_text(app)
    app.text_input(key="race_seeds").set_value("5").run()
    app.text_input(key="race_amount").set_value("300").run()
    click(app, "train_start")
    plan = only_run(manager).plan
    question = QUESTIONS["heads"].plan
    assert plan == question.replace(seeds=(0, 1, 2, 3, 4), budget=Budget(kind="steps", amount=300.0))
    click(app, "race_other_networks")
    assert app.multiselect(key="race_networks").value == ["mini", "half"]


def test_networks_without_heads_are_named_so(manager: Manager) -> None:
    """And two runs of the same network have different names."""
    mini = PRESETS["mini"]
    version = Version("mini", mini.replace(aux=mini.aux.replace(taps=())))
    for _ in range(2):
        click(open_page(net=to_token(version)), "train_start")
    assert [run.name for run in manager.store.runs()] == ["mini without heads 2", "mini without heads"]
    assert [network.name for network in only_networks(manager)] == ["mini without heads"] * 2


def only_networks(manager: Manager) -> list[NamedNetwork]:
    """Return the network of each run."""
    return [network for run in manager.store.runs() for network in run.plan.networks]


def test_a_race_of_chosen_networks(manager: Manager) -> None:
    """Networks, seeds and equal parameters reach the plan; too few networks are explained."""
    app = choose_view(open_page(), "race")
    app.multiselect(key="race_networks").set_value(["mini"]).run()
    assert "A race needs 2 to 4 networks" in app.error[0].value
    app.multiselect(key="race_networks").set_value(["mini", "half"]).run()
    app.text_input(key="race_seeds").set_value("6").run()
    assert "Give 1 to 5" in app.error[0].value
    app.text_input(key="race_seeds").set_value("2").run()
    app.toggle(key="race_equal_parameters").set_value(True).run()
    assert "Widths: all scaled by one factor, from 1,498,274 to" in page_text(app)
    click(app, "train_start")
    run = only_run(manager)
    assert [network.name for network in run.plan.networks] == ["mini", "half"]
    assert run.plan.seeds == (0, 1)


def test_an_unusable_data_directory_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page names the folder and says what to do; the rest of the app works."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXPLORER_DATA", str(tmp_path / "file"))
    runs._manager.clear()
    app = open_page()
    assert str(tmp_path / "file") in app.error[0].value
    assert "EXPLORER_DATA" in app.error[0].value
    assert not [button for button in app.button if button.key == "train_start"]


def test_a_browser_in_a_class_has_two_runs(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third one is refused with the reason; without a class there is only the queue's limit."""
    monkeypatch.setattr(runs, "is_own", lambda run: True)
    monkeypatch.setattr(runs, "class_link", lambda: "http://192.168.1.7:8501")
    for _ in range(runs.CLASS_RUNS):
        click(open_page(), "train_start")
    app = click(open_page(), "train_start")
    assert "at most 2 runs" in app.error[0].value
    assert len(manager.store.runs()) == runs.CLASS_RUNS
