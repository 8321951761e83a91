"""The live chart of curves, and what it is made of: the curves of a run, and the choice of the horizontal axis."""

from collections.abc import Sequence

import streamlit as st

from explorer.analysis import summarize
from explorer.data.arrays import DataError
from explorer.paths import ASSETS
from explorer.runs.records import Point, Run
from explorer.runs.results import results_of_run
from explorer.training.intervals import Interval
from explorer.training.plan import INTERIM_TEST_IMAGES
from explorer.ui import runs
from explorer.views import curves

_ASSETS = ASSETS / "curves"
_chart = st.components.v2.component(
    "training_curves",
    html='<div class="curves"></div>',
    css=(_ASSETS / "curves.css").read_text("utf-8"),
    js=(_ASSETS / "curves.js").read_text("utf-8"),
)

_MAX_POINTS = 150  # of a curve; more are averaged, which also averages the noise of single batches


def choose_axis(place: str, *, macs: bool = True) -> curves.Axis:
    """Let the user choose the horizontal axis of the curves."""
    axes = [axis for axis in curves.AXES if macs or axis != "macs"]
    axis = st.segmented_control(
        "Horizontal axis",
        axes,
        default=axes[0],
        required=True,
        format_func=lambda axis: curves.AXES[axis],
        key=f"train_axis_{place}",
        label_visibility="collapsed",
        persist_state="session",
    )
    return axis if axis in axes else axes[0]


def show_curves(
    panels: Sequence[curves.Panel],
    axis: curves.Axis,
    name: str,
    *,
    wide_first: bool = False,
    key: str = "training_curves",
) -> None:
    """Show panels of curves; those with the same ``name`` are updated in place and keep their zoom.

    ``wide_first``: the first panel has the full width. Several charts on a page have different keys.
    """
    data = {
        "name": f"{name} {axis}",
        "axis": curves.AXES[axis],
        "height": 260,
        "wideFirst": wide_first,
        "empty": "no points yet",
        "panels": [{**panel._asdict(), "lines": [line._asdict() for line in panel.lines]} for panel in panels],
    }
    _chart(key=key, data=data)


def trainer_curves(run_id: str, trainer: int, kinds: Sequence[str]) -> dict[str, list[Point]]:
    """Return the curves of a trainer by kind."""
    return {kind: runs.store().curve(run_id, kind, trainer, max_points=_MAX_POINTS) for kind in kinds}


def shared_curves(run: Run) -> list[dict[str, list[Point]]]:
    """Return the curves of each trainer of a run that compare networks."""
    return [trainer_curves(run.id, trainer, curves.COMPARED_CURVES) for trainer in range(len(run.plan.trainers))]


def test_images(run: Run) -> list[curves.TestImages | None]:
    """Return how many test images the points of each trainer of a run are of; None where the images are gone."""
    try:
        count = runs.load_dataset_info(run.plan.data).test
    except DataError:
        return [None] * len(run.plan.trainers)
    final = runs.store().final_evaluations(run.id)
    ends = (final.get((run.id, number)) for number in range(len(run.plan.trainers)))
    return [curves.TestImages(min(count, INTERIM_TEST_IMAGES), count, end.step if end else None) for end in ends]


def final_intervals(run: Run) -> dict[int, Interval]:
    """Return the interval of the final mean test accuracy of each network of which every seed has one."""
    groups = results_of_run(runs.store(), run)
    return {number: group.interval for number, group in groups.items() if len(group.results) == len(run.plan.seeds)}


def macs_of_networks(run: Run) -> list[int]:
    """Return the MACs of each network of a run for one image, including auxiliary heads."""
    return [summarize(network.config).macs(aux=True) for network in run.plan.networks]
