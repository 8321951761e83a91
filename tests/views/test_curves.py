"""Curves for the live chart: lines, axes and colours."""

import pytest

from explorer import PRESETS
from explorer.runs.records import Point
from explorer.runs.significance import mean_interval
from explorer.training.intervals import Interval, wilson
from explorer.training.plan import TRAINING_PASSES, NamedNetwork, Plan
from explorer.views import curves as curve_views
from explorer.views import palette
from explorer.views.curves import AXES, COMPARED_CURVES, Group, comparison_panels, race_groups, run_groups, run_panels
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
    """Training and test together, the auxiliary heads apart, the gradients ordered by depth."""
    accuracy, loss, heads, gradients = run_panels("mini", CURVES, "step", MACS, LIGHT)
    assert [line.name for line in accuracy.lines] == ["train", "test"]
    assert [point[:2] for point in accuracy.lines[0].points] == [(1.0, 0.1), (2.0, 0.2)]
    assert accuracy.unit == "fraction"
    assert [line.points for line in loss.lines] == [[(1.0, 2.0), (2.0, 1.0)], [(1.0, 1.5)]]
    assert [(line.name, line.colour) for line in heads.lines] == [("at 4a", palette.AUX), ("at 4d", palette.AUX)]
    assert heads.lines[0].dash != heads.lines[1].dash
    assert [line.name for line in gradients.lines] == ["stem", "3a", "classifier", "aux 4a"]
    assert gradients.unit == "log"
    assert gradients.has_end_labels


def test_without_auxiliary_heads_there_is_no_panel_for_them() -> None:
    """There is none for gradients before the first."""
    curves = {kind: CURVES[kind] for kind in COMPARED_CURVES}
    assert [panel.title for panel in run_panels("mini", curves, "step", MACS, LIGHT)] == [
        "mini: accuracy",
        "mini: loss of the main classifier",
    ]


@pytest.mark.parametrize(
    ("axis", "last"), [("step", 2.0), ("seconds", 1.0), ("images", 128.0), ("macs", 128.0 * TRAINING_PASSES * MACS)]
)
def test_the_axes_of_the_curves(axis: str, last: float) -> None:
    """Steps, seconds, images, or MACs of training."""
    assert axis in AXES
    panels = run_panels("mini", CURVES, axis, MACS, LIGHT)
    assert panels[0].lines[0].points[-1][0] == last


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_gradients_contrast_with_the_background(theme: palette.Theme) -> None:
    """Each block has its own colour, with a contrast of at least 3."""
    curves = CURVES | {f"gradient/{block}": points(1.0) for block in ("3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")}
    lines = [line for line in run_panels("mini", curves, "step", MACS, theme)[3].lines if not line.dash]
    assert len({line.colour for line in lines}) == len(lines)
    assert all(palette.contrast(line.colour, theme.background) > 3 for line in lines)


def test_seeds_are_faint_and_their_mean_is_thick() -> None:
    """The mean ends with the shortest curve; a single seed has one line."""
    curves = ({"test_accuracy": points(0.2, 0.4)}, {"test_accuracy": points(0.4)})
    (group, alone) = (Group("A mini", "#111111", curves, MACS), Group("B half", "#222222", curves[:1], MACS))
    lines = comparison_panels([group, alone], "step")[0].lines
    assert [(line.name, line.is_faint) for line in lines] == [
        ("A mini", True),
        ("A mini", True),
        ("A mini", False),
        ("B half", False),
    ]
    assert all(line.has_markers for line in lines)  # a curve of one point is seen too
    assert lines[2].points == [(1.0, pytest.approx(0.3))]
    assert lines[3].points == [(1.0, 0.2), (2.0, 0.4)]


def test_a_race_is_in_the_colours_of_its_networks() -> None:
    """Each network has its letter, its colour, its curves and its MACs."""
    plan = Plan(
        networks=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")), seeds=(0, 1)
    )
    curves = [{"test_accuracy": points(value)} for value in range(4)]
    first, second = race_groups(plan, curves, [1, 2], LIGHT)
    assert (first.title, second.title) == ("A mini", "B half")
    assert (first.colour, second.colour) == (LIGHT.variants["A"], LIGHT.variants["B"])
    assert second.trainer_curves == (curves[2], curves[3])
    assert (first.macs, second.macs) == (1, 2)


def test_a_race_among_other_runs_shows_every_network() -> None:
    """All in the run's colour, each with its name and dashes, as the mean of its seeds."""
    race = Plan(
        networks=tuple(NamedNetwork(name=name, config=PRESETS[name]) for name in ("mini", "half")), seeds=(0, 1)
    )
    curves = [{"test_accuracy": points(value)} for value in (0.1, 0.3, 0.5, 0.9)]
    alone = race.replace(networks=race.networks[:1])
    groups = (
        *run_groups("A race", "#111111", race, curves, [1, 2]),
        *run_groups("B one", "#222222", alone, curves[:2], [1]),
    )
    lines = [line for line in comparison_panels(groups, "macs")[0].lines if not line.is_faint]
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


def test_test_accuracies_have_intervals() -> None:
    """Wilson's, of the number of images of each point: before the end a sample, at the end all; losses have none."""
    curves = CURVES | {"test_accuracy": points(0.5, 0.8)}
    images = curve_views.TestImages(interim=100, final=2_000, last=2)
    accuracy, loss, *_ = run_panels("mini", curves, "step", MACS, LIGHT, images)
    assert accuracy.lines[1].points == [(1.0, 0.5, *wilson(50, 100)), (2.0, 0.8, *wilson(1_600, 2_000))]
    assert loss.lines[1].points == [(1.0, 1.5)]
    plan = Plan(networks=(NamedNetwork(name="mini", config=PRESETS["mini"]),), seeds=(0, 1))
    (group,) = race_groups(plan, (curves, curves), (MACS,), LIGHT, (images, images._replace(last=None)))
    *seeds, mean_line = comparison_panels((group,), "step")[0].lines
    assert [len(point) for line in seeds for point in line.points] == [2, 2, 2, 2]
    assert mean_line.points == [(1.0, 0.5, *wilson(50, 100)), (2.0, 0.8, *wilson(80, 100))]  # one is at its end


def test_training_accuracies_have_intervals() -> None:
    """Wilson's, of the images in all batches that a point is the mean of."""
    curves = {"train_accuracy": [Point(10, 1.0, 640, 0.5, 10), Point(15, 1.5, 960, 0.75, 5)]}
    (accuracy, *_) = run_panels("mini", curves, "step", MACS, LIGHT)
    assert accuracy.lines[0].points == [(10.0, 0.5, *wilson(320, 640)), (15.0, 0.75, *wilson(240, 320))]
    assert [line.has_band for line in accuracy.lines] == [True, False]


def test_means_have_bands() -> None:
    """Of interim accuracies on a sample, of final ones as the results say, and of losses over the seeds."""
    seeds, images = (0.5, 0.6, 0.7), curve_views.TestImages(interim=100, final=2_000, last=2)
    curves = [{"test_accuracy": points(value, value + 0.1), "test_loss": points(1 - value)} for value in seeds]
    plan = Plan(networks=(NamedNetwork(name="mini", config=PRESETS["mini"]),), seeds=(0, 1, 2))
    final = {0: Interval(0.65, 0.75)}
    for known in ({}, final):
        (group,) = race_groups(plan, curves, (MACS,), LIGHT, [images] * 3, known)
        accuracy, loss, _ = comparison_panels((group,), "step")
        assert [line.has_band for line in accuracy.lines] == [False, False, False, True]
        interim, last = accuracy.lines[-1].points
        assert interim == pytest.approx((1.0, 0.6, *mean_interval(seeds, 100)))
        last_seeds = [value + 0.1 for value in seeds]
        assert last == pytest.approx((2.0, 0.7, *(known.get(0) or mean_interval(last_seeds, 2_000))))
        assert loss.lines[-1].points == [pytest.approx((1.0, 0.4, *mean_interval([0.5, 0.4, 0.3])))]
    (running,) = race_groups(plan, curves, (MACS,), LIGHT, [images._replace(last=None)] * 3)
    assert comparison_panels((running,), "step")[0].lines[-1].points[1] == pytest.approx(
        (2.0, 0.7, *mean_interval([0.6, 0.7, 0.8], 100))
    )


def test_ends_are_averaged_with_ends() -> None:
    """Where seeds were evaluated a different number of times, as in a budget of seconds."""
    first, second = {"test_accuracy": points(0.1, 0.2, 0.9)}, {"test_accuracy": points(0.3, 0.7)}
    images = [curve_views.TestImages(10, 1_000, last) for last in (3, 2)]
    group = Group("A mini", "#111111", (first, second), MACS, test_images=tuple(images))
    assert comparison_panels([group], "step")[0].lines[-1].points == [
        pytest.approx((1.0, 0.2, *wilson(2, 10))),
        pytest.approx((2.5, 0.8, *wilson(800, 1_000))),
    ]
