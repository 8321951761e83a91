"""What can be done with a run: pause, cancel, resume; rename, delete; use its network and weights; take its numbers."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from explorer.diff import changes
from explorer.history import Version
from explorer.presets import PRESETS
from explorer.runs.export import metrics_csv, tensorboard_zip
from explorer.runs.links import PARAMETER, weights_token
from explorer.runs.records import WAITING, RefusedError, Run
from explorer.training.plan import NamedNetwork
from explorer.ui import runs, state
from explorer.ui.explore.network.badge import session_id

_LOOK_INSIDE = "pages/lab/infer.py"
_ELSEWHERE = (
    "It was started in another tab, before this page was reloaded, or by somebody else: its address is the same for "
    "all and does not tell whose it is. So it takes this second click, that nobody stops another's run by accident."
)
Step = Callable[..., RefusedError | None]


def show_actions(run: Run) -> None:
    """Offer what can be done with a run in its state, to its own session with one click, to others behind a fold."""
    if runs.is_mine(run):
        _steer(run)
    elif run.state in WAITING or run.resumable:
        with st.popover("Steer this run", icon=":material/group:", key="run_others"):
            st.caption(_ELSEWHERE)
            _steer(run)
    with st.popover("More", icon=":material/more_horiz:", key="run_more"):
        _use(run)
        _take(run)
        st.divider()
        _name(run)
        _delete(run)


def _steer(run: Run) -> None:
    manager = runs.manager()
    if run.state == "running":
        _button("Pause", "pause", "Saves what it has and makes room for the next one.", manager.pause, run)
    if run.state in WAITING:
        _button("Cancel", "stop", "Stops it now; it can be resumed from its last checkpoint.", manager.cancel, run)
    if run.resumable:
        _button("Resume", "play_arrow", "Puts it at the end of the queue, to go on.", manager.resume, run)


def _button(label: str, icon: str, help: str, step: Step, run: Run) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        help=help,
        key=f"run_{label.lower()}",
        on_click=take_step,
        args=(step, run.id),
    )


def take_step(step: Step, run_id: str, *values: str, place: str = "") -> bool:
    """Take a step and say whether it was done. Whoever gets to a button of another one's run was told, and is sure."""
    return runs.done(step(run_id, *values, session_id(), sure=True), place or run_id)


def _use(run: Run) -> None:
    """Offer network and weights of each entrant. The weights are those of its first seed."""
    for number, entrant in enumerate(run.plan.entrants):
        lane = number * len(run.plan.seeds)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{entrant.name}**", width="content")
            st.button(
                "Open",
                icon=":material/open_in_new:",
                key=f"run_open_{number}",
                on_click=open_network,
                args=(entrant,),
                help="Puts the network, as it was trained, on the bench. Undo leads back.",
            )
            if runs.store().weights_path(run.id, lane):
                st.page_link(
                    _LOOK_INSIDE,
                    label="Look inside",
                    icon=":material/visibility:",
                    query_params={PARAMETER: weights_token(run.id, lane)},
                    help="Uses its weights on pictures.",
                )


def open_network(entrant: NamedNetwork) -> None:
    """Put a network on the bench, told against the preset that it is nearest to."""
    base = min(PRESETS, key=lambda name: len(changes(PRESETS[name], entrant.config)))
    state.make_current(Version(base, entrant.config))
    st.toast(f"{entrant.name} is on the bench. Undo leads back.", icon=":material/check:")


def _take(run: Run) -> None:
    store = runs.store()
    with st.container(horizontal=True, gap="small"):
        _download("CSV", partial(metrics_csv, store, run), f"{run.name}.csv", "text/csv", "All numbers it measured.")
        _download(
            "TensorBoard",
            partial(tensorboard_zip, store, run),
            f"{run.name}-tensorboard.zip",
            "application/zip",
            "Event files: unzip them, then tensorboard --logdir there.",
        )


def _download(label: str, make: Callable[[], str | bytes], name: str, mime: str, help: str) -> None:
    st.download_button(
        label, make, name, mime, icon=":material/download:", help=help, on_click="ignore", key=f"run_take_{label}"
    )


def _name(run: Run) -> None:
    key = f"run_name_{run.id}"
    st.session_state.setdefault(key, run.name)

    def changed() -> None:
        take_step(runs.manager().rename, run.id, st.session_state[key].strip())

    st.text_input("Name", key=key, max_chars=32, on_change=changed)


def _delete(run: Run) -> None:
    others = "" if runs.is_mine(run) else " It may be somebody else's: ask first."
    st.caption(f"Deleting removes its curves and its weights for good.{others}")
    st.button(
        "Delete for good",
        icon=":material/delete:",
        key="run_delete",
        on_click=take_step,
        args=(runs.manager().delete, run.id),
        disabled=run.state == "running",
        help="Cancel it first." if run.state == "running" else None,
    )
