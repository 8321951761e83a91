"""The views below the first screen, one at a time."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS
from explorer.analysis import summarize
from explorer.ui.explore.network import layers
from explorer.ui.explore.network.details import VIEWS
from tests.ui.app import changes_of_totals, open_settings, texts


@pytest.mark.slow
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("preset", ["paper", "naive", "mini", "torchvision"])
def test_every_view_shows_every_kind_of_network(app: AppTest, view: str, preset: str) -> None:
    """No view fails on a network without heads' pools, reductions or LRN."""
    app.selectbox(key="preset").set_value(preset).run()
    app.segmented_control(key="view").set_value(view).run()
    assert not app.exception


def test_the_layer_table_has_all_rows_and_can_be_filtered(app: AppTest) -> None:
    """94 rows for the paper; two for the 5×5 branch of 4b."""
    app.segmented_control(key="view").set_value("Layers").run()
    app.toggle(key="layer_follow").set_value(False).run()
    assert len(app.dataframe[-1].value) == 94
    app.multiselect(key="layer_modules").set_value(["4b"]).run()
    app.multiselect(key="layer_branches").set_value(["5x5"]).run()
    assert list(app.dataframe[-1].value["parameters"]) == [12_312, 38_464]
    app.multiselect(key="layer_kinds").set_value(["lrn"]).run()
    assert "Remove one of them" in app.info[0].value


def test_the_layer_table_follows_the_selected_block(app: AppTest) -> None:
    """By default the table shows the block selected in the diagram; then there is no filter by module."""
    app.segmented_control(key="view").set_value("Layers").run()
    assert set(app.dataframe[-1].value["layer"].str.split(".").str[0]) == {"inception_4a"}
    assert app.multiselect(key="layer_modules").disabled
    app.session_state["selected_node"] = "stem.conv2"
    app.run()
    assert set(app.dataframe[-1].value["layer"].str.split(".").str[0]) == {"stem"}


@pytest.mark.parametrize("kind", ["bars", "sunburst", "treemap", "cumulative"])
def test_every_chart_of_cost_has_a_reading_and_its_data(app: AppTest, kind: str) -> None:
    """A sentence tells how to read it, and the numbers are beside it."""
    app.segmented_control(key="view").set_value("Cost").run()
    app.segmented_control(key="cost_kind").set_value(kind).run()
    assert not app.exception
    assert any(caption.value.startswith("Reading this chart:") for caption in app.caption)
    assert len(app.dataframe[-1].value) > 10


def test_all_diagrams_share_the_colouring(app: AppTest) -> None:
    """A selected cost colours the diagrams, and survives a change of page."""
    app.selectbox(key="colour_by").set_value("macs").run()
    assert not app.exception
    app.switch_page("pages/explore/module.py").run()
    assert app.selectbox(key="colour_by").value == "macs"
    assert "**4a as it is**" in texts(app)


def test_the_receptive_field_is_neither_better_nor_worse(app: AppTest) -> None:
    """Smaller kernels cost less, which is green; their smaller field has no colour."""
    open_settings(app).selectbox(key="kernel_5x5").set_value("3x3").run()
    assert changes_of_totals(app)["receptive field"].startswith(" −320")
    assert changes_of_totals(app)["parameters"].startswith("less −")


def test_two_tables_of_the_same_length_and_start_are_two_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A selection in one list of layers is not one in another list of the same length and start."""
    keys = []
    monkeypatch.setattr(layers.st, "dataframe", lambda *_, key=None, **__: keys.append(key))
    rows = summarize(PRESETS["paper"]).rows
    for last in (5, 6):
        layers._table((rows[0], rows[last]))
    assert len(set(keys)) == 2
