"""The history: list, filter, poll and compare runs."""

import pytest

from explorer.runs.manager import Manager
from explorer.ui.lab.train import charts, history
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
    assert list(table["accuracy"]) == ["", "80.0 % (78.2 to 81.7 %)"]
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


def test_trainings_that_differ_only_by_seed_are_one_row(manager: Manager) -> None:
    """With mean, interval and number; of a race each network. What was trained once is not repeated there."""
    race = make_plan("mini", "half", seeds=(3, 4))
    for seed, accuracy in ((0, 0.8), (1, 0.82), (2, 0.81)):
        store_run(
            manager.store, make_plan("mini", seeds=(seed,)).replace(settings=race.settings), accuracies=(accuracy,)
        )
    store_run(manager.store, race, accuracies=(0.83, 0.84, 0.7, 0.7))
    store_run(manager.store, make_plan("mini", data="scales"), accuracies=(0.4,))
    app = choose_view(open_page(), "history")
    runs, repeated = (table.value for table in app.dataframe)
    assert list(runs["accuracy"])[1] == "83.5 % (81.8 to 85.1 %) vs 70.0 % (68.0 to 72.0 %)"
    assert list(repeated["network"]) == ["mini", "half"]
    assert list(repeated["test accuracy"]) == ["82.0 %", "70.0 %"]
    assert list(repeated["seeds"]) == ["5", "2"]
    assert repeated["95 % interval"][0] == "79.4 to 84.6 %"
    assert "covers the choice of seeds and of test images" in page_text(app)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Panel]:
    """All runs are selected, and the panels of their charts are in this list."""
    panels: list[Panel] = []
    monkeypatch.setattr(history, "_show_table", lambda found: found)
    monkeypatch.setattr(charts, "show_curves", lambda shown, *_, **__: panels.append(shown[0]))
    return panels


def test_the_history_compares_every_network_of_a_race(manager: Manager, drawn: list[Panel]) -> None:
    """One line per network, in the colour of its run, beside a run of one network; the caption explains it."""
    store_run(manager.store, make_plan("mini"))
    store_run(manager.store, make_plan("mini", "half", seeds=(0, 1)))
    app = choose_view(open_page(), "history")
    assert not app.exception
    lines = [line for line in drawn[0].lines if not line.is_faint]
    assert [line.name for line in lines] == ["A mini_vs_half: mini", "A mini_vs_half: half", "B mini"]
    assert len({line.colour for line in lines}) == 2
    assert all(line.points for line in drawn[0].lines)
    assert "Networks of one race share a colour" in page_text(app)
    assert "The band is the 95 % interval of the mean test accuracy over the choice of test images" in page_text(app)
    assert "Some may belong to other people: ask first." in page_text(app)  # below the button that deletes them


def test_accuracies_on_different_images_have_their_own_axis(manager: Manager, drawn: list[Panel]) -> None:
    """A chart per dataset, with its title, and no difference between the two."""
    store_run(manager.store, make_plan("mini"), accuracies=(0.8,))
    store_run(manager.store, make_plan("mini", data="scales"), accuracies=(0.4,))
    app = choose_view(open_page(), "history")
    assert [[line.name for line in panel.lines] for panel in drawn] == [["A mini"], ["B mini"]]
    assert "**Scales (synthetic)**" in page_text(app)
    assert "McNemar" not in page_text(app)


def test_two_runs_are_compared_on_their_test_images(manager: Manager, drawn: list[Panel]) -> None:
    """As two trainings; with three seeds each, as two networks."""
    seeds = (0, 1, 2)
    store_run(manager.store, make_plan("mini"), accuracies=(0.8,))
    store_run(manager.store, make_plan("mini", steps=200), accuracies=(0.9,))
    text = page_text(choose_view(open_page(), "history"))
    assert "Of these two trainings, that of A mini is more accurate by 10.0 percentage points" in text
    store_run(manager.store, make_plan("mini", "half", seeds=seeds), accuracies=(0.8, 0.81, 0.8, 0.7, 0.7, 0.71))
    text = page_text(choose_view(open_page(), "history"))
    assert "**A mini is more accurate than A half** by 10.0 percentage points (95 % interval +" in text


def test_more_runs_than_colours_are_announced(manager: Manager, drawn: list[Panel]) -> None:
    """The page says which of them the charts show."""
    for seed in range(5):
        store_run(manager.store, make_plan("mini", seeds=(seed,)))
    app = choose_view(open_page(), "history")
    assert "5 runs are selected. The charts show the first 4: mini, mini, mini, mini." in page_text(app)
    assert [line.name[0] for line in drawn[0].lines] == list("ABCD")
