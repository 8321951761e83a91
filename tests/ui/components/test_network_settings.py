"""Everything outside the table, with invalid values explained at their controls."""

import pytest
from streamlit.testing.v1 import AppTest

from explorer import PRESETS, summarize
from tests.ui.app import open_app, open_settings, other_parts, totals


@pytest.fixture
def app(app: AppTest) -> AppTest:
    """The first page with its settings open."""
    return open_settings(app)


def test_settings_exist_when_they_are_open() -> None:
    """Closed they cost nothing; open they show the network's values."""
    app = open_app()
    assert "stem_conv1" not in {text.key for text in app.text_input}
    open_settings(app)
    assert app.text_input(key="stem_conv1").value == "64"
    assert app.selectbox(key="stem_kind").options[0] == "7×7/2, pool, 1×1, 3×3, pool (÷ 8)"


def test_a_changed_dropout_is_marked_at_the_classifier(app: AppTest) -> None:
    """No number depends on it, but it was edited."""
    app.text_input(key="dropout").set_value("0.5").run()
    (part,) = [part for part in other_parts(app) if "●" in part]
    assert part.startswith("<b>classifier</b>")
    assert "dropout 0.4 → 0.5" in part


def test_a_larger_input_changes_what_depends_on_it_and_nothing_else(app: AppTest) -> None:
    """Height 256 costs MACs and activations; the parameters at inference stay, those of the heads grow."""
    app.text_input(key="input_1").set_value("256").run()
    expected = summarize(PRESETS["paper"].replace(input_shape=(3, 256, 224)))
    assert totals(app)["parameters"] == "6,998,552"
    assert totals(app)["in training"] == f"{expected.parameters():,}"
    assert totals(app)["MACs"] == f"{expected.macs() / 1e9:.3f} G"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("input_1", "1", "too small"),
        ("input_1", "100000", "Input height: 100,000 is out of range"),
        ("input_2", "-3", "Input width: -3 is out of range"),
        ("input_2", "", "Width: the field is blank. Enter a whole number."),
        ("classes", "1", "Classes: 1 is out of range"),
        ("classes", "1,000,000,000,000", "Classes: 1,000,000,000,000 is out of range"),
        ("stem_conv1", "0", "Stem conv1: 0 is out of range"),
        ("aux_hidden", "0", "Auxiliary hidden units: 0 is out of range"),
        ("dropout", "1.0", "Dropout: 1.0 is out of range"),
        ("aux_loss_weight", "-0.1", "Auxiliary loss weight: -0.1 is out of range"),
    ],
)
def test_a_bad_setting_is_explained_and_the_last_good_network_stays(
    app: AppTest, key: str, value: str, message: str
) -> None:
    """The message is at the control, the rejected value stays in it, and the totals do not change."""
    app.text_input(key=key).set_value(value).run()
    assert not app.exception
    assert any(message in error.value for error in app.error)
    assert app.text_input(key=key).value == value
    assert totals(app)["parameters"] == "6,998,552"


def test_a_valid_value_removes_the_message(app: AppTest) -> None:
    """The next valid value counts, and nothing remains of the rejected one."""
    app.text_input(key="classes").set_value("0").run()
    assert app.error
    app.text_input(key="classes").set_value("10").run()
    assert not app.error
    assert totals(app)["parameters"] == f"{6_998_552 - 990 * 1_025:,}"


@pytest.mark.parametrize(
    ("key", "value", "changes"),
    [
        ("kernel_5x5", "3x3", {"kernel_5x5": "3x3"}),
        ("kernel_5x5", "two_3x3", {"kernel_5x5": "two_3x3"}),
        ("normalisation", "batch_norm", {"normalisation": "batch_norm"}),
        ("pooling", "floor", {"pooling": "floor"}),
    ],
)
def test_a_structural_switch_gives_that_network(app: AppTest, key: str, value: str, changes: dict[str, str]) -> None:
    """Each switch changes the totals to those of the config with that one setting changed."""
    app.selectbox(key=key).set_value(value).run()
    expected = summarize(PRESETS["paper"].replace(**changes))
    assert totals(app)["in training"] == f"{expected.parameters():,}"
    assert totals(app)["activations"] == f"{expected.activations() * 4 / 1e6:,.1f} MB"


def test_removing_a_tap_removes_its_head(app: AppTest) -> None:
    """With the head on 4a only, the training network loses the 3,190,888 parameters of the other."""
    app.multiselect(key="aux_taps").set_value(["4a"]).run()
    assert totals(app)["in training"] == f"{13_378_280 - 3_190_888:,}"


def test_a_head_that_cannot_pool_is_rejected_with_a_solution(app: AppTest) -> None:
    """At 60×60 with floor pooling 4a is 2×2: the message says which head, which size, and what would help."""
    app.selectbox(key="pooling").set_value("floor").run()
    app.text_input(key="input_1").set_value("60").run()
    assert "auxiliary head at 4a cannot pool 5×5/3" in app.error[0].value
    assert "adaptive pool" in app.error[0].value


def test_undo_restores_a_setting_and_its_control(app: AppTest) -> None:
    """The control always shows the network's value."""
    app.selectbox(key="normalisation").set_value("batch_norm").run()
    app.button(key="undo").click().run()
    assert app.selectbox(key="normalisation").value == "lrn"
