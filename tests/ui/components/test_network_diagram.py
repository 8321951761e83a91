"""The network as a diagram: modules expand in place, and the formulas are those of the block beside them."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from explorer.ui.components import network_diagram, width
from explorer.ui.explore.network import details
from explorer.views import diagrams
from explorer.views.canvas import Drawing
from tests.ui.app import click, open_app, run, select_view_of_network

WHOLE = "Whole network"


@pytest.fixture
def app(app: AppTest) -> AppTest:
    """The first page with the diagram of the whole network."""
    return select_view_of_network(app, WHOLE)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Record the arguments of each diagram, by its key."""
    calls: dict[str, dict[str, Any]] = {}
    show = network_diagram.diagram

    def record(drawing: Drawing, *, key: str, **options: Any) -> None:
        calls[key] = {"drawing": drawing, **options}
        show(drawing, key=key, **options)

    monkeypatch.setattr(network_diagram, "diagram", record)
    return calls


def expanded(options: dict[str, Any]) -> set[str]:
    """Return the modules that are expanded in a drawing."""
    dot = options["drawing"].dot
    return {name for name in ("3a", "4a", "4b", "5b") if f"cluster_inception_{name}" in dot}


def double_click(app: AppTest, monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    """Run once more as after a double click on a box: the component calls back before the script runs."""
    show = details.VIEWS[WHOLE]

    def call_back_first() -> None:
        monkeypatch.setitem(details.VIEWS, WHOLE, show)
        network_diagram._toggle_expanded(node)
        show()

    monkeypatch.setitem(details.VIEWS, WHOLE, call_back_first)
    run(app)


def test_modules_expand_and_collapse_in_place(
    app: AppTest, drawn: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several at once, also by a layer inside them; other blocks cannot be expanded."""
    run(app)
    assert expanded(drawn["overview"]) == set()
    for node, opened in (
        ("inception_4a", {"4a"}),
        ("inception_5b", {"4a", "5b"}),
        ("stem", {"4a", "5b"}),
        ("inception_4a.branch_5x5.conv", {"5b"}),
    ):
        double_click(app, monkeypatch, node)
        assert expanded(drawn["overview"]) == opened


@pytest.mark.slow
def test_the_menu_expands_all_some_and_none(app: AppTest, drawn: dict[str, dict[str, Any]]) -> None:
    """Modules stay expanded after a change of page and an edit, as long as they exist."""
    app.pills(key="expanded_choice").set_value(["4a", "4b"])
    run(app)
    assert expanded(drawn["overview"]) == {"4a", "4b"}
    assert drawn["overview"]["max_height"] > diagrams.panel_height(2)
    app.switch_page("pages/explore/module.py").run()
    app.switch_page("pages/explore/network.py").run()
    assert app.pills(key="expanded_choice").value == ["4a", "4b"]
    assert expanded(drawn["overview"]) == {"4a", "4b"}
    click(app, "expand_all")
    assert expanded(drawn["overview"]) == {"3a", "4a", "4b", "5b"}
    app.selectbox(key="preset").set_value("mini").run()
    assert not app.exception
    click(app, "expand_none")
    assert expanded(drawn["overview"]) == set()


def test_the_overview_marks_the_selected_layer(app: AppTest, drawn: dict[str, dict[str, Any]]) -> None:
    """Its own box if it is drawn, otherwise its block."""
    app.session_state["selected_node"] = "inception_4b.branch_5x5.reduce"
    run(app)
    assert drawn["overview"]["selected"] == "inception_4b"
    app.pills(key="expanded_choice").set_value(["4b"])
    run(app)
    assert drawn["overview"]["selected"] == "inception_4b.branch_5x5.reduce"


def test_the_layer_whose_formulas_are_shown_is_marked_from_the_start(drawn: dict[str, dict[str, Any]]) -> None:
    """Before any click it is the most expensive layer of the first block; then the selected one."""
    page = run(open_app())
    heading = next(text.value for text in page.markdown if text.value.startswith("**inception_"))
    assert heading.startswith(f"**{drawn['block']['selected']}**")
    page.session_state["selected_node"] = "inception_4b.branch_5x5.reduce"
    run(page)
    assert drawn["block"]["selected"] == "inception_4b.branch_5x5.reduce"


def test_a_narrow_view_gets_the_wrapped_diagram(app: AppTest, drawn: dict[str, dict[str, Any]]) -> None:
    """The component reports that it is narrow; the next diagram has shorter lines."""
    run(app)
    wide = drawn["overview"]["drawing"].dot
    app.session_state[width._NARROW[width.PAGE].key] = True
    run(app)
    assert "corner1" in drawn["overview"]["drawing"].dot
    assert "corner1" not in wide


def test_a_phone_gets_the_narrow_diagram(app: AppTest, drawn: dict[str, dict[str, Any]]) -> None:
    """The view reports by both limits."""
    for limit in (width.PAGE, width.PHONE):
        app.session_state[width._NARROW[limit].key] = True
    run(app)
    assert drawn["overview"]["narrow_below"] == (width.PAGE, width.PHONE)
    assert drawn["overview"]["drawing"] == diagrams.overview(summarize(PRESETS["paper"]), direction="narrow")


def test_a_phone_gets_the_narrow_block(drawn: dict[str, dict[str, Any]]) -> None:
    """And the height that it needs; the diagram reports when it is no longer that narrow."""
    page = run(open_app())
    wide = drawn["block"]["drawing"].dot
    assert drawn["block"]["narrow_below"] == (width.PHONE,)
    page.session_state[width._NARROW[width.PHONE].key] = True
    run(page)
    assert ">parameters</FONT>" in drawn["block"]["drawing"].dot
    assert ">parameters</FONT>" not in wide
    assert drawn["block"]["max_height"] > 1_000


@pytest.mark.parametrize("selected", ["stem.conv1", "aux_4d", "inception_4b.branch_5x5.reduce"])
def test_the_page_module_shows_the_formulas_of_its_module(app: AppTest, selected: str) -> None:
    """Also if a layer of the stem or of a head was selected elsewhere."""
    app.session_state["selected_node"] = selected
    app.switch_page("pages/explore/module.py").run()
    assert not app.exception
    module = app.pills(key="module_choice").value
    headings = [text.value for text in app.markdown if text.value.startswith("**inception_")]
    assert [heading.startswith(f"**inception_{module}.") for heading in headings] == [True]


def test_every_node_has_its_block() -> None:
    """Layers, modules, pools and heads by the names of their blocks."""
    from explorer.views.diagrams import block_of

    blocks = {"inception_4a.branch_5x5.reduce": "4a", "inception_4a": "4a", "stem.conv1": "stem", "aux_4a.fc": "aux_4a"}
    assert blocks == {node: block_of(node) for node in blocks}
