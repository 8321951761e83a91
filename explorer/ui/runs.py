"""The server's runs as a page sees them: the one manager, which run this session looks at, and steps taken on it.

The run that is looked at stands in the address (``?run=…``), so that a reload or a second tab finds it again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from explorer.data.datasets import dataset_info
from explorer.runs.manager import Manager
from explorer.runs.records import RefusedError, Run
from explorer.runs.store import Store, StoreError
from explorer.settings import data_folder
from explorer.training.plan import DatasetChoice, DatasetInfo, Plan
from explorer.ui import messages, state
from explorer.ui.explore.network.badge import session_id

View = Literal["one", "race", "history"]
VIEWS: Mapping[View, str] = {"one": "One network", "race": "Race", "history": "History"}
PARAMETER = "run"
VIEW = "train_view"
_CHOSEN, _TROUBLE = "train_runs", "train_trouble"


@st.cache_resource
def _manager(folder: Path) -> Manager:
    return Manager(Store(folder))


def manager() -> Manager:
    """Return the one manager of this server. Raises StoreError when the data directory cannot be used."""
    return _manager(data_folder())


def store() -> Store:
    """Return the store of all runs. Raises StoreError when the data directory cannot be used."""
    return manager().store


def opened() -> bool:
    """Open the store, or say why that cannot be done."""
    try:
        manager()
    except StoreError as error:
        st.error(str(error), icon=":material/folder_off:")
        return False
    return True


def follow_address() -> None:
    """Look at the run that the address names, where the browser leads; after that the address follows."""
    token = st.query_params.get(PARAMETER)
    if token and state.navigated_by_address():
        run = store().run(token)
        if run is None:
            told = "The address names a run that is not here. It may have been deleted, or be another server's."
            st.session_state[_TROUBLE] = (PARAMETER, told)
        else:
            look_at(run)
    st.session_state.setdefault(VIEW, "one")


def write_address() -> None:
    """Put the run that is looked at into the address."""
    run_id = chosen(st.session_state[VIEW])
    if run_id != st.query_params.get(PARAMETER):
        if run_id:
            st.query_params[PARAMETER] = run_id
        else:
            st.query_params.pop(PARAMETER, None)


def look_at(run: Run) -> None:
    """Show this run, in the view for runs of its kind. To be called before the page is drawn."""
    view: View = "race" if len(run.plan.trainers) > 1 else "one"
    st.session_state[VIEW] = view
    st.session_state[_CHOSEN] = {**st.session_state.get(_CHOSEN, {}), view: run.id}
    st.session_state.pop(_TROUBLE, None)


def look_away(view: View) -> None:
    """Show no run, but what can be run next."""
    st.session_state[_CHOSEN] = {**st.session_state.get(_CHOSEN, {}), view: None}


def chosen(view: View) -> str | None:
    """Return the id of the run that a view shows; None for none."""
    return st.session_state.get(_CHOSEN, {}).get(view)


def chosen_run(view: View) -> Run | None:
    """Return the run that a view shows; None for none, and for one that was deleted meanwhile."""
    run_id = chosen(view)
    return store().run(run_id) if run_id else None


def submit(plan: Plan, facts: DatasetInfo, place: str) -> None:
    """Put a run in the queue and look at it, or keep the reason why not, to be shown at its ``place``."""
    answer = manager().submit(plan, facts, session_id())
    if done(answer, place):
        look_at(store().run(answer))


def done(answer: object, place: str) -> bool:
    """Whether the manager did what was asked; if not, its reason is kept, to be shown at its ``place``."""
    refused = isinstance(answer, RefusedError)
    st.session_state[_TROUBLE] = (place, answer.reason) if refused else None
    return not refused


def show_trouble(place: str) -> None:
    """Show why the last step that was asked for at this place was refused, if it was."""
    told = st.session_state.get(_TROUBLE)
    if told and told[0] == place:
        messages.show_refusal(told[1])


def is_mine(run: Run) -> bool:
    """Whether this session started a run."""
    return run.session == session_id()


def facts_of(data: DatasetChoice) -> DatasetInfo:
    """Return what is known of a set of images. Raises DataError when it is not there."""
    return dataset_info(data, data_folder())
