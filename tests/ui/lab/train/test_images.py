"""The images of a run: imported datasets, whose they are, and the memory of previews."""

import pytest
import streamlit as st

from explorer.data.datasets import imported_datasets
from explorer.data.import_report import ImportOptions, Upload
from explorer.data.imports import import_images
from explorer.runs.manager import Manager
from explorer.settings import data_folder as current_data_folder
from explorer.ui.components.browser_token import COOKIE
from explorer.ui.lab.train import samples
from tests.data.files import animals, zip_file
from tests.stored_runs import make_plan
from tests.ui.lab.train.conftest import click, only_run, open_page, page_text


def test_an_imported_dataset_is_trained_on_and_deleted(manager: Manager) -> None:
    """The run has its classes; before it is deleted the page says which runs used it and whose it is."""
    import_images([Upload("pets.zip", zip_file(animals()))], current_data_folder(), ImportOptions(), "somebody else")
    app = open_page()
    (upload,) = imported_datasets(current_data_folder())
    assert "pets.zip (imported from another browser)" in app.selectbox(key="one_images").options
    app.selectbox(key="one_images").set_value(upload).run()
    assert "<th>cats</th>" in page_text(app)
    click(app, "train_start")
    run = only_run(manager)
    assert run.plan.data.name == "own"
    assert run.plan.networks[0].config.classes == 2
    text = page_text(app)
    assert "Runs that used them: 1. They stay, but cannot be resumed. They may belong to another person" in text
    click(app, "one_delete_dataset")
    assert imported_datasets(current_data_folder()) == ()
    assert app.selectbox(key="one_images").value == "fashion_mnist_full"
    assert "Its images no longer exist." in page_text(open_page(run=run.id))


def test_an_imported_dataset_stays_that_of_its_browser(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each opening is a session of its own, as a reload is; the token in the cookie is the same."""
    token = "0123456789abcdef" * 2
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: token})
    import_images([Upload("pets.zip", zip_file(animals()))], current_data_folder(), ImportOptions(), token)
    for _ in range(2):
        assert "pets.zip (yours)" in open_page().selectbox(key="one_images").options


def test_the_server_keeps_only_previews(manager: Manager) -> None:
    """The cache holds a few small images of a dataset."""
    open_page()
    assert samples._preview_html.cache_info().currsize
    assert len(samples._preview_html(make_plan("mini").data, str(current_data_folder()))) < 200_000
