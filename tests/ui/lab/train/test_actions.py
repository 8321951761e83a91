"""The actions on a run: pause, cancel, resume, rename, delete, open its network, use its weights."""

import pytest
import streamlit as st

from explorer.runs.manager import Manager
from explorer.ui.components.browser_token import COOKIE
from tests.stored_runs import get_run, make_plan, store_run
from tests.ui.app import title
from tests.ui.lab.train.conftest import click, only_run, open_page, page_text


def test_cancel_and_resume(manager: Manager) -> None:
    """Each button changes the state of the run."""
    app = click(open_page(), "train_start")
    click(app, "run_cancel")
    assert only_run(manager).state == "cancelled"
    assert "It had not started to train." in page_text(app)
    click(app, "run_resume")
    assert only_run(manager).state == "queued"


def test_the_run_of_another_session_needs_a_second_click(manager: Manager) -> None:
    """Its buttons are in a popover with a warning; a click there works."""
    run = store_run(manager.store, make_plan("mini"), "queued", session="somebody")
    app = open_page(run=run.id)
    assert "started in another browser, or by another person" in page_text(app)
    click(app, "run_cancel")
    assert get_run(manager.store, run.id).state == "cancelled"


def test_a_reload_keeps_my_runs_mine(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new session of the same browser has its token; another browser has another. The address holds neither."""
    token = "0123456789abcdef" * 2
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: token})
    app = click(open_page(), "train_start")
    run = only_run(manager)
    assert run.session == token
    assert token not in str(app.query_params)
    assert "another person" not in page_text(open_page(run=run.id))
    monkeypatch.setattr(type(st.context), "cookies", {})
    assert "another person" in page_text(open_page(run=run.id))


def test_a_run_is_renamed(manager: Manager) -> None:
    """Any text is a name; a taken one gets a number; an empty one is explained at the field, and the old one stays."""
    store_run(manager.store, make_plan("half"))
    run = store_run(manager.store, make_plan("mini"))
    app = open_page(run=run.id)
    key = f"run_name_{run.id}"
    for typed, name in ((" 最好的 <b>网络</b> ", "最好的 <b>网络</b>"), ("../x", "../x"), ("half", "half 2")):
        app.text_input(key=key).set_value(typed).run()
        assert get_run(manager.store, run.id).name == name
        assert not app.exception
    app.text_input(key=key).set_value("\u202e").run()
    assert "A run needs a name" in app.error[0].value
    assert get_run(manager.store, run.id).name == "half 2"


def test_a_run_is_deleted(manager: Manager) -> None:
    """The run and its weights are deleted, and the page shows what can be trained next."""
    run = store_run(manager.store, make_plan("mini"))
    path = manager.store.weights_path(run.id)
    assert path
    assert path.exists()
    app = open_page(run=run.id)
    assert "The run may belong to another person: ask first." in page_text(app)  # this session did not start it
    click(app, "run_delete")
    app.run()
    assert manager.store.runs() == []
    assert not list(manager.store.checkpoints.iterdir())
    assert "Training images" in page_text(app)


def test_the_network_of_a_run_is_opened(manager: Manager) -> None:
    """The trained network becomes the current one, with the most similar preset as its base; undo restores the old."""
    run = store_run(manager.store, make_plan("half"))
    app = click(open_page(run=run.id), "run_open_0")
    assert title(app).startswith("half width + ")
    click(app, "undo")
    assert title(app) == "paper"


def test_the_weights_of_a_run_lead_to_look_inside(manager: Manager) -> None:
    """The link names the run and the trainer; without a checkpoint there is none."""
    run = store_run(manager.store, make_plan("mini", "half", seeds=(0, 1)))
    links = [link.proto.query_string for link in open_page(run=run.id).get("page_link")]
    assert links == [f"weights=run%3A{run.id}", f"weights=run%3A{run.id}%3A2"]
    queued = store_run(manager.store, make_plan("mini"), "queued")
    assert not open_page(run=queued.id).get("page_link")


def test_a_finished_run_leads_on(manager: Manager) -> None:
    """To Look inside, to a longer run with the same settings, and to its weights as files."""
    run = store_run(manager.store, make_plan("mini"))
    app = open_page(run=run.id)
    assert [link.proto.label for link in app.get("page_link")] == ["Look inside"]
    app.session_state["run_export"] = True
    app.run()
    assert not app.exception
    labels = {button.proto.label for button in app.get("download_button")}
    assert {"safetensors", "torchvision .pth", "ONNX", "PyTorch", "Images"} <= labels
    assert "repeats this run: exactly on the same processor" in page_text(app)
    assert "torchvision .pth: torchvision's GoogLeNet is the preset torchvision" in page_text(app)
    click(app, "run_longer")
    longer = manager.store.runs()[0]
    assert longer.plan == run.plan.replace(budget=run.plan.budget.replace(amount=200.0))
    assert longer.state == "queued"


def test_a_run_that_was_stopped_is_resumed_instead(manager: Manager) -> None:
    """Only a finished one can be trained longer."""
    run = store_run(manager.store, make_plan("mini"), "cancelled")
    keys = {button.key for button in open_page(run=run.id).button}
    assert "run_longer" not in keys
