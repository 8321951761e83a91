"""Train a network, race several, and view the history of runs."""

import streamlit as st

from explorer.paths import ASSETS
from explorer.ui import runs
from explorer.ui.components.browser_token import store_browser_token
from explorer.ui.components.heading import show_page_heading
from explorer.ui.lab.train import drafts, history, run_view, samples, setup
from explorer.ui.runs import View


def choose_view() -> View:
    """Let the user choose between one network, a race, and the history of runs."""
    runs.sync_from_url()
    view: View | None = st.segmented_control(
        "View",
        list(runs.VIEWS),
        required=True,
        format_func=lambda view: runs.VIEWS[view],
        key=runs.VIEW_KEY,
        label_visibility="collapsed",
        persist_state="session",
    )
    runs.write_url()
    runs.show_refusal(runs.RUN_PARAMETER)
    return view if view and view in runs.VIEWS else "one"


def show_run_or_start(view: View) -> None:
    """Show the settings on the left; on the right the selected run, or what helps to start one."""
    run = runs.selected_run(view)
    with st.container(key="train_with_run" if run else "train_without_run"):
        left, right = st.columns([1, 2.6], gap="medium")
    with left:
        dataset = setup.show_setup(view)
    with right:
        if run:
            st.button(
                "Questions to race" if view == "race" else "Images",
                icon=":material/arrow_back:",
                key="train_close_run",
                type="tertiary",
                on_click=runs.deselect_run,
                args=(view,),
                help="The run continues; it is in the history.",
            )
            run_view.show_run(run.id)
        elif view == "race":
            st.markdown("## Questions to race")
            st.markdown("One click starts a race; or choose your own networks and press **Race**.")
            setup.show_questions(view)
        else:
            st.markdown("## Training images")
            st.markdown("Press **Train**, and the curves grow here.")
            if dataset:
                samples.show_preview(drafts.get_draft(view).data, dataset)


show_page_heading("lab/train.py")
if runs.open_store():
    store_browser_token()
    st.html(ASSETS / "train.css")
    chosen = choose_view()
    if chosen == "history":
        history.show_history()
    else:
        show_run_or_start(chosen)
