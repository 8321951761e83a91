"""Curves for the live chart: which lines there are, what they go along, and in which colours."""

import pytest

from explorer import PRESETS
from explorer.runs.records import Point
from explorer.training.plan import TRAINING_PASSES, NamedNetwork, Plan
from explorer.views import palette
from explorer.views.curves import AXES, SHARED, Group, groups_beside_others, groups_of, of_groups, of_run
from explorer.views.palette import DARK, LIGHT

MACS = 1_000


def points(*values: float, images: int = 64) -> list[Point]:
    """Return a curve with a point per step."""
    return [Point(n, n / 2, images * n, value) for n, value in enumerate(values, 1)]


CURVES = {
    "train_accuracy": points(0.1, 0.2),
    "test_accuracy": points(0.3),
    "train_loss": points(2.0, 1.0),
    "test_loss": points(1.5),
    "aux_loss/4a": points(2.1, 2.0),
    "aux_loss/4d": points(2.2, 2.1),
    "gradient/classifier": points(3.0),
    "gradient/stem": points(1.0),
    "gradient/3a": points(2.0),
    "gradient/aux_4a": points(4.0),
}


def test_the_panels_of_a_run() -> None:
    """Training and test together, the heads apart, the gradients in the order of depth."""
    accuracy, loss, heads, gradients = of_run(CURVES, "step", MACS, LIGHT)
    assert [line.name for line in accuracy.lines] == ["train", "test"]
    assert accuracy.lines[0].points == [(1.0, 0.1), (2.0, 0.2)]
    assert accuracy.unit == "share"
    assert [line.points for line in loss.lines] == [[(1.0, 2.0), (2.0, 1.0)], [(1.0, 1.5)]]
    assert [(line.name, line.colour) for line in heads.lines] == [("on 4a", palette.AUX), ("on 4d", palette.AUX)]
    assert heads.lines[0].dash != heads.lines[1].dash
    assert [line.name for line in gradients.lines] == ["stem", "3a", "classifier", "aux 4a"]
    assert gradients.unit == "log"


def test_without_heads_there_is_no_panel_of_them() -> None:
    """Nor one of gradients before there are any."""
    curves = {kind: CURVES[kind] for kind in SHARED}
    assert [panel.title for panel in of_run(curves, "step", MACS, LIGHT)] == ["Accuracy", "Loss of the main classifier"]


@pytest.mark.parametrize(
    ("axis", "last"), [("step", 2.0), ("seconds", 1.0), ("images", 128.0), ("macs", 128.0 * TRAINING_PASSES * MACS)]
)
def test_what_the_curves_go_along(axis: str, last: float) -> None:
    """Steps, seconds, images, or the MACs that they cost."""
    assert axis in AXES
    panels = of_run(CURVES, axis, MACS, LIGHT)
    assert panels[0].lines[0].points[-1][0] == last


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_gradients_can_be_seen_on_the_page(theme: palette.Theme) -> None:
    """Each block's colour is its own, and stands out from the background."""
    curves = CURVES | {f"gradient/{block}": points(1.0) for block in ("3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")}
    lines = [line for line in of_run(curves, "step", MACS, theme)[3].lines if not line.dash]
    assert len({line.colour for line in lines}) == len(lines)
    assert all(palette.contrast(line.colour, theme.background) > 3 for line in lines)


def test_seeds_are_faint_and_their_mean_is_not() -> None:
    """The mean goes as far as all lanes are; one lane alone is drawn as it is."""
    lanes = ({"test_accuracy": points(0.2, 0.4)}, {"test_accuracy": points(0.4)})
    (group, alone) = (Group("A mini", "#111111", lanes, MACS), Group("B half", "#222222", lanes[:1], MACS))
    lines = of_groups([group, alone], "step")[0].lines
    assert [(line.name, line.faint) for line in lines] == [
        ("A mini", True),
        ("A mini", True),
        ("A mini", False),
        ("B half", False),
    ]
    assert lines[2].points == [(1.0, pytest.approx(0.3))]
    assert lines[3].points == [(1.0, 0.2), (2.0, 0.4)]


def test_a_race_is_in_the_colours_of_its_networks() -> None:
    """Each network has its letter, its colour, its lanes and its MACs."""
    plan = Plan(
        entrants=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")), seeds=(0, 1)
    )
    lanes = [{"test_accuracy": points(lane)} for lane in range(4)]
    first, second = groups_of(plan, lanes, [1, 2], LIGHT)
    assert (first.title, second.title) == ("A mini", "B half")
    assert (first.colour, second.colour) == (LIGHT.variants["A"], LIGHT.variants["B"])
    assert second.lanes == (lanes[2], lanes[3])
    assert (first.macs, second.macs) == (1, 2)


def test_a_race_among_other_runs_shows_every_network() -> None:
    """All in the run's colour, each with its name and dashes, as the mean over its seeds; one network has the run's."""
    race = Plan(
        entrants=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")), seeds=(0, 1)
    )
    lanes = [{"test_accuracy": points(value)} for value in (0.1, 0.3, 0.5, 0.9)]
    alone = race.replace(entrants=race.entrants[:1])
    groups = (
        *groups_beside_others("A race", "#111111", race, lanes, [1, 2]),
        *groups_beside_others("B one", "#222222", alone, lanes[:2], [1]),
    )
    lines = of_groups(groups, "macs", seeds=False)[0].lines
    assert [(line.name, line.colour) for line in lines] == [
        ("A race: mini", "#111111"),
        ("A race: half", "#111111"),
        ("B one", "#222222"),
    ]
    assert lines[0].dash != lines[1].dash
    assert [line.points for line in lines] == [
        [(64.0 * TRAINING_PASSES, pytest.approx(0.2))],
        [(128.0 * TRAINING_PASSES, pytest.approx(0.7))],
        [(64.0 * TRAINING_PASSES, pytest.approx(0.2))],
    ]
