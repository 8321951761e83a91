"""Several runs of the history beside each other: their curves and their differences, for each dataset."""

from collections.abc import Sequence

import streamlit as st

from explorer.data.arrays import DataError
from explorer.runs.records import Run
from explorer.runs.results import SeedGroup, group_by_seed
from explorer.training.plan import MAX_NETWORKS, DatasetChoice
from explorer.ui import runs
from explorer.ui.components.theme import theme
from explorer.ui.lab.train import charts, results
from explorer.views import curves
from explorer.views import formatting as fmt
from explorer.views import training as words
from explorer.views.comparison_tables import LETTERS


def show_comparison(selected: Sequence[Run]) -> None:
    """Compare the first runs of a selection. Accuracies on different datasets are not on one axis."""
    started = [run for run in selected if run.trainers]
    shown = started[: len(LETTERS)]
    if len(shown) < len(started):
        names = ", ".join(fmt.markdown(run.name) for run in shown)
        st.info(
            f"{len(started)} runs are selected. The charts show the first {len(shown)}: {names}.",
            icon=":material/info:",
        )
    if not shown:
        return
    axis = charts.choose_axis("history")
    letters = {run.id: letter for letter, run in zip(LETTERS, shown, strict=False)}
    datasets = dict.fromkeys(run.plan.data for run in shown)
    for number, data in enumerate(datasets):
        _show_dataset(data, [run for run in shown if run.plan.data == data], letters, axis, number, len(datasets) > 1)


def _show_dataset(
    data: DatasetChoice,
    shown: Sequence[Run],
    letters: dict[str, str],
    axis: curves.Axis,
    number: int,
    has_title: bool,
) -> None:
    """Show the runs on one dataset, one colour per run; of a race each network, with its seeds."""
    try:
        dataset = runs.load_dataset_info(data)
    except DataError:
        dataset = None
    if has_title:
        st.markdown(f"**{fmt.markdown(dataset.title if dataset else 'Deleted images')}**")
    groups = [
        group
        for run in shown
        for group in curves.run_groups(
            f"{letters[run.id]} {run.name}",
            theme().variants[letters[run.id]],
            run.plan,
            charts.shared_curves(run),
            charts.macs_of_networks(run),
            charts.test_images(run),
            charts.final_intervals(run),
        )
    ]
    found = group_by_seed(runs.store(), shown)
    if len(found) > MAX_NETWORKS:
        st.caption(f"Differences are tested between at most {MAX_NETWORKS} trainings; these are {len(found)}.")
    else:
        results.show_comparison(tuple(_with_letters(group, letters) for group in found))
    name = "-".join(run.id for run in shown)
    charts.show_curves(
        curves.comparison_panels(groups, axis), axis, name, wide_first=True, key=f"training_curves_{number}"
    )
    st.caption(words.test_points_text(dataset, has_bars=any(len(run.plan.seeds) == 1 for run in shown)))
    notes = [words.means_text([len(run.plan.seeds) for run in shown])]
    if any(len(run.plan.networks) > 1 for run in shown):
        notes.append("Networks of one race share a colour and differ in their dashes.")
    if text := " ".join(filter(None, notes)):
        st.caption(text)


def _with_letters(group: SeedGroup, letters: dict[str, str]) -> SeedGroup:
    """Name a group after its network and its runs: ``A B mini``."""
    runs_of_group = dict.fromkeys(letters[result.run_id] for result in group.results.values())
    return group._replace(name=f"{' '.join(sorted(runs_of_group))} {group.name}")
