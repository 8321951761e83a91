"""The history of all runs on this server: filter, open, compare and delete them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from explorer.data.arrays import DataError
from explorer.runs.records import ACTIVE, STATES, Run, State
from explorer.runs.results import group_by_seed, results_of_run
from explorer.training.plan import DatasetChoice
from explorer.ui import runs
from explorer.ui.lab.train import actions, comparison
from explorer.ui.state import SessionValue
from explorer.ui.streamlit_workarounds import fragment, rerun_after
from explorer.views import formatting as fmt
from explorer.views import results
from explorer.views import training as words
from explorer.views.comparison_tables import LETTERS

_TABLE_VERSION = SessionValue("history_table_version", 0)
_POLL_S = 2.0
_MAX_ROWS_SHOWN = 9  # of a table without a scroll bar of its own


def show_history() -> None:
    """List the runs. A selected one can be opened and changed, several are compared."""
    all_runs = runs.store().runs()
    if not all_runs:
        st.info(
            "No runs yet. Choose **One network** or **Race** above; all runs are listed here.",
            icon=":material/history:",
        )
        return
    found = _filter(all_runs)
    if not found:
        st.info("No run matches. Remove a filter.", icon=":material/filter_alt:")
        return
    selected = _show_table(found)
    _watch(_states(all_runs))
    _show_repeated(found)
    if not selected:
        st.caption(
            f"{len(found):,} of {len(all_runs):,} runs. Select one to open or change it, up to {len(LETTERS)} to "
            "compare them."
        )
        return
    if len(selected) == 1:
        _show_run(selected[0])
    else:
        _show_delete(selected)
    runs.show_refusal("history")
    comparison.show_comparison(selected)


def _states(found: Sequence[Run]) -> dict[str, State]:
    return {run.id: run.state for run in found}


@fragment
def _watch(drawn: dict[str, State]) -> None:
    """Rerun the page when a run was added or deleted or has changed its state; poll while a run is active."""
    if _states(runs.store().runs()) != drawn:
        st.rerun()
    if any(state in ACTIVE for state in drawn.values()):
        rerun_after(_POLL_S, "history_again")


def _filter(all_runs: Sequence[Run]) -> list[Run]:
    """Show the filters and return the runs that match."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Find", key="history_text", placeholder="name, network or images", width=260)
        states = st.multiselect(
            "State",
            STATES,
            key="history_states",
            format_func=lambda state: words.STATES[state][0],
            placeholder="any",
            width=260,
        )
        only_own = st.toggle("Only my runs", key="history_own")
    return [
        run
        for run in all_runs
        if text.strip().lower() in _searchable_text(run).lower()
        and (not states or run.state in states)
        and (not only_own or runs.is_own(run))
    ]


def _searchable_text(run: Run) -> str:
    return " ".join((run.name, run.id, *(network.name for network in run.plan.networks), _dataset_title(run.plan.data)))


def _dataset_title(data: DatasetChoice) -> str:
    try:
        return runs.load_dataset_info(data).title
    except DataError:
        return "deleted images"


def _show_table(found: Sequence[Run]) -> list[Run]:
    """Show the runs and return the selected ones. The selection is by row number, so other rows are another table."""
    event = st.dataframe(
        pd.DataFrame([_row(run) for run in found]),
        hide_index=True,
        height="content" if len(found) <= _MAX_ROWS_SHOWN else 360,
        key=f"history_table_{hash(tuple(run.id for run in found))}_{_TABLE_VERSION.get()}",
        on_select="rerun",
        selection_mode="multi-row",
        column_config={
            "accuracy": st.column_config.TextColumn(
                "test accuracy",
                help="At the end of the budget, of a race of each network, of several seeds the mean. In brackets the "
                "95 % interval: over the test images (Wilson), and with three seeds or more over the seeds too.",
            )
        },
        placeholder=fmt.NO_VALUE,
        alt="All runs with state, accuracy and time",
    )
    return [found[row] for row in event.selection.rows if row < len(found)]


def _row(run: Run) -> dict[str, Any]:
    seconds = sum(trainer.seconds for trainer in run.trainers)
    return {
        "run": run.name,
        "state": words.STATES[run.state][0],
        "networks": " vs ".join(network.name for network in run.plan.networks),
        "images": _dataset_title(run.plan.data),
        "accuracy": _accuracies(run),
        "steps": run.step,
        "training": words.duration(seconds),
        "budget": words.budget_text(run.plan.budget),
        "started": datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M") if run.started else "",
    }


def _accuracies(run: Run) -> str:
    """Return the test accuracy of each network of a run, in the order of its networks; of several seeds the mean."""
    groups = results_of_run(runs.store(), run)
    if not groups:
        return ""
    numbers = range(len(run.plan.networks))
    return " vs ".join(
        f"{results.percent(groups[number].mean)} ({results.interval_text(groups[number].interval)})"
        if number in groups
        else "–"
        for number in numbers
    )


def _show_repeated(found: Sequence[Run]) -> None:
    """Show the results of what was trained with several seeds, over all listed runs."""
    groups = [group for group in group_by_seed(runs.store(), found) if len(group.results) > 1]
    if not groups:
        return
    rows = [
        row | {"images": _dataset_title(group.training.data), "budget": words.budget_text(group.training.budget)}
        for group, row in zip(groups, results.group_rows(groups), strict=True)
    ]
    st.markdown("**Trained with several seeds**")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt="Results of trainings that differ only by their seed",
        placeholder=fmt.NO_VALUE,
    )
    st.caption(
        "One row for all trainings above that differ only by their seed: the same network, images, settings and "
        f"budget. {results.interval_note(groups)}"
    )


def _show_run(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="history_one"):
        st.markdown(f"**{fmt.markdown(run.name)}**", width="content")
        st.button(
            "Open",
            icon=":material/show_chart:",
            type="primary",
            key="history_open",
            on_click=runs.select_run,
            args=(run,),
        )
        actions.show_actions(run)
    runs.show_refusal(run.id)


def _show_delete(selected: Sequence[Run]) -> None:
    with st.popover(f"Delete {len(selected)} runs", icon=":material/delete:"):
        warning = "This permanently deletes their curves and weights."
        are_own = all(map(runs.is_own, selected))
        st.caption(warning if are_own else f"{warning} Some may belong to other people: ask first.")
        st.button("Delete permanently", key="history_delete", on_click=_delete, args=(selected,))


def _delete(selected: Sequence[Run]) -> None:
    for run in selected:
        if not actions.perform(runs.manager().delete, run.id, place="history"):
            return
    _TABLE_VERSION.set(_TABLE_VERSION.get() + 1)
