"""The actions on a run: pause, cancel, resume, rename, delete; use its network and weights; download its metrics."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from explorer.data.arrays import DataError
from explorer.history import nearest_version
from explorer.runs.export import metrics_csv, tensorboard_zip
from explorer.runs.links import PARAMETER, weights_token
from explorer.runs.records import ACTIVE, Refusal, Run
from explorer.training.names import MAX_NAME, file_stem
from explorer.training.plan import NamedNetwork
from explorer.ui import runs, state
from explorer.ui.components.browser_token import browser_token
from explorer.ui.components.trained_weights import show_weights_downloads
from explorer.ui.components.training_code import show_training_downloads
from explorer.views import formatting as fmt

_LOOK_INSIDE = "pages/lab/look_inside.py"
_OTHER_SESSION = (
    "This run was started in another browser, or by another person. A second click is needed here, so that nobody "
    "stops another person's run by accident."
)
Action = Callable[..., Refusal | None]


def show_actions(run: Run) -> None:
    """Show the actions that the state of a run allows; those of another session's run are in a popover."""
    if runs.is_own(run):
        _show_controls(run)
    elif run.state in ACTIVE or run.is_resumable:
        with st.popover("Control this run", icon=":material/group:", key="run_others"):
            st.caption(_OTHER_SESSION)
            _show_controls(run)
    if run.state == "finished":
        _show_next_steps(run)
    with st.popover("More", icon=":material/more_horiz:", key="run_more"):
        _show_networks(run)
        _show_downloads(run)
        st.divider()
        _show_name(run)
        _show_delete(run)


def _show_controls(run: Run) -> None:
    manager = runs.manager()
    if run.state == "running":
        _button("Pause", "pause", "Saves a checkpoint and lets the next run start.", manager.pause, run)
    if run.state in ACTIVE:
        _button("Cancel", "stop", "Stops now. The run can be resumed from its last checkpoint.", manager.cancel, run)
    if run.is_resumable:
        _button("Resume", "play_arrow", "Adds it to the end of the queue.", manager.resume, run)


def _show_next_steps(run: Run) -> None:
    """Offer what to do with a finished run: look inside, train longer, export the weights."""
    if len(run.plan.trainers) == 1:
        _look_inside_link(run, 0)
    st.button(
        "Train longer",
        icon=":material/more_time:",
        key="run_longer",
        on_click=_train_longer,
        args=(run,),
        help="Starts a new run with twice the budget and the same settings and seeds. It starts from the beginning, "
        "because the learning rate follows from the whole budget.",
    )
    menu = st.popover("Export weights and code", icon=":material/download:", on_change="rerun", key="run_export")
    if menu.open:
        with menu:
            _show_export(run)


def _train_longer(run: Run) -> None:
    budget = run.plan.budget.replace(amount=2 * run.plan.budget.amount)
    try:
        dataset = runs.load_dataset_info(run.plan.data)
    except DataError as error:
        runs.record_outcome(Refusal(str(error)), run.id)
        return
    runs.submit(run.plan.replace(budget=budget), dataset, run.id)


def _show_export(run: Run) -> None:
    """Offer the weights and the training of one of the trainers as files."""
    trainers = run.plan.trainers
    titles = {
        number: f"{run.plan.networks[key.network].name}, seed {key.seed}"
        for number, key in enumerate(trainers)
        if runs.store().weights_path(run.id, number)
    }
    if not titles:
        st.caption("This run left no weights.")
        return
    number = next(iter(titles))
    if len(titles) > 1:
        number = st.selectbox("Weights of", list(titles), format_func=titles.__getitem__, key="run_export_trainer")
    network = run.plan.networks[trainers[number].network]
    if path := runs.store().weights_path(run.id, number):
        st.markdown(f"**Trained weights of {fmt.markdown(titles[number])}**")
        show_weights_downloads(network.config, path, file_stem(titles[number]))
        st.markdown("**Its training as code**")
        show_training_downloads(run.plan, number, run.trainers[number].step)


def _look_inside_link(run: Run, trainer: int) -> None:
    """Link to Look inside with the weights of a trainer, if there are any."""
    if runs.store().weights_path(run.id, trainer):
        st.page_link(
            _LOOK_INSIDE,
            label="Look inside",
            icon=":material/visibility:",
            query_params={PARAMETER: weights_token(run.id, trainer)},
            help="Uses its weights on images.",
        )


def _button(label: str, icon: str, help: str, action: Action, run: Run) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        help=help,
        key=f"run_{label.lower()}",
        on_click=on_action,
        args=(action, run.id),
    )


def perform(action: Action, run_id: str, *values: str, place: str = "") -> bool:
    """Perform an action on a run and return whether it was done; if not, :func:`runs.show_refusal` has the reason.

    A user who reaches a button of another session's run has read the warning, so the action is confirmed.
    """
    return runs.record_outcome(action(run_id, *values, browser_token(), confirmed=True), place or run_id)


def on_action(action: Action, run_id: str, *values: str) -> None:
    """Perform an action on a run, as a callback of a control."""
    perform(action, run_id, *values)


def _show_networks(run: Run) -> None:
    """Offer each network of a run and its weights, which are those of its first seed."""
    for number, network in enumerate(run.plan.networks):
        trainer = number * len(run.plan.seeds)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{fmt.markdown(network.name)}**", width="content")
            st.button(
                "Open",
                icon=":material/open_in_new:",
                key=f"run_open_{number}",
                on_click=open_network,
                args=(network,),
                help="Makes the network, as it was trained, the current network. Undo restores yours.",
            )
            if run.state != "finished" or len(run.plan.trainers) > 1:
                _look_inside_link(run, trainer)


def open_network(network: NamedNetwork) -> None:
    """Make a network the current one, with the most similar preset as its base."""
    state.set_current(nearest_version(network.config))
    st.toast(f"{fmt.markdown(network.name)} is the current network. Undo restores yours.", icon=":material/check:")


def _show_downloads(run: Run) -> None:
    store = runs.store()
    with st.container(horizontal=True, gap="small"):
        _download(
            "CSV", partial(metrics_csv, store, run), f"{file_stem(run.name)}.csv", "text/csv", "All measured metrics."
        )
        _download(
            "TensorBoard",
            partial(tensorboard_zip, store, run),
            f"{file_stem(run.name)}-tensorboard.zip",
            "application/zip",
            "Event files: unzip them, then run tensorboard --logdir in that folder.",
        )


def _download(label: str, make: Callable[[], str | bytes], name: str, mime: str, help: str) -> None:
    st.download_button(
        label, make, name, mime, icon=":material/download:", help=help, on_click="ignore", key=f"run_download_{label}"
    )


def _show_name(run: Run) -> None:
    key, place = f"run_name_{run.id}", f"{run.id}_name"
    st.session_state.setdefault(key, run.name)

    def on_change() -> None:
        perform(runs.manager().rename, run.id, st.session_state[key], place=place)

    st.text_input("Name", key=key, max_chars=MAX_NAME, on_change=on_change)
    runs.show_refusal(place)


def _show_delete(run: Run) -> None:
    warning = "This permanently deletes the curves and the weights."
    st.caption(warning if runs.is_own(run) else f"{warning} The run may belong to another person: ask first.")
    st.button(
        "Delete permanently",
        icon=":material/delete:",
        key="run_delete",
        on_click=on_action,
        args=(runs.manager().delete, run.id),
        disabled=run.state == "running",
        help="Cancel it first." if run.state == "running" else None,
    )
