"""The page Module: a module and its naive version, its six numbers, and the budget of its branches."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.analysis import summarize
from explorer.lessons.reduction import without_reductions
from tests.ui.app import texts, totals


@pytest.fixture
def module(app: AppTest) -> AppTest:
    """The page Module of a fresh session."""
    app.switch_page("pages/explore/module.py").run()
    assert not app.exception
    return app


def test_the_page_opens_on_4a_beside_its_naive_version(module: AppTest) -> None:
    """The differences are those of the closed form for the same input."""
    paper = summarize(PRESETS["paper"]).by_module["4a"]
    naive = summarize(without_reductions(PRESETS["paper"], ("4a",))).by_module["4a"]
    shown = {metric.label: (metric.value, metric.delta) for metric in module.metric}
    assert shown["parameters"][0] == f"{paper.parameters:,}"
    assert f"naive: {naive.parameters:,}" in shown["parameters"][1]
    assert f"naive: {naive.macs:,}" in shown["MACs"][1]
    assert shown["output channels"] == ("512", "naive: 928 (1.81 times)")


def test_it_says_what_the_1x1s_save_and_leads_to_the_lesson(module: AppTest) -> None:
    """With the ratio of the metric above it."""
    assert "**The 1×1s of 4a save 1,190,992 parameters: 4.17× fewer than the naive module.**" in texts(module)
    assert "(4.17 times)" in module.metric[0].delta
    assert "Lesson: 1×1 reduction" in [link.proto.label for link in module.get("page_link")]


def test_selecting_a_module_shows_it_and_its_six_numbers(module: AppTest) -> None:
    """The numbers under the headings are the selected row of the table."""
    module.pills(key="module_choice").set_value("5b").run()
    row = PRESETS["paper"].module("5b")
    assert module.text_input(key="cell_5b_ch3x3").value == str(row.ch3x3)
    assert "**5b as it is**" in texts(module)


def test_an_edit_here_is_the_edit_in_the_table(module: AppTest) -> None:
    """The bar counts it, and the table of the page Network has it."""
    module.text_input(key="cell_4a_ch3x3").set_value("210").run()
    assert "**7,001,002** parameters" in texts(module)
    module.switch_page("pages/explore/network.py").run()
    assert totals(module)["parameters"] == "7,001,002"


def test_a_bad_number_here_is_explained_here(module: AppTest) -> None:
    """The message names the cell; the network stays."""
    module.text_input(key="cell_4a_ch3x3_reduce").set_value("0").run()
    assert "Leave the cell blank" in module.error[0].value
    assert "**6,998,552** parameters" in texts(module)


def test_a_blank_reduction_can_be_set_here(module: AppTest) -> None:
    """Emptying a reducing cell makes that branch naive."""
    module.text_input(key="cell_4a_ch5x5_reduce").set_value("").run()
    assert not module.error
    assert "paper + 1 edit" in module.get("popover")[0].proto.popover.label


def test_the_presets_module_is_shown_but_not_edited(module: AppTest) -> None:
    """The view of the preset has no cells."""
    module.text_input(key="cell_4a_ch3x3").set_value("210").run()
    module.segmented_control(key="module_of").set_value("preset").run()
    assert not module.exception
    assert not [field for field in module.text_input if field.key and field.key.startswith("cell_")]
    assert next(metric.value for metric in module.metric if metric.label == "parameters") == "376,176"


def test_the_preset_has_no_cells_before_the_first_edit(module: AppTest) -> None:
    """The view of the preset has none even while the network equals it."""
    module.segmented_control(key="module_of").set_value("preset").run()
    assert not [field for field in module.text_input if field.key and field.key.startswith("cell_")]


def test_the_formulas_are_those_of_the_selected_module(module: AppTest) -> None:
    """The panel shows the numbers of a layer of the module on the page."""
    module.pills(key="module_choice").set_value("3a").run()
    assert "**inception_3a." in texts(module)
    assert any("96 × 128 × 3 × 3 + 128 = 110,720" in code.value for code in module.code)
