"""All runs that were ever started here: listed, filtered, opened, compared, taken away, deleted."""

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from explorer.data.arrays import DataError
from explorer.runs.records import STATES, WAITING, Run, State
from explorer.ui import runs
from explorer.ui.components.polling import rerun_after
from explorer.ui.components.variants import theme
from explorer.ui.lab.train import actions, run_view
from explorer.views import curves
from explorer.views import training as words
from explorer.views.comparison_tables import LETTERS

_WANTED, _STATES, _MINE = "history_text", "history_states", "history_mine"
_TABLE, _EDITION = "history_table", "history_edition"
_LOOK_S = 2.0


def show_history() -> None:
    """List the runs; one that is chosen can be opened and changed, several are compared."""
    every = runs.store().runs()
    if not every:
        st.info(
            "No run yet. Choose **One network** or **Race** above; every run is kept here.", icon=":material/history:"
        )
        return
    found = _filtered(every)
    if not found:
        st.info("No run is like that. Take one of the filters out.", icon=":material/filter_alt:")
        return
    chosen = _table(found)
    _watch(_states(every))
    if not chosen:
        st.caption(f"{len(found):,} of {len(every):,} runs. Choose one to open or change it, up to four to compare.")
        return
    if len(chosen) == 1:
        _one(chosen[0])
    _delete(chosen)
    runs.show_trouble("history")
    _compare(chosen[: len(LETTERS)])


def _states(every: list[Run]) -> dict[str, State]:
    return {run.id: run.state for run in every}


@st.fragment
def _watch(shown: dict[str, State]) -> None:
    """Show the page anew when a run was added, deleted, or is in another state; look while one is not over."""
    if _states(runs.store().runs()) != shown:
        st.rerun()
    if any(state in WAITING for state in shown.values()):
        rerun_after(_LOOK_S, "history_again")


def _filtered(every: list[Run]) -> list[Run]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input("Find", key=_WANTED, placeholder="name, network or images", width=260)
        states = st.multiselect(
            "State",
            STATES,
            key=_STATES,
            format_func=lambda name: words.STATES[name][0],
            placeholder="any",
            width=260,
        )
        mine = st.toggle("only mine", key=_MINE)
    return [
        run
        for run in every
        if text.strip().lower() in _described(run).lower()
        and (not states or run.state in states)
        and (not mine or runs.is_mine(run))
    ]


def _described(run: Run) -> str:
    return " ".join((run.name, run.id, *(entrant.name for entrant in run.plan.entrants), _images(run)))


def _images(run: Run) -> str:

    try:
        return runs.facts_of(run.plan.data).title
    except DataError:
        return "images that are gone"


def _table(found: list[Run]) -> list[Run]:
    """Show the runs and return those that are chosen. Other rows are another table: a choice is of rows."""
    key = f"{_TABLE}_{hash(tuple(run.id for run in found))}_{st.session_state.get(_EDITION, 0)}"
    event = st.dataframe(
        pd.DataFrame([_row(run) for run in found]),
        hide_index=True,
        height=min(38 + 35 * len(found), 360),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        column_config={"accuracy": st.column_config.NumberColumn("test accuracy, best", format="%.1f %%")},
        placeholder="–",
        alt="All runs with state, accuracy and time",
    )
    return [found[row] for row in event.selection.rows if row < len(found)]


def _row(run: Run) -> dict[str, Any]:
    seconds = sum(lane.seconds for lane in run.trainers)
    return {
        "run": run.name,
        "state": words.STATES[run.state][0],
        "networks": " vs ".join(entrant.name for entrant in run.plan.entrants),
        "images": _images(run),
        "accuracy": _accuracy(run),
        "steps": run.step,
        "training": words.duration(seconds),
        "budget": words.budget(run.plan.budget),
        "started": datetime.fromtimestamp(run.started).strftime("%Y-%m-%d %H:%M") if run.started else "",
    }


def _accuracy(run: Run) -> float | None:
    """Return the best of its lanes, in percent, as last evaluated."""
    last = [runs.store().curve(run.id, "test_accuracy", lane.number, most=1_000)[-1:] for lane in run.trainers]
    values = [100 * points[0].value for points in last if points]
    return max(values, default=None)


def _one(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="history_one"):
        st.markdown(f"**{run.name}**", width="content")
        st.button(
            "Show it",
            icon=":material/show_chart:",
            type="primary",
            key="history_show",
            on_click=runs.look_at,
            args=(run,),
        )
        actions.show_actions(run)
    runs.show_trouble(run.id)


def _delete(chosen: list[Run]) -> None:
    if len(chosen) < 2:
        return
    with st.popover(f"Delete {len(chosen)} runs", icon=":material/delete:"):
        others = "" if all(map(runs.is_mine, chosen)) else " Some may be somebody else's: ask first."
        st.caption(f"Their curves and weights are removed for good.{others}")
        st.button("Delete for good", key="history_delete", on_click=_delete_all, args=(chosen,))


def _delete_all(chosen: list[Run]) -> None:
    for run in chosen:
        if not actions.take_step(runs.manager().delete, run.id, place="history"):
            return
    st.session_state[_EDITION] = st.session_state.get(_EDITION, 0) + 1


def _compare(chosen: list[Run]) -> None:
    """Show the curves of up to four runs, a colour per run; of a race each network, as the mean over its seeds."""
    begun = [run for run in chosen if run.trainers]
    if not begun:
        return
    groups = [
        group
        for letter, run in zip(LETTERS, begun, strict=False)
        for group in curves.groups_beside_others(
            f"{letter} {run.name}",
            theme().variants[letter],
            run.plan,
            run_view.shared_curves(run),
            run_view.macs_of_networks(run),
        )
    ]
    axis = run_view.choose_axis("history")
    run_view.show_curves(
        curves.of_groups(groups, axis, seeds=False), axis, "-".join(run.id for run in begun), lead=True
    )
    if any(len(run.plan.trainers) > 1 for run in begun):
        st.caption(
            "Of a race each network is drawn, as the mean over its seeds; in one colour, the dashes tell them apart. "
            "Show the race to see each seed."
        )
