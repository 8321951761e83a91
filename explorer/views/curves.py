"""Curves of training as data for the live chart (``assets/curves``): panels of lines over one common axis.

The live chart draws them in place, so that a zoom stays while points come in. Percentages are shares of images told
right; losses and norms are as in :mod:`explorer.training.events`.
"""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Literal, NamedTuple

from explorer.runs.records import Point
from explorer.training.plan import TRAINING_PASSES, Plan
from explorer.views import palette
from explorer.views.comparison_tables import LETTERS
from explorer.views.palette import Theme

Axis = Literal["step", "seconds", "images", "macs"]
AXES: Mapping[Axis, str] = {
    "step": "steps",
    "seconds": "seconds of training",
    "images": "images seen",
    "macs": "MACs spent",
}
SHARED = ("test_accuracy", "test_loss", "train_loss")  # the curves in which networks are compared
_DASHES = ("", "6 3", "2 3", "8 3 2 3")  # of lines in one colour
Curves = Mapping[str, Sequence[Point]]  # the points of one lane by the name of the curve


class Line(NamedTuple):
    """One line: ``points`` are pairs of x and y. ``dash`` is SVG's, ``faint`` lines are not in the legend."""

    name: str
    colour: str
    points: list[tuple[float, float]]
    dash: str = ""
    width: float = 2
    faint: bool = False
    marks: bool = False


class Panel(NamedTuple):
    """One chart. ``unit``: ``share`` is shown in percent from 0, ``log`` on a logarithmic scale."""

    title: str
    lines: tuple[Line, ...]
    unit: Literal["share", "number", "log"] = "number"


class Group(NamedTuple):
    """The lanes of one network, all drawn alike. ``macs`` are those of one image, heads included."""

    title: str
    colour: str
    lanes: tuple[Curves, ...]
    macs: int
    dash: str = ""


def of_run(curves: Curves, axis: Axis, macs: int, theme: Theme) -> tuple[Panel, ...]:
    """Return the panels of one network in training: accuracy, loss, the heads' losses, gradients."""
    train = {"colour": theme.line, "width": 1.5}
    test = {"colour": theme.variants["A"], "marks": True}
    panels = [
        Panel(
            "Accuracy",
            (
                Line("train", points=_xy(curves, "train_accuracy", axis, macs), **train),
                Line("test", points=_xy(curves, "test_accuracy", axis, macs), **test),
            ),
            "share",
        ),
        Panel(
            "Loss of the main classifier",
            (
                Line("train", points=_xy(curves, "train_loss", axis, macs), **train),
                Line("test", points=_xy(curves, "test_loss", axis, macs), **test),
            ),
        ),
    ]
    heads = [kind for kind in curves if kind.startswith("aux_loss/")]
    if heads:
        panels.append(Panel("Losses of the auxiliary heads", tuple(_heads(curves, heads, axis, macs))))
    blocks = [kind for kind in curves if kind.startswith("gradient/")]
    if blocks:
        panels.append(
            Panel("Size of the gradient per block", tuple(_gradients(curves, blocks, axis, macs, theme)), "log")
        )
    return tuple(panels)


def _heads(curves: Curves, heads: Sequence[str], axis: Axis, macs: int) -> list[Line]:
    return [
        Line(f"on {kind.partition('/')[2]}", palette.AUX, _xy(curves, kind, axis, macs), _DASHES[at % 4], 1.5)
        for at, kind in enumerate(heads)
    ]


def _gradients(curves: Curves, blocks: Sequence[str], axis: Axis, macs: int, theme: Theme) -> list[Line]:
    """Colours run with depth, from the image to the classifier, over what can be seen on this background."""
    low, high = (0.0, 0.58) if theme is palette.LIGHT else (0.45, 1.0)
    ordered = sorted(blocks, key=_depth)
    step = (high - low) / max(1, len(ordered) - 1)
    return [
        Line(
            kind.partition("/")[2].replace("_", " "),
            palette.AUX if "/aux_" in kind else palette.scale(low + at * step),
            _xy(curves, kind, axis, macs),
            "4 3" if "/aux_" in kind else "",
            1.5,
        )
        for at, kind in enumerate(ordered)
    ]


def _depth(kind: str) -> tuple[int, str]:
    block = kind.partition("/")[2]
    return {"stem": 0, "classifier": 2}.get(block, 3 if block.startswith("aux_") else 1), block


def of_groups(groups: Sequence[Group], axis: Axis, *, seeds: bool = True) -> tuple[Panel, ...]:
    """Return the panels of several networks: test accuracy and loss, and the training loss.

    With several lanes to a network, one per seed, its mean is drawn thick, and each lane faintly unless ``seeds`` is
    False.
    """
    titles = ("Test accuracy", "Test loss", "Training loss")
    return tuple(
        Panel(
            title,
            tuple(line for group in groups for line in _group_lines(group, kind, axis) if seeds or not line.faint),
            "share" if kind == "test_accuracy" else "number",
        )
        for kind, title in zip(SHARED, titles, strict=True)
    )


def _group_lines(group: Group, kind: str, axis: Axis) -> list[Line]:
    lanes = [_xy(curves, kind, axis, group.macs) for curves in group.lanes]
    marks = kind.startswith("test")
    if len(lanes) == 1:
        return [Line(group.title, group.colour, lanes[0], group.dash, marks=marks)]
    faint = [Line(group.title, group.colour, points, width=1, faint=True) for points in lanes]
    middle = [
        (mean(x for x, _ in points), mean(y for _, y in points)) for points in zip(*lanes, strict=False)
    ]  # as far as all lanes are
    return [*faint, Line(group.title, group.colour, middle, group.dash, 2.5, marks=marks)]


def groups_of(plan: Plan, lanes: Sequence[Curves], macs: Sequence[int], theme: Theme) -> tuple[Group, ...]:
    """Return the lanes of a race by network. ``lanes`` are those of the plan in order, ``macs`` of each network."""
    return tuple(
        Group(
            f"{LETTERS[number]} {entrant.name}",
            theme.variants[LETTERS[number]],
            _lanes_of(number, plan, lanes),
            macs[number],
        )
        for number, entrant in enumerate(plan.entrants)
    )


def groups_beside_others(
    title: str, colour: str, plan: Plan, lanes: Sequence[Curves], macs: Sequence[int]
) -> tuple[Group, ...]:
    """Return the lanes of one run among several by network: all in the run's colour, told apart by their dashes.

    ``lanes`` and ``macs`` are as in :func:`groups_of`; ``title`` is the run's.
    """
    race = len(plan.entrants) > 1
    return tuple(
        Group(
            f"{title}: {entrant.name}" if race else title,
            colour,
            _lanes_of(number, plan, lanes),
            macs[number],
            _DASHES[number],
        )
        for number, entrant in enumerate(plan.entrants)
    )


def _lanes_of(entrant: int, plan: Plan, lanes: Sequence[Curves]) -> tuple[Curves, ...]:
    return tuple(curves for key, curves in zip(plan.trainers, lanes, strict=True) if key.entrant == entrant)


def _xy(curves: Curves, kind: str, axis: Axis, macs: int) -> list[tuple[float, float]]:
    return [(_x(point, axis, macs), point.value) for point in curves.get(kind, ())]


def _x(point: Point, axis: Axis, macs: int) -> float:
    return float(point.images * TRAINING_PASSES * macs if axis == "macs" else getattr(point, axis))
