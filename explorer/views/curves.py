"""Curves of training as data for the live chart (``assets/curves``): panels of lines over a shared horizontal axis.

The live chart updates them in place, so that a zoom stays when points are added. Percentages are fractions of images
classified correctly; losses and norms are as in :mod:`explorer.training.events`.
"""

from collections.abc import Mapping, Sequence
from statistics import mean
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar

from explorer.runs.records import Point
from explorer.runs.significance import mean_interval
from explorer.training.intervals import Interval, wilson
from explorer.training.plan import TRAINING_PASSES, Plan
from explorer.views import palette
from explorer.views.comparison_tables import LETTERS
from explorer.views.palette import Theme

T = TypeVar("T")
Axis = Literal["step", "seconds", "images", "macs"]
AXES: Mapping[Axis, str] = {
    "step": "steps",
    "seconds": "seconds of training",
    "images": "images seen",
    "macs": "MACs of training",
}
COMPARED_CURVES = ("test_accuracy", "test_loss", "train_loss")  # of several networks
_DASHES = ("", "6 3", "2 3", "8 3 2 3")  # of lines in one colour
Curves = Mapping[str, Sequence[Point]]  # the points of one trainer by the name of the curve
Points = list[tuple[float, ...]]  # x and y; of an estimate also the bounds of its interval


class TestImages(NamedTuple):
    """How many test images a point of a test curve is of: ``interim``, and ``final`` at the step ``last`` of a trainer.

    ``last`` is None until the trainer has used its budget.
    """

    interim: int
    final: int
    last: int | None = None

    def at(self, step: int) -> int:
        """Return the number of test images of the point at a step."""
        return self.final if step == self.last else self.interim


class Line(NamedTuple):
    """One line: ``points`` are x and y, and the bounds of an interval where y has one. ``dash`` is SVG's.

    Intervals are bars, or a band along the line. Faint lines are not in the legend.
    """

    name: str
    colour: str
    points: Points
    dash: str = ""
    width: float = 2
    is_faint: bool = False
    has_markers: bool = False
    has_band: bool = False


class Panel(NamedTuple):
    """One chart. ``unit``: a ``fraction`` has an axis in percent from 0, ``log`` a logarithmic axis.

    ``has_end_labels``: the name of each line is at its end too, for lines that are too many to look up in the legend.
    """

    title: str
    lines: tuple[Line, ...]
    unit: Literal["fraction", "number", "log"] = "number"
    has_end_labels: bool = False


class Group(NamedTuple):
    """The trainers of one network, drawn alike. ``macs`` are those of one image, auxiliary heads included.

    ``test_images`` has what the test points of each trainer are of; without it they have no intervals. ``final`` is
    the interval of the mean test accuracy at the end of all budgets.
    """

    title: str
    colour: str
    trainer_curves: tuple[Curves, ...]
    macs: int
    dash: str = ""
    test_images: tuple[TestImages | None, ...] = ()
    final: Interval | None = None


def run_panels(
    name: str,
    curves: Curves,
    axis: Axis,
    macs: int,
    theme: Theme,
    test_images: TestImages | None = None,
) -> tuple[Panel, ...]:
    """Return the panels of one network in training: accuracy, loss, losses of the auxiliary heads, gradients."""

    def train_and_test(quantity: str) -> tuple[Line, Line]:
        train = _xy(curves, f"train_{quantity}", axis, macs)
        test = _xy(curves, f"test_{quantity}", axis, macs, test_images)
        return (
            Line("train", theme.line, train, width=1.5, has_band=quantity == "accuracy"),
            Line("test", theme.variants["A"], test, has_markers=True),
        )

    panels = [
        Panel(f"{name}: accuracy", train_and_test("accuracy"), "fraction"),
        Panel(f"{name}: loss of the main classifier", train_and_test("loss")),
    ]
    heads = [kind for kind in curves if kind.startswith("aux_loss/")]
    if heads:
        panels.append(Panel(f"{name}: losses of the auxiliary heads", tuple(_heads(curves, heads, axis, macs))))
    blocks = [kind for kind in curves if kind.startswith("gradient/")]
    if blocks:
        lines = tuple(_gradients(curves, blocks, axis, macs, theme))
        panels.append(Panel(f"{name}: gradient norm per block", lines, "log", has_end_labels=True))
    return tuple(panels)


def _heads(curves: Curves, heads: Sequence[str], axis: Axis, macs: int) -> list[Line]:
    return [
        Line(f"at {kind.partition('/')[2]}", palette.AUX, _xy(curves, kind, axis, macs), _DASHES[index % 4], 1.5)
        for index, kind in enumerate(heads)
    ]


def _gradients(curves: Curves, blocks: Sequence[str], axis: Axis, macs: int, theme: Theme) -> list[Line]:
    """Return a line per block, coloured by depth; those of auxiliary heads are dashed."""
    ordered = sorted(blocks, key=_depth)
    last = max(1, sum("/aux_" not in kind for kind in ordered) - 1)
    return [
        Line(
            kind.partition("/")[2].replace("_", " "),
            palette.AUX if "/aux_" in kind else palette.scale(index / last, theme.depth),
            _xy(curves, kind, axis, macs),
            "4 3" if "/aux_" in kind else "",
            1.5,
        )
        for index, kind in enumerate(ordered)
    ]


def _depth(kind: str) -> tuple[int, str]:
    block = kind.partition("/")[2]
    return {"stem": 0, "classifier": 2}.get(block, 3 if block.startswith("aux_") else 1), block


def comparison_panels(groups: Sequence[Group], axis: Axis) -> tuple[Panel, ...]:
    """Return the panels of several networks: test accuracy and loss, and the training loss.

    For a network with several seeds, a thick line shows the mean with its interval, and a faint one each seed.
    """
    titles = ("Test accuracy", "Test loss", "Training loss")
    return tuple(
        Panel(
            title,
            tuple(line for group in groups for line in _group_lines(group, kind, axis)),
            "fraction" if kind == "test_accuracy" else "number",
        )
        for kind, title in zip(COMPARED_CURVES, titles, strict=True)
    )


def _group_lines(group: Group, kind: str, axis: Axis) -> list[Line]:
    counts = group.test_images or (None,) * len(group.trainer_curves)
    lines = [
        _xy(curves, kind, axis, group.macs, images) for curves, images in zip(group.trainer_curves, counts, strict=True)
    ]
    has_markers = kind.startswith("test")
    if len(lines) == 1:
        return [Line(group.title, group.colour, lines[0], group.dash, has_markers=has_markers)]
    faint = [
        Line(
            group.title, group.colour, [point[:2] for point in points], width=1, is_faint=True, has_markers=has_markers
        )
        for points in lines
    ]
    means = _mean_points(group, kind, lines)
    mean_line = Line(group.title, group.colour, means, group.dash, 2.5, has_markers=has_markers, has_band=True)
    return [*faint, mean_line]


def _mean_points(group: Group, kind: str, lines: Sequence[Points]) -> Points:
    """Return the means over the seeds, with their intervals: of points in order up to the shortest line.

    When all have used their budgets, the mean of their ends comes last; the others are samples of the test images.
    """
    known = [one for one in group.test_images if one]
    interim = min((one.interim for one in known), default=0)
    have_ended = len(known) == len(lines) and all(one.last is not None for one in known)
    if not (kind.startswith("test") and have_ended and all(lines)):
        return [_mean_point(kind, points, interim) for points in zip(*lines, strict=False)]
    before = [_mean_point(kind, points, interim) for points in zip(*(line[:-1] for line in lines), strict=False)]
    last = _mean_point(kind, [line[-1] for line in lines], min(one.final for one in known))
    return [*before, (*last[:2], *group.final) if group.final and kind == "test_accuracy" else last]


def _mean_point(kind: str, points: Sequence[tuple[float, ...]], images: int) -> tuple[float, ...]:
    """Return the mean of a point of each seed. Accuracies are of so many test images."""
    values = [y for _, y, *_ in points]
    is_accuracy = kind == "test_accuracy"
    interval = mean_interval(values, images if is_accuracy else None) if images or not is_accuracy else None
    return (mean(x for x, *_ in points), mean(values), *(interval or ()))


def race_groups(
    plan: Plan,
    trainer_curves: Sequence[Curves],
    macs: Sequence[int],
    theme: Theme,
    test_images: Sequence[TestImages | None] = (),
    final: Mapping[int, Interval] = MappingProxyType({}),
) -> tuple[Group, ...]:
    """Return the groups of a race. ``trainer_curves`` and ``test_images`` are of the trainers, ``macs`` of networks.

    ``final`` has the intervals of the final mean accuracies, by the number of the network.
    """
    return tuple(
        Group(
            f"{LETTERS[index]} {network.name}",
            theme.variants[LETTERS[index]],
            _of_network(index, plan, trainer_curves),
            macs[index],
            test_images=_of_network(index, plan, test_images) if test_images else (),
            final=final.get(index),
        )
        for index, network in enumerate(plan.networks)
    )


def run_groups(
    title: str,
    colour: str,
    plan: Plan,
    trainer_curves: Sequence[Curves],
    macs: Sequence[int],
    test_images: Sequence[TestImages | None] = (),
    final: Mapping[int, Interval] = MappingProxyType({}),
) -> tuple[Group, ...]:
    """Return the groups of one run among several: all in the run's colour, with different dashes.

    ``trainer_curves``, ``macs``, ``test_images`` and ``final`` are as in :func:`race_groups`; ``title`` is the run's.
    """
    is_race = len(plan.networks) > 1
    return tuple(
        Group(
            f"{title}: {network.name}" if is_race else title,
            colour,
            _of_network(index, plan, trainer_curves),
            macs[index],
            _DASHES[index],
            _of_network(index, plan, test_images) if test_images else (),
            final.get(index),
        )
        for index, network in enumerate(plan.networks)
    )


def _of_network(network: int, plan: Plan, of_trainers: Sequence[T]) -> tuple[T, ...]:
    """Return what belongs to the trainers of a network, of a sequence in the order of the plan's trainers."""
    return tuple(one for key, one in zip(plan.trainers, of_trainers, strict=True) if key.network == network)


def _xy(curves: Curves, kind: str, axis: Axis, macs: int, test_images: TestImages | None = None) -> Points:
    """Return the points of a curve; accuracies have Wilson's interval where it is known of how many images they are."""
    points = curves.get(kind, ())
    if kind == "train_accuracy":
        counts = [point.values * point.images // max(1, point.step) for point in points]
    elif kind == "test_accuracy" and test_images:
        counts = [test_images.at(point.step) for point in points]
    else:
        return [(_x(point, axis, macs), point.value) for point in points]
    return [
        (_x(point, axis, macs), point.value, *wilson(round(point.value * images), images))
        for point, images in zip(points, counts, strict=True)
    ]


def _x(point: Point, axis: Axis, macs: int) -> float:
    return float(point.images * TRAINING_PASSES * macs if axis == "macs" else getattr(point, axis))
