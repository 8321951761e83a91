"""The server's studies for the page Search: the manager, and the study that this session has selected.

The URL holds the selected study (``?study=…``), so that a reload or a second tab finds it again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from explorer.search.manager import StudyManager
from explorer.search.records import State
from explorer.search.spec import StudySpec
from explorer.search.storage import StudyError
from explorer.search.store import StudyStore
from explorer.settings import data_folder, database_url
from explorer.ui import messages, state
from explorer.ui.state import SessionValue

View = Literal["replay", "new", "studies"]
VIEWS: Mapping[View, str] = {"replay": "Without training", "new": "New study", "studies": "Studies"}
PARAMETER = "study"
VIEW_KEY = "search_view"
_SELECTED = SessionValue[str | None]("search_study", None)
_REFUSED = SessionValue[str]("search_refused", "")


@st.cache_resource(max_entries=2, show_spinner=False)
def _manager(folder: Path, _address: str) -> StudyManager:
    return StudyManager(StudyStore(folder))


def manager() -> StudyManager:
    """Return the one manager of this server. Raises StudyError if the storage cannot be used."""
    return _manager(data_folder(), database_url())


def store() -> StudyStore:
    """Return the store of all studies. Raises StudyError if it cannot be used."""
    return manager().store


def open_store() -> bool:
    """Open the storage; return whether that worked, and show why if it did not."""
    try:
        manager()
    except StudyError as error:
        messages.show_refusal(str(error))
        return False
    return True


def sync_from_url() -> None:
    """Select the study that the URL names, in a run of the script that the URL caused."""
    token = st.query_params.get(PARAMETER)
    if token and state.follows_url():
        try:
            select(store().head(token).id)
        except StudyError as error:
            _REFUSED.set(str(error))
    st.session_state.setdefault(VIEW_KEY, "replay")


def write_url() -> None:
    """Write the selected study into the URL."""
    state.write_parameter(PARAMETER, selected() if st.session_state[VIEW_KEY] == "studies" else None)


def selected() -> str | None:
    """Return the id of the selected study."""
    return _SELECTED.get()


def select(study_id: str | None) -> None:
    """Show a study, or the list of all. Call this before the page is drawn."""
    _SELECTED.set(study_id)
    st.session_state[VIEW_KEY] = "studies"


def start(spec: StudySpec, workers: int) -> None:
    """Start a study and select it."""
    try:
        select(store().create(spec, workers))
        manager().wake()
    except StudyError as error:
        _REFUSED.set(str(error))


def set_state(study_id: str, new: State) -> None:
    """Pause, stop or resume a study."""
    try:
        store().set_state(study_id, new)
        manager().wake()
    except StudyError as error:
        _REFUSED.set(str(error))


def extend(study_id: str, amount: float) -> None:
    """Add to the budget of a study and let it run."""
    try:
        store().extend(study_id, amount)
        manager().wake()
    except StudyError as error:
        _REFUSED.set(str(error))


def delete(study_id: str) -> None:
    """Delete a study."""
    try:
        store().delete(study_id)
        select(None)
    except StudyError as error:
        _REFUSED.set(str(error))


def show_refusal() -> None:
    """Show why the last request was refused, once."""
    if message := _REFUSED.get():
        messages.show_refusal(message)
        _REFUSED.set("")
