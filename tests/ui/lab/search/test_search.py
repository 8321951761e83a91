"""The page Search, with a manager that starts no process."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from explorer.jobs.replays import Replays
from explorer.search.benchmark_file import BenchmarkTable
from explorer.search.manager import StudyManager
from explorer.search.replay import Pool, compare_samplers
from explorer.search.runner import Runner
from explorer.search.samplers import SAMPLERS
from explorer.search.spec import SearchBudget
from explorer.search.store import StudyStore
from explorer.ui import studies
from explorer.ui.lab.search import replay
from tests.search.studies import SPEC, make_train
from tests.search.test_replay import made_up_benchmark
from tests.ui.app import FakeJobQueue, click, open_app, run
from tests.ui.lab.train.conftest import page_text

PAGE = "pages/lab/search.py"


class IdleManager(StudyManager):
    """A manager that starts no process."""

    def _update(self) -> None:
        pass


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudyManager]:
    """The server's manager, with an empty store."""
    idle = IdleManager(StudyStore(tmp_path))
    monkeypatch.setattr(studies, "_manager", lambda folder, address: idle)
    yield idle
    idle.close()
    idle.store.close()


def open_view(view: str, **query: str) -> AppTest:
    """Open the page at a view."""
    return open_app(PAGE, {"search_view": view}, **query)


def test_the_lesson_needs_no_training(
    manager: StudyManager, monkeypatch: pytest.MonkeyPatch, jobs: FakeJobQueue
) -> None:
    """The page opens with what the recorded tables share; a worker replays the samplers, then their results come."""
    benchmark = made_up_benchmark(40)
    monkeypatch.setattr(replay, "read_benchmark", lambda path: benchmark)
    replay._benchmark.clear()
    app = open_app(PAGE)
    assert "39 other tables cost as much" in page_text(app)
    assert "TPE: " not in page_text(app)
    (request,) = [one for one in jobs.submitted if one.kind == "replay"]
    jobs.result = Replays(comparisons=compare_samplers(Pool(benchmark), tuple(SAMPLERS), request.trials, replays=3))
    run(app)
    replay._benchmark.clear()
    text = page_text(app)
    for sampler in ("TPE", "Evolutionary", "Random"):
        assert f"{sampler}: " in text
    assert () == manager.store.ids()


def test_a_benchmark_file_with_too_few_tables_is_explained(
    manager: StudyManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the command that adds more."""
    few: tuple[BenchmarkTable, ...] = made_up_benchmark(5).tables
    monkeypatch.setattr(replay, "read_benchmark", lambda path: made_up_benchmark(5)._replace(tables=few))
    replay._benchmark.clear()
    app = open_app(PAGE)
    replay._benchmark.clear()
    assert "search benchmark" in page_text(app)


def test_a_study_starts_with_the_current_network(manager: StudyManager) -> None:
    """Before the start the page says what it takes; then it shows the study, which has the chosen values."""
    app = open_view("new")
    assert "with 2 workers" in page_text(app) or "with 1 worker" in page_text(app)
    app.session_state["search_ceilings"] = [1.0, 0.5]
    click(run(app), "search_start")
    (study_id,) = manager.store.ids()
    spec = manager.store.head(study_id).spec
    assert ((1.0, 0.5), "tpe") == (spec.ceilings, spec.sampler)
    assert spec.data.validation_images > 0
    assert spec.name in page_text(app)


def test_a_study_that_cannot_run_does_not_start(manager: StudyManager) -> None:
    """Where nothing may change, the reason is shown and the button is off."""
    app = open_view("new")
    app.session_state["search_ceilings"] = []
    run(app)
    assert "different ceilings" in page_text(app)
    assert app.button(key="search_start").disabled


def test_a_study_is_paused_resumed_and_deleted(manager: StudyManager) -> None:
    """The buttons change the state in the store; a deleted study leads back to the list."""
    study_id = manager.store.create(SPEC)
    app = open_view("studies", study=study_id)
    click(app, "study_pause")
    assert "paused" == manager.store.head(study_id).state
    click(app, "study_resume")
    assert "running" == manager.store.head(study_id).state
    click(app, "study_delete")
    assert () == manager.store.ids()
    assert "No studies yet" in page_text(app)


def test_the_charts_of_a_study_have_their_titles_above_and_grow_for_a_projector(manager: StudyManager) -> None:
    """As on every page: a title on the page can wrap, one in the figure is cut off."""
    study_id = manager.store.create(SPEC)
    heights = []
    for query in ({}, {"present": "1"}):
        app = open_view("studies", study=study_id, **query)
        text = page_text(app)
        assert "**Accuracy against cost**" in text
        assert "**Best table so far**" in text
        layouts = [json.loads(chart.proto.spec)["layout"] for chart in app.get("plotly_chart")]
        assert [False, False] == ["text" in layout.get("title", {}) for layout in layouts]
        heights.append([layout["height"] for layout in layouts])
    normal, enlarged = heights
    assert all(large > small for small, large in zip(normal, enlarged, strict=True))


@pytest.mark.slow
def test_a_finished_study_shows_its_claim(manager: StudyManager) -> None:
    """The claims against both controls, the trials with the reasons of pruned ones, and the exports are there."""
    study_id = manager.store.create(SPEC.replace(finalists=1, budget=SearchBudget(amount=4.0)))
    Runner(manager.store, study_id, "worker", make_train()).run()
    app = open_view("studies", study=study_id)
    text = page_text(app)
    assert "than the network" in text or "from the network" in text
    assert "random tables with the same compute" in text
    results = app.dataframe[1].value["result"]
    assert results.str.contains("Pruned at step").any()
    assert "study_extend" in {button.key for button in app.button}


def test_an_address_of_an_unknown_study_is_explained(manager: StudyManager) -> None:
    """The page says that there is no such study, and shows the list."""
    app = open_view("studies", study="s000000000000")
    assert "no such study" in page_text(app)
