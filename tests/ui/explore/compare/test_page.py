"""The page Compare as a person uses it."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from explorer.diff import with_module
from explorer.history import Version
from tests.ui.app import click, html, open_app, open_compare, select_view

PAPER = PRESETS["paper"]
WIDE = Version("paper", with_module(PAPER, PAPER.module("4a").replace(ch3x3=300)))


def test_the_default_comparison_shows_differences(app: AppTest) -> None:
    """The unedited paper is compared with a network whose numbers differ."""
    open_compare(app)
    assert "25,305,944" in html(app)
    assert "▲ +18,307,392" in html(app)


def test_a_hint_tells_how_to_compare_edited_networks(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """The first edit removes the hint."""
    open_compare(app)
    assert any("edit a cell on the page Network" in caption.value for caption in app.caption)
    app.switch_page("pages/explore/network.py").run()
    edit({2: {"#3×3": 300}})
    open_compare(app)
    assert not any("edit a cell on the page Network" in caption.value for caption in app.caption)


def test_the_address_holds_the_view(app: AppTest) -> None:
    """A reload shows the same view; the first one needs no parameter, and an unknown one is ignored."""
    open_compare(app, "Layers")
    assert app.query_params["view"] == "Layers"
    fresh = open_app()
    fresh.query_params["view"] = "Layers"
    fresh.switch_page("pages/explore/compare.py").run()
    assert fresh.toggle(key="compare_layer_all")
    select_view(fresh, "Tables")
    assert "view" not in fresh.query_params
    other = open_app()
    other.query_params["view"] = "<b>"
    other.switch_page("pages/explore/compare.py").run()
    assert not other.exception
    assert "view" not in other.query_params


def test_the_layers_can_be_ordered_by_their_difference(app: AppTest) -> None:
    """The one that the sentence at the top names is then the first."""
    app.query_params["compare"] = "paper.torchvision"
    open_compare(app, "Layers")
    assert any("differs most from A** in `inception_5b.branch_5x5.conv` (" in m.value for m in app.markdown)
    assert app.dataframe[0].value["layer"][0] == "stem.conv1"
    app.selectbox(key="compare_layer_order").set_value("parameters").run()
    assert app.dataframe[0].value["layer"][0] == "inception_5b.branch_5x5.conv"
    assert "B Δ MACs" in app.dataframe[0].value.columns


def test_names_on_screen_are_the_titles(two_variants: AppTest) -> None:
    """The shelf and the settings that differ use the same titles as the bar."""
    two_variants.selectbox(key="preset").set_value("batch_norm").run()
    click(two_variants, "keep")
    open_compare(two_variants, "Shelf")
    assert any("from batch norm" in caption.value for caption in two_variants.caption)
    select_view(two_variants, "Tables")
    assert "normalisation BatchNorm → LRN" in two_variants.dataframe[0].value.to_string()


def test_an_edit_is_compared_with_its_preset(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """The totals differ and the edited cell is marked, and nothing else."""
    edit({2: {"#3×3": 300}})
    open_compare(app)
    assert f"{summarize(WIDE.config).parameters(aux=False):,}" in html(app)
    assert html(app).count('class="marked"') == 1
    assert "<span>300</span>" in html(app)


def test_variants_of_the_shelf_are_compared(two_variants: AppTest) -> None:
    """Both are next to the preset."""
    open_compare(two_variants)
    assert "paper_4a" in html(two_variants)
    assert "paper_4a_2" in html(two_variants)


def test_networks_and_base_can_be_selected(two_variants: AppTest) -> None:
    """Another base changes the sign of the differences, and the address holds the selection."""
    open_compare(two_variants)
    two_variants.multiselect(key="compare_choice").set_value(["paper", "half"]).run()
    assert "▼ −4,987,992" in html(two_variants)
    assert two_variants.query_params["compare"] == "paper.half"
    two_variants.selectbox(key="compare_base").set_value("half").run()
    assert "▲ +4,987,992" in html(two_variants)
    assert two_variants.query_params["compare"] == "half.paper"


@pytest.mark.parametrize("choice", [[], ["paper"]])
def test_too_few_networks_are_explained(app: AppTest, choice: list[str]) -> None:
    """The last selection stays on the page, with a message below the control."""
    open_compare(app)
    app.multiselect(key="compare_choice").set_value(choice).run()
    assert "Select 2 to 4 networks" in app.error[0].value
    assert "25,305,944" in html(app)
    app.multiselect(key="compare_choice").set_value(["paper", "half"]).run()
    assert not app.error
    assert "2,010,560" in html(app)


@pytest.mark.slow
@pytest.mark.parametrize("view", ["Tables", "Layers", "Diagrams", "Charts", "Speed", "Shelf", "Budget", "Export"])
@pytest.mark.parametrize("names", ["paper.mini", "naive.torchvision.half.mini", "current.paper_4a.paper_4a_2.mini"])
def test_every_view_of_any_networks(two_variants: AppTest, view: str, names: str) -> None:
    """No view fails on networks with other modules, stages, heads or settings."""
    two_variants.query_params["compare"] = names
    open_compare(two_variants, view)
    assert all(f">{letter}</b>" in html(two_variants) for letter in "AB")


def test_layers_are_filtered(app: AppTest, edit: Callable[..., AppTest]) -> None:
    """By default only layers that differ; a module without differences has a message."""
    edit({8: {"pool proj": 100}})
    open_compare(app, "Layers")
    few = len(app.dataframe[0].value)
    assert set(app.dataframe[0].value["layer"].str.split(".").str[0]) == {"inception_5b", "classifier"}
    app.toggle(key="compare_layer_all").set_value(True).run()
    assert len(app.dataframe[0].value) == len(summarize(PAPER).rows) > few
    app.toggle(key="compare_layer_all").set_value(False).run()
    app.multiselect(key="compare_layer_modules").set_value(["3a"]).run()
    assert "No layer differs" in app.info[0].value


def test_all_pages_share_the_device(app: AppTest) -> None:
    """Selected on one page, it is selected on the other too."""
    open_compare(app, "Speed")
    app.selectbox(key="device").set_value("cpu").run()
    app.switch_page("pages/explore/network.py").run()
    assert app.selectbox(key="device").value == "cpu"
