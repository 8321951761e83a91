"""The budget solver on the page Compare."""

from streamlit.testing.v1 import AppTest

from explorer import PRESETS, budget
from explorer.history import Version
from explorer.share import from_shelf_token
from explorer.ui.explore.compare import budget as compare_budget
from tests.ui.app import click, open_compare, title, totals

PAPER = PRESETS["paper"]


def test_solving_for_a_budget(app: AppTest) -> None:
    """Networks that fit, the closest first; the totals of an opened one are below the limit."""
    open_compare(app, "Budget")
    app.text_input(key="budget_limit_macs").set_value("1400.0")
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    assert any("Narrower reductions" in element.value for element in app.markdown)
    click(app, "budget_open_0")
    assert title(app).startswith("paper + ")
    app.switch_page("pages/explore/network.py").run()
    assert totals(app)["MACs"] == "1.400 G"


def test_a_candidate_can_be_kept(app: AppTest) -> None:
    """With its budget as a note."""
    open_compare(app, "Budget")
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    click(app, "budget_keep_0")
    (variant,) = from_shelf_token(app.query_params["shelf"])
    assert variant.note == "at most 1.266 G MACs"


def test_a_budget_that_cannot_be_met_is_explained(app: AppTest) -> None:
    """With the lowest cost that was reached; a limit of 0 is refused at its field."""
    open_compare(app, "Budget")
    app.text_input(key="budget_limit_macs").set_value("100.0")
    click(app, "budget_solve")
    while "budget_search" in app.session_state:
        app.run()
    assert "No network fits" in app.warning[0].value
    app.text_input(key="budget_limit_macs").set_value("0.0")
    click(app, "budget_solve")
    assert "enter a number from 0.001" in app.error[0].value
    app.text_input(key="budget_limit_macs").set_value("5000.0")
    click(app, "budget_solve")
    assert "fits already" in app.success[0].value


def test_a_search_can_be_stopped(app: AppTest) -> None:
    """Then there is neither a search nor a result."""
    open_compare(app, "Budget")
    search = budget.search(PAPER, budget.Budget("macs", 1_400_000_000))
    app.session_state["budget_search"] = compare_budget._Search(
        Version("paper", PAPER), budget.Budget("macs", 1_400_000_000), _repeat(next(search)), next(search)
    )
    app.run()
    click(app, "budget_stop")
    assert "budget_search" not in app.session_state
    assert "budget_result" not in app.session_state


def _repeat(step: object) -> object:
    while True:
        yield step
