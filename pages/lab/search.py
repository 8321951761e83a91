"""Search for the best table at a cost: a lesson on recorded trainings, new studies, and all studies."""

import streamlit as st

from explorer.ui import studies
from explorer.ui.components.heading import show_page_heading
from explorer.ui.lab.search import history, replay, setup, study_view
from explorer.ui.studies import View


def choose_view() -> View:
    """Let the user choose between the recorded trainings, a new study, and the list of studies."""
    studies.sync_from_url()
    view: View | None = st.segmented_control(
        "View",
        list(studies.VIEWS),
        required=True,
        format_func=lambda view: studies.VIEWS[view],
        key=studies.VIEW_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    studies.write_url()
    studies.show_refusal()
    return view if view and view in studies.VIEWS else "replay"


show_page_heading("lab/search.py")
if studies.open_store():
    chosen = choose_view()
    if chosen == "replay":
        replay.show_replay()
    elif chosen == "new":
        setup.show_setup()
    elif selected := studies.selected():
        study_view.show_study(selected)
    else:
        history.show_history()
