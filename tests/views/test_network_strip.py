"""The strip shows every block of a network, lights what was edited, and marks what changes with it."""

from xml.etree import ElementTree

import pytest

from explorer.analysis import summarize
from explorer.config import GoogLeNetConfig
from explorer.errors import Problem
from explorer.presets import PRESETS
from explorer.views.network_strip import Strip, network_strip

PAPER = PRESETS["paper"]


def strip_of(config: GoogLeNetConfig, *problems: Problem) -> tuple[Strip, dict[str, ElementTree.Element]]:
    """Return the strip of a network against the paper's, and its boxes by id."""
    strip = network_strip(summarize(config), summarize(PAPER), problems)
    root = ElementTree.fromstring(f"<div>{strip.html}</div>")
    return strip, {element.get("id", ""): element for element in root.iter() if element.get("role") == "option"}


def classes(box: ElementTree.Element) -> set[str]:
    """Return the classes of a box."""
    return set((box.get("class") or "").split())


def lit(box: ElementTree.Element) -> int:
    """Return how many layers of a box are lit."""
    return sum("layer lit" in (element.get("class") or "") for element in box.iter())


def edited(**fields: int | None) -> GoogLeNetConfig:
    """Return the paper's network with other widths in 4a."""
    return PAPER.replace(
        modules=tuple(m.replace(**fields) if m.name == "4a" else m for m in PAPER.modules)  # type: ignore[arg-type]  # fields are checked by pydantic
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_every_block_has_a_box_with_its_numbers(preset: str) -> None:
    """From the image to the classifier, heads included; each explains itself to a screen reader."""
    summary = summarize(PRESETS[preset])
    strip = network_strip(summary, summary)
    blocks = {f"inception_{name}" if name[:1].isdigit() else name for name in summary.by_module} | {"image"}
    assert blocks == set(strip.hints)
    _, boxes = strip_of(PRESETS[preset])
    assert all(box.get("aria-label") for box in boxes.values())
    assert strip.rows == tuple(f"inception_{module.name}" for module in summary.config.modules)


def test_a_module_says_what_each_of_its_convolutions_costs() -> None:
    """By the names of the table's columns, at its box, so that nobody has to look for it."""
    summary = summarize(PAPER)
    text = network_strip(summary, summary).hints["inception_4a"]
    assert "\n3×3: 179,920 parameters, 35.22 M MACs\n" in text
    assert "\n3×3 reduce: 46,176 parameters, 9.03 M MACs\n" in text
    assert "\npool proj: 30,784 parameters" in text
    two = summarize(PRESETS["two_3x3"])
    assert "\n5×5, second: " in network_strip(two, two).hints["inception_4a"]


def test_an_edit_lights_its_layer_and_ripples_downstream() -> None:
    """4a's 3×3 is lit; 4b and the head on 4a have other numbers, and the text of 4a says what was edited."""
    strip, boxes = strip_of(edited(ch3x3=300))
    assert {"inception_4a"} == {name for name, box in boxes.items() if "edited" in classes(box)}
    assert {"inception_4b", "aux_4a"} == {name for name, box in boxes.items() if "ripple" in classes(box)}
    assert 1 == lit(boxes["inception_4a"])
    assert 0 == sum(lit(box) for name, box in boxes.items() if name != "inception_4a")
    assert "● edited: #3×3 208 → 300" in strip.hints["inception_4a"]


def test_another_kernel_lights_the_branch_in_every_module() -> None:
    """A setting of the whole network is seen where it acts."""
    _, boxes = strip_of(PAPER.replace(kernel_5x5="3x3"))
    assert 9 == sum(lit(box) for box in boxes.values())


def test_a_rejected_row_is_marked() -> None:
    """Its numbers are those of the last valid network."""
    _, boxes = strip_of(PAPER, Problem("4a", "ch3x3", "out of range"))
    assert {"inception_4a"} == {name for name, box in boxes.items() if "rejected" in classes(box)}


def test_blank_and_zero_are_drawn_as_no_layer() -> None:
    """Without a reduction the branch has one layer; without filters there is no branch."""
    both = len(list(strip_of(PAPER)[1]["inception_4a"].iter("rect")))
    assert both - 1 == len(list(strip_of(edited(ch5x5_reduce=None))[1]["inception_4a"].iter("rect")))
    assert both - 3 == len(list(strip_of(edited(ch5x5_reduce=None, ch5x5=0))[1]["inception_4a"].iter("rect")))
