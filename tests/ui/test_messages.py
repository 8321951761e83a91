"""A bad environment is explained on every page, and nothing is computed with it."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app import open_app


def test_a_bad_environment_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence for each variable with its value, and no page; with valid values the page is back."""
    monkeypatch.setenv("EXPLORER_RUNS", "*abc*")
    monkeypatch.setenv("EXPLORER_TRAIN_MB", "-3")
    app: AppTest = open_app()
    assert [error.value for error in app.error] == [
        "The environment variable EXPLORER\\_TRAIN\\_MB is “-3”. Set it to a whole number from 1 to 10,000,000, or "
        "leave it out for 4,000.",
        "The environment variable EXPLORER\\_RUNS is “\\*abc\\*”. Set it to a whole number from 1 to 64, or leave it "
        "out for 1.",
    ]
    assert not app.metric
    assert not app.button
    monkeypatch.delenv("EXPLORER_RUNS")
    monkeypatch.delenv("EXPLORER_TRAIN_MB")
    app.run()
    assert not app.error
    assert app.button
