"""The server's runs for the pages: the manager, the run that this session has selected, and refused requests.

The URL holds the selected run (``?run=…``), so that a reload or a second tab finds it again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from explorer.data.datasets import dataset_info
from explorer.runs.manager import Manager
from explorer.runs.records import ACTIVE, Refusal, Run
from explorer.runs.schema import StoreError
from explorer.runs.store import Store
from explorer.settings import class_link, data_folder
from explorer.training.plan import DatasetChoice, DatasetInfo, Plan
from explorer.ui import messages, state
from explorer.ui.components.browser_token import browser_token
from explorer.ui.state import SessionValue

View = Literal["one", "race", "history"]
VIEWS: Mapping[View, str] = {"one": "One network", "race": "Race", "history": "History"}
RUN_PARAMETER = "run"
CLASS_RUNS = 2  # of one browser on a class server
VIEW_KEY = "train_view"
_SELECTED = SessionValue[dict[View, str | None]]("train_runs", {})
_REFUSED = SessionValue[tuple[str, str] | None]("train_refused", None)  # a place and the reason


@st.cache_resource
def _manager(folder: Path) -> Manager:
    return Manager(Store(folder))


def manager() -> Manager:
    """Return the one manager of this server. Raises StoreError if the data directory cannot be used."""
    return _manager(data_folder())


def store() -> Store:
    """Return the store of all runs. Raises StoreError if the data directory cannot be used."""
    return manager().store


def open_store() -> bool:
    """Open the store; return whether that worked, and show why if it did not."""
    try:
        manager()
    except StoreError as error:
        st.error(str(error), icon=":material/folder_off:")
        return False
    return True


def sync_from_url() -> None:
    """Select the run that the URL names, in a run of the script that the URL caused."""
    token = st.query_params.get(RUN_PARAMETER)
    if token and state.follows_url():
        run = store().run(token)
        if run is None:
            reason = "The address names a run that does not exist here. It may be deleted, or be on another server."
            _REFUSED.set((RUN_PARAMETER, reason))
        else:
            select_run(run)
    st.session_state.setdefault(VIEW_KEY, "one")


def write_url() -> None:
    """Write the selected run into the URL."""
    state.write_parameter(RUN_PARAMETER, selected_run_id(st.session_state[VIEW_KEY]))


def select_run(run: Run) -> None:
    """Show this run, in the view for runs of its kind. Call this before the page is drawn."""
    view: View = "race" if len(run.plan.trainers) > 1 else "one"
    st.session_state[VIEW_KEY] = view
    _SELECTED.set({**_SELECTED.get(), view: run.id})
    _REFUSED.clear()


def deselect_run(view: View) -> None:
    """Show no run in a view, but the settings of the next one."""
    _SELECTED.set({**_SELECTED.get(), view: None})


def selected_run_id(view: View) -> str | None:
    """Return the id of the run that a view shows; None for none."""
    return _SELECTED.get().get(view)


def selected_run(view: View) -> Run | None:
    """Return the run that a view shows; None for none, and for one that was deleted meanwhile."""
    run_id = selected_run_id(view)
    return store().run(run_id) if run_id else None


def submit(plan: Plan, dataset: DatasetInfo, place: str) -> None:
    """Put a run in the queue and select it. If that is refused, record why, to be shown at ``place``."""
    if class_link() and sum(map(is_own, store().runs(ACTIVE))) >= CLASS_RUNS:
        reason = (
            f"In a class each browser has at most {CLASS_RUNS} runs that wait or train. Wait, or cancel one of yours."
        )
        record_outcome(Refusal(reason), place)
        return
    answer = manager().submit(plan, dataset, browser_token())
    if record_outcome(answer, place):
        run = store().run(str(answer))
        if run is not None:
            select_run(run)


def record_outcome(answer: object, place: str) -> bool:
    """Return whether the manager accepted a request. If it did not, record why, to be shown at ``place``."""
    if isinstance(answer, Refusal):
        _REFUSED.set((place, answer.reason))
        return False
    _REFUSED.clear()
    return True


def show_refusal(place: str) -> None:
    """Show why the last request was refused, if it was made at this place."""
    refused = _REFUSED.get()
    if refused and refused[0] == place:
        messages.show_refusal(refused[1])


def is_own(run: Run) -> bool:
    """Whether this browser started a run."""
    return run.session == browser_token()


def load_dataset_info(data: DatasetChoice) -> DatasetInfo:
    """Return what is known of a dataset. Raises DataError if it does not exist."""
    return dataset_info(data, data_folder())
