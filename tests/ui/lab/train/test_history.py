"""The history: list, filter, poll and compare runs."""

import pytest

from explorer.runs.manager import Manager
from explorer.ui.lab.train import history, run_view
from explorer.views.curves import Panel
from tests.stored_runs import make_plan, store_run
from tests.ui.lab.train.conftest import choose_view, open_page, page_text


def test_an_empty_history_says_what_to_do(manager: Manager) -> None:
    """There is no table without runs."""
    app = choose_view(open_page(), "history")
    assert "No runs yet" in page_text(app)
    assert not app.dataframe


def test_the_history_lists_and_filters(manager: Manager) -> None:
    """All runs, the latest first; the filters are name, network, images, state and session."""
    store_run(manager.store, make_plan("mini"), accuracies=(0.8,))
    store_run(manager.store, make_plan("half", data="scales"), "cancelled", session="me")
    app = open_page()
    app.session_state["session_id"] = "me"
    choose_view(app, "history")
    table = app.dataframe[0].value
    assert list(table["run"]) == ["half", "mini"]
    assert list(table["state"]) == ["stopped", "finished"]
    assert table["accuracy"][1] == 80.0
    app.text_input(key="history_text").set_value("SCALES").run()
    assert list(app.dataframe[0].value["run"]) == ["half"]
    app.text_input(key="history_text").set_value("").run()
    app.multiselect(key="history_states").set_value(["finished"]).run()
    assert list(app.dataframe[0].value["run"]) == ["mini"]
    app.toggle(key="history_own").set_value(True).run()
    assert "No run matches" in page_text(app)


def test_the_history_polls_while_a_run_is_active(manager: Manager) -> None:
    """It shows the new state, and stops polling when no run is active."""
    run = store_run(manager.store, make_plan("mini"), "queued")
    app = choose_view(open_page(), "history")
    assert "history_again" in str(app)
    manager.cancel(run.id, confirmed=True)
    app.run()
    assert list(app.dataframe[0].value["state"]) == ["stopped"]
    assert "history_again" not in str(app)


def test_the_history_compares_every_network_of_a_race(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line per network, in the colour of its run, beside a run of one network; the caption explains it."""
    store_run(manager.store, make_plan("mini"))
    store_run(manager.store, make_plan("mini", "half", seeds=(0, 1)))
    drawn: list[Panel] = []
    monkeypatch.setattr(history, "_show_table", lambda found: found)  # all rows are selected
    monkeypatch.setattr(run_view, "show_curves", lambda panels, *_, **__: drawn.extend(panels))
    app = choose_view(open_page(), "history")
    assert not app.exception
    assert [line.name for line in drawn[0].lines] == ["A mini_vs_half: mini", "A mini_vs_half: half", "B mini"]
    assert len({line.colour for line in drawn[0].lines}) == 2
    assert all(line.points for panel in drawn for line in panel.lines)
    assert "Each network of a race is one line, the mean over its seeds" in page_text(app)
    assert "Some may belong to other people: ask first." in page_text(app)  # below the button that deletes them
