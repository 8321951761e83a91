"""A run: its state and progress, curves that grow in place, and the results at the end.

The fragment polls while the run is active; when the state changes, the whole page reruns once.
"""

import streamlit as st

from explorer.data.arrays import DataError
from explorer.runs.records import ACTIVE, Run, State
from explorer.training.events import Started
from explorer.training.plan import DatasetInfo
from explorer.ui import runs
from explorer.ui.components.theme import theme
from explorer.ui.lab.train import actions, charts, results, samples
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views import curves
from explorer.views import formatting as fmt
from explorer.views import training as words

_POLL_S = 1.0
_READING = (
    "Reading this chart: training points are means over batches, with dropout; their band is the 95 % interval over "
    "the choice of the images in those batches (Wilson). {test_points} The size of a gradient is its L2 norm over the "
    "weights of a block. Drag along a chart to zoom, double-click to reset the zoom; click a name to hide its line."
)
_READING_RACE = (
    "Reading this chart: one colour per network. {means} {test_points} Drag along a chart to zoom, double-click to "
    "reset the zoom; click a name to hide its line."
)


@fragment
def show_run(run_id: str) -> None:
    """Show a run, and poll while it is active."""
    run = runs.store().run(run_id)
    if run is None:  # it was deleted
        st.rerun()
    try:
        dataset = runs.load_dataset_info(run.plan.data)
    except DataError:
        dataset = None
    _show_header(run, dataset)
    runs.show_refusal(run.id)
    _show_progress(run)
    _show_results(run, dataset)
    drawn = SessionValue[State](f"train_drawn_{run_id}", run.state)
    was_active = drawn.get() in ACTIVE
    drawn.set(run.state)
    if run.state in ACTIVE:
        rerun_after(_POLL_S, "train_again")
    elif was_active:
        st.rerun()


def _show_header(run: Run, dataset: DatasetInfo | None) -> None:
    title, colour, icon = words.STATES[run.state]
    with st.container(horizontal=True, vertical_alignment="center", key="run_header"):
        st.markdown(f"## {fmt.markdown(run.name)}", width="content")
        st.badge(title, icon=f":material/{icon}:", color=colour)
        st.space("stretch")
        actions.show_actions(run)
    plan = words.plan_text(run.plan, dataset) if dataset else "Its images no longer exist."
    st.caption(
        f"{fmt.markdown(plan)}  \n{fmt.markdown(words.settings_text(run.plan.settings, run.plan))}{_start_notes(run)}"
    )


def _start_notes(run: Run) -> str:
    """Return the device of a run and the notes from its start, as Markdown that continues a line."""
    started = runs.store().latest_event(run.id, "started")
    if not isinstance(started, Started):
        return ""
    return fmt.markdown(f" · {started.device}") + "".join(f"  \n{fmt.markdown(note)}" for note in started.notes)


def _show_progress(run: Run) -> None:
    """Show how far the run is, or what happened to it."""
    position = runs.store().queue_position(run.id)
    if run.state == "running":
        st.progress(run.progress, words.progress_text(run) if run.step else "Starting PyTorch and reading the images")
    elif position is not None:
        st.progress(run.progress, f"Waiting in the queue. {words.queue_text(position)}")
    elif run.state == "failed":
        st.error(fmt.markdown(run.outcome), icon=":material/error:")
    elif run.state != "finished":
        st.progress(run.progress, fmt.markdown(run.outcome) or "It can be resumed.")
    elif run.message:
        st.warning(fmt.markdown(run.message), icon=":material/warning:")
    if error := runs.manager().queue_error:
        st.warning(fmt.markdown(error), icon=":material/warning:")


def _show_results(run: Run, dataset: DatasetInfo | None) -> None:
    is_race = len(run.plan.trainers) > 1
    if is_race:
        results.show_race_verdict(run)
    elif dataset:
        results.show_verdict(run, dataset)
    if run.trainers:
        axis = charts.choose_axis("race" if is_race else "one", macs=is_race)
        panels = _race_panels(run, axis) if is_race else _run_panels(run, axis)
        charts.show_curves(panels, axis, run.id, wide_first=is_race)
        test_points = words.test_points_text(dataset, has_bars=len(run.plan.seeds) == 1)
        means = words.means_text([len(run.plan.seeds)])
        st.caption((_READING_RACE if is_race else _READING).format(means=means, test_points=test_points))
    elif dataset:  # while it waits
        samples.show_preview(run.plan.data, dataset)
    if is_race:
        results.show_race_table(run)
    if run.state not in ACTIVE and dataset:
        results.show_misclassified(run, dataset)


def _run_panels(run: Run, axis: curves.Axis) -> tuple[curves.Panel, ...]:
    found = charts.trainer_curves(run.id, 0, runs.store().kinds(run.id, 0))
    network = run.plan.networks[0]
    images = charts.test_images(run)[0]
    return curves.run_panels(network.name, found, axis, charts.macs_of_networks(run)[0], theme(), images)


def _race_panels(run: Run, axis: curves.Axis) -> tuple[curves.Panel, ...]:
    groups = curves.race_groups(
        run.plan,
        charts.shared_curves(run),
        charts.macs_of_networks(run),
        theme(),
        charts.test_images(run),
        charts.final_intervals(run),
    )
    return curves.comparison_panels(groups, axis)
