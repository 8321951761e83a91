"""The edits of a network and the parts that change with them, in two lines."""

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.presets import PRESETS
from explorer.views.edit_summary import edit_summary

PAPER = PRESETS["paper"]


def text_of(config: GoogLeNetConfig) -> str:
    """Return the summary against the paper's network."""
    return edit_summary("paper", summarize(config), summarize(PAPER))


def test_one_edit_and_its_ripple() -> None:
    """The cell as in the table, and the parts whose numbers change with it."""
    modules = tuple(m.replace(ch3x3=300) if m.name == "4a" else m for m in PAPER.modules)
    text = text_of(PAPER.replace(modules=modules))
    assert r"**Edited:** 4a \#3×3 208 → 300." in text
    assert "≈ The numbers of aux 4a, 4b change with it." in text


def test_many_edits_are_counted() -> None:
    """The first three by name."""
    changed = PAPER.replace(classes=10, kernel_5x5="3x3", normalisation="batch_norm", conv_bias=False)
    assert "1 more." in text_of(changed).splitlines()[0]


def test_an_edit_without_consequences_and_no_edit() -> None:
    """The dropout changes no number."""
    assert "No other part of the network changes with it." in text_of(PAPER.replace(dropout=0.5))
    assert "without edits" in text_of(PAPER)
