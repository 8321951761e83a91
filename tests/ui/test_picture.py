"""The network as a picture on the page: modules open in place, and the formulas speak of the block beside them."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.ui.components import diagram, network_diagram
from explorer.views.canvas import Drawing
from tests.ui.lessons import click, run


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Note what each view is given, by its key."""
    seen: dict[str, dict[str, Any]] = {}
    show = network_diagram.diagram

    def note(drawing: Drawing, *, key: str, **options: Any) -> None:
        seen[key] = {"drawing": drawing, **options}
        show(drawing, key=key, **options)

    monkeypatch.setattr(network_diagram, "diagram", note)
    return seen


def frames(options: dict[str, Any]) -> set[str]:
    """The modules that are open in a drawing."""
    dot = options["drawing"].dot
    return {name for name in ("3a", "4a", "4b", "5b") if f"cluster_inception_{name}" in dot}


def double_click(app: AppTest, monkeypatch: pytest.MonkeyPatch, node: str) -> None:
    """Run once more as after a double click on a box: the view calls back before the script."""
    show = network_diagram.show_overview

    def first_open() -> None:
        monkeypatch.setattr(network_diagram, "show_overview", show)
        network_diagram._open_or_close(node)
        show()

    monkeypatch.setattr(network_diagram, "show_overview", first_open)
    run(app)


def test_modules_open_and_close_where_they_stand(
    app: AppTest, shown: dict[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several at once, also by a layer inside them; other blocks have nothing to open."""
    run(app)
    assert frames(shown["overview"]) == set()
    for node, opened in (
        ("inception_4a", {"4a"}),
        ("inception_5b", {"4a", "5b"}),
        ("stem", {"4a", "5b"}),
        ("inception_4a.branch_5x5.conv", {"5b"}),
    ):
        double_click(app, monkeypatch, node)
        assert frames(shown["overview"]) == opened


def test_the_menu_opens_all_some_and_none(app: AppTest, shown: dict[str, dict[str, Any]]) -> None:
    """What is open survives a change of page and an edit, as long as the module exists."""
    app.pills(key="open_choice").set_value(["4a", "4b"])
    run(app)
    assert frames(shown["overview"]) == {"4a", "4b"}
    app.switch_page("pages/explore/module.py").run()
    app.switch_page("pages/explore/network.py").run()
    assert app.pills(key="open_choice").value == ["4a", "4b"]
    assert frames(shown["overview"]) == {"4a", "4b"}
    click(app, "open_all")
    assert frames(shown["overview"]) == {"3a", "4a", "4b", "5b"}
    app.selectbox(key="preset").set_value("mini").run()
    assert not app.exception
    click(app, "open_none")
    assert frames(shown["overview"]) == set()


def test_an_open_layer_is_marked_in_the_overview(app: AppTest, shown: dict[str, dict[str, Any]]) -> None:
    """A chosen layer marks its own box where it is drawn, else the block it lies in."""
    app.session_state["chosen"] = "inception_4b.branch_5x5.reduce"
    run(app)
    assert shown["overview"]["chosen"] == "inception_4b"
    app.pills(key="open_choice").set_value(["4b"])
    run(app)
    assert shown["overview"]["chosen"] == "inception_4b.branch_5x5.reduce"


def test_a_narrow_view_gets_the_wrapped_picture(app: AppTest, shown: dict[str, dict[str, Any]]) -> None:
    """The view says that it is narrow; the next picture has shorter lines."""
    run(app)
    wide = shown["overview"]["drawing"].dot
    app.session_state[diagram._NARROW] = True
    run(app)
    assert "corner1" in shown["overview"]["drawing"].dot
    assert "corner1" not in wide


@pytest.mark.parametrize("chosen", ["stem.conv1", "aux_4d", "inception_4b.branch_5x5.reduce"])
def test_the_module_page_fills_in_a_layer_of_its_module(app: AppTest, chosen: str) -> None:
    """Also when a layer of the stem or of a head was chosen elsewhere."""
    app.session_state["chosen"] = chosen
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
