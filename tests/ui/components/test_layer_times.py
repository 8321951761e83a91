"""Measured time on the pages: one click, progress, a button to stop, then a colour and a width like any other."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, GoogLeNetConfig, summarize
from explorer.jobs.job import Failure, Progress
from explorer.jobs.queue import Pending
from explorer.jobs.requests import LayerTiming, LayerTimingRequest
from explorer.lessons.reduction import without_reductions
from explorer.ui.components import network_diagram
from explorer.views.canvas import Drawing
from tests.ui.app import FakeJobQueue, click, open_settings, page_text, run, select_view_of_network

PAPER = PRESETS["paper"]
NAIVE = without_reductions(PAPER, ("4a",))


def timing_of(config: GoogLeNetConfig, ms: float = 2.0) -> LayerTiming:
    """Return a measurement in which the stem's first layer is the slowest."""
    paths = tuple(summarize(config).by_path)
    rounds = tuple((10.0 if path == "stem.conv1" else ms,) * 3 for path in paths)
    return LayerTiming(config=config, batch=1, paths=paths, layers_ms=rounds, whole_ms=(99.0,) * 3, device="CPU")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Drawing]:
    """Record each diagram, by its key."""
    calls: dict[str, Drawing] = {}
    show = network_diagram.diagram

    def record(drawing: Drawing, *, key: str, **options: Any) -> None:
        calls[key] = drawing
        show(drawing, key=key, **options)

    monkeypatch.setattr(network_diagram, "diagram", record)
    return calls


def colours(app: AppTest) -> list[str]:
    """Return what can colour the diagrams."""
    return [option.removeprefix("colour: ") for option in app.selectbox(key="colour_by").options]


def test_time_is_no_colour_before_a_measurement(app: AppTest) -> None:
    """Nothing is measured before the first click."""
    assert "measured time" not in colours(app)
    app.switch_page("pages/explore/module.py").run()
    assert "measured time" not in colours(app)


def test_one_click_measures_shows_progress_and_colours_the_diagrams(
    jobs: FakeJobQueue, app: AppTest, drawn: dict[str, Drawing]
) -> None:
    """The request is for the current network; the result colours the diagrams, with its legend."""
    select_view_of_network(app, "Whole network")
    assert jobs.submitted == []
    jobs.result = Pending(0, 0.3, Progress(done=7, total=30))
    click(app, "times_start")
    assert jobs.submitted[-1] == LayerTimingRequest(config=PAPER, device="auto")
    assert "7 of 30" in page_text(app)
    assert "measured time" not in drawn["overview"].dot
    jobs.result = timing_of(PAPER)
    run(app)
    assert app.selectbox(key="colour_by").value == "time"
    assert "measured time" in drawn["overview"].dot
    layers = sum(row.module == "4a" for row in summarize(PAPER).rows)
    assert drawn["overview"].hover["inception_4a"].endswith(f"\n{2 * layers:.2f} ms")
    assert "Measured time: median of 3 rounds on CPU" in page_text(app)
    assert app.button(key="times_start").label == "Measure again"


def test_a_class_shares_the_first_measurement_and_again_makes_a_new_one(jobs: FakeJobQueue, app: AppTest) -> None:
    """The known result answers everyone's first click; a second click asks for a new measurement."""
    jobs.result = timing_of(PAPER)
    click(app, "times_start")
    assert jobs.forgotten == []
    click(app, "times_start")
    assert jobs.forgotten == [LayerTimingRequest(config=PAPER, device="auto")]


def test_a_measurement_can_be_stopped(jobs: FakeJobQueue, app: AppTest) -> None:
    """The request is cancelled, and the button offers to measure."""
    click(app, "times_start")
    click(app, "times_stop")
    assert jobs.cancelled == [LayerTimingRequest(config=PAPER, device="auto")]
    assert app.button(key="times_start").label == "Measure time"
    assert "measured time" not in colours(app)


def test_a_failure_is_explained_and_changes_no_colour(jobs: FakeJobQueue, app: AppTest) -> None:
    """With its reason; the next click clears it."""
    jobs.result = Failure(reason="It needs too much.")
    click(app, "times_start")
    assert [error.value for error in app.error] == ["This network could not be measured. It needs too much."]
    assert app.selectbox(key="colour_by").value == "none"
    jobs.result = Pending(0, 0.3)
    click(app, "times_start")
    assert not app.error


def test_one_of_two_measurements_may_fail(jobs: FakeJobQueue, app: AppTest) -> None:
    """If the naive module is too large, the module's own time is shown; an edit removes the message."""
    app.switch_page("pages/explore/module.py").run()
    jobs.submit = lambda request, _="": (
        timing_of(PAPER) if request.config == PAPER else Failure(reason="It needs too much.")
    )
    click(app, "times_start")
    assert [error.value for error in app.error] == ["The naive network could not be measured. It needs too much."]
    assert app.selectbox(key="colour_by").value == "time"
    assert "Measured time: median of 3 rounds" in page_text(app)
    app.text_input(key="cell_4a_ch3x3").set_value("210")
    run(app)
    assert not app.error


def test_an_edit_removes_the_colours_and_says_why(jobs: FakeJobQueue, app: AppTest, drawn: dict[str, Drawing]) -> None:
    """The time of another network is not shown as this one's; undo brings it back without measuring again."""
    select_view_of_network(app, "Whole network")
    jobs.result = timing_of(PAPER)
    click(app, "times_start")
    open_settings(app).selectbox(key="kernel_5x5").set_value("3x3").run()
    assert "This network has not been measured yet" in page_text(app)
    assert "measured time" not in drawn["overview"].dot
    assert app.selectbox(key="colour_by").value == "time"
    app.selectbox(key="kernel_5x5").set_value("5x5").run()
    assert "measured time" in drawn["overview"].dot


def test_the_module_page_measures_the_module_and_its_naive_version(
    jobs: FakeJobQueue, app: AppTest, drawn: dict[str, Drawing]
) -> None:
    """One after the other; both pictures share a scale, and the difference in time is next to the others."""
    app.switch_page("pages/explore/module.py").run()
    click(app, "times_start")
    assert jobs.submitted == [LayerTimingRequest(config=PAPER, device="auto")]
    jobs.submit = lambda request, _="": timing_of(request.config, 2.0 if request.config == PAPER else 5.0)
    run(app)
    shown = {metric.label: (metric.value, metric.delta) for metric in app.metric}
    layers, naive_layers = (sum(row.module == "4a" for row in summarize(config).rows) for config in (PAPER, NAIVE))
    assert shown["measured time"][0] == f"{2 * layers:.2f} ms"
    assert f"naive: {5 * naive_layers:.2f} ms" in shown["measured time"][1]
    assert "5.00 ms" in drawn["module_here"].dot.split("measured time")[-1]  # where the shared legend ends
    assert "5.00 ms" in drawn["module_naive"].dot.split("measured time")[-1]


def test_the_branch_budget_offers_the_measured_time(jobs: FakeJobQueue, app: AppTest) -> None:
    """Width by measured time, and two more columns in the table; an edit removes both again."""
    app.switch_page("pages/explore/module.py").run()
    assert "measured time" not in app.segmented_control(key="budget_width").options
    jobs.submit = lambda request, _="": timing_of(request.config)
    click(app, "times_start")
    app.segmented_control(key="budget_width").set_value("time")
    run(app)
    assert "time" in app.dataframe[-1].value
    app.text_input(key="cell_4a_ch3x3").set_value("210")
    run(app)
    assert app.segmented_control(key="budget_width").value == "macs"
    assert "time" not in app.dataframe[-1].value
