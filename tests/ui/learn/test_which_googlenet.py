"""The lesson on why published numbers differ, as a student uses it."""

import pytest

from explorer import PRESETS
from explorer.presets import CATALOGUE
from tests.ui.app import click, open_lesson, page_text, run


@pytest.mark.parametrize("name", PRESETS)
def test_one_click_loads_a_preset_and_shows_what_changed(name: str) -> None:
    """Its numbers are then in bold."""
    at = open_lesson("which_googlenet")
    at.pills(key="googlenet").set_value(name)
    text = page_text(run(at))
    preset = CATALOGUE[name]
    assert at.session_state["history"].present.config == preset.config
    row = next(line for line in text.splitlines() if line.startswith(f"| **{preset.title}** |"))
    for number in (preset.parameters, preset.parameters_with_aux, preset.macs):
        assert f"**{number:,}**" in row


def test_the_presets_lead_to_their_comparison() -> None:
    """By a link below their table."""
    links = [element.proto.label for element in open_lesson("which_googlenet").get("page_link")]
    assert "Compare them layer by layer" in links


def test_every_preset_says_what_it_changes() -> None:
    """The line names cells and settings, and their effect on parameters and MACs."""
    from explorer.views.googlenets import changes_text

    assert r"4a \#3×3 208 → 204; 5a \#5×5 reduce 32 → 48" in changes_text("inception5h")
    assert "5×5 branch 5×5 → 3×3" in changes_text("torchvision")
    assert "normalisation LRN → BatchNorm" in changes_text("batch_norm")
    assert "Parameters at inference: −373,648 (−5.34 %)" in changes_text("torchvision")
    assert "MACs: the same" in changes_text("batch_norm")
    for name in PRESETS:
        assert CATALOGUE[name].title in changes_text(name)


def test_table_1_is_audited_and_can_be_filtered() -> None:
    """14 of 24 agree; the switch leaves only rows with a difference."""
    at = open_lesson("which_googlenet")
    text = page_text(at)
    assert "14 of 24 printed figures agree" in text
    assert "| inception 3a |" in text
    assert "Fits a depthwise separable 7×7" in text
    at.toggle(key="audit_only").set_value(True)
    text = page_text(run(at))
    assert "| inception 3a |" not in text
    assert "| inception 4a |" in text


def test_the_counts_follow_the_network() -> None:
    """MACs, FLOPs, mult-adds and bytes of the current network."""
    assert "| torchinfo's mult-adds | 1,585,899,032 " in page_text(open_lesson("which_googlenet"))
    at = open_lesson("which_googlenet", net="1.mini")
    assert f"| MACs | {CATALOGUE['mini'].macs:,} " in page_text(at)
    button = next(button for button in at.button if button.label == "Back to the paper's network")
    button.click()
    assert "| torchinfo's mult-adds | 1,585,899,032 " in page_text(run(at))


def test_undo_restores_the_network() -> None:
    """Loading a preset is a step of the history like any edit."""
    at = open_lesson("which_googlenet", net="1.naive")
    assert at.session_state["history"].present.base == "naive"
    at = click(at, "undo")
    assert at.session_state["history"].present.base == "paper"
