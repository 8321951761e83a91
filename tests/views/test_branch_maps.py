"""The maps of all branches are well-formed, have a text alternative and the right numbers, and fit their frames."""

import pytest

from explorer.jobs.inspection import Ablation, AblationCell, Activity, BranchActivity
from explorer.views import branch_maps, palette, svg
from tests.svg_reader import (
    assert_inside,
    assert_parts_are_apart,
    assert_readable_on_phone,
    assert_well_formed,
    choices,
    elements,
)

BRANCHES = ("1x1", "3x3", "5x5", "pool")
CELLS = tuple(
    AblationCell(module, branch, 0.5, -0.1 * n + 0.05 * (branch == "pool"), -1.0, 1.0 if n == 1 else 0.0)
    for n, module in enumerate(("3a", "3b", "4a"))
    for branch in BRANCHES
    if (module, branch) != ("3b", "5x5")
)
ABLATION = branch_maps.ablation_map(
    Ablation(cells=CELLS, targets=(3,), probability=0.9, image_count=1), [("3a", "1x1")], "Sneaker"
)
ACTIVITY = branch_maps.activity_map(
    Activity(
        branches=tuple(BranchActivity("3a", b, 0, 9, 0.1, 0.4, 3 * (b == "5x5")) for b in BRANCHES), image_count=20
    )
)


def test_on_a_phone_the_branches_stand_beside_each_other() -> None:
    """A row per module, with text of at least 11 pixels; the same boxes can be selected."""
    found = Ablation(cells=CELLS, targets=(3,), probability=0.9, image_count=1)
    chart = branch_maps.ablation_map(found, [], "Sneaker", width=svg.NARROW)
    assert_readable_on_phone(chart)
    assert_inside(chart)
    assert_parts_are_apart(chart)
    assert choices(chart) == choices(ABLATION)
    tops = {box.get("data-choice"): box.get("y") for box in elements(chart, "rect") if box.get("data-choice")}
    assert tops["3a:1x1"] == tops["3a:pool"] != tops["4a:pool"]


@pytest.mark.parametrize("chart", [ABLATION, ACTIVITY], ids=["ablation", "activity"])
def test_every_map_is_well_formed_and_inside_its_frame(chart: str) -> None:
    """It has a label for screen readers, loads nothing, and lacks no number."""
    assert_well_formed(chart)
    assert_inside(chart)


def test_the_boxes_of_the_ablation_do_not_overlap() -> None:
    """A click selects one branch; those of the activity cannot be selected."""
    assert_parts_are_apart(ABLATION)
    assert [] == choices(ACTIVITY)


def test_a_box_of_the_ablation_is_lighter_the_more_is_lost() -> None:
    """A gain is no loss; the text has the sign; a change of the predicted class is marked."""
    texts = [element.text for element in elements(ABLATION, "text")]
    assert "+5.0" in texts
    assert "−10.0 ⇄" in texts
    assert "−20.0" in texts
    fills = {box.get("fill") for box in elements(ABLATION, "rect")}
    assert {palette.CIVIDIS[0], palette.CIVIDIS[-1]} <= fills
    assert "3b:5x5" not in choices(ABLATION)


def test_the_activity_counts_zeros_and_dead_channels() -> None:
    """A dagger marks the number of dead channels of a branch; the text alternative has their sum."""
    texts = [element.text for element in elements(ACTIVITY, "text")]
    assert "40 %" in texts
    assert "40 % · 3†" in texts
    assert "over 20 images. 3 channels are 0 everywhere in all images" in ACTIVITY


@pytest.mark.parametrize(("change", "text"), [(-0.796, "−79.6"), (0.05, "+5.0"), (-0.0001, "±0.0"), (0.0, "±0.0")])
def test_points_have_a_sign(change: float, text: str) -> None:
    """A change that rounds to 0 has none."""
    assert branch_maps.percentage_points(change) == text
