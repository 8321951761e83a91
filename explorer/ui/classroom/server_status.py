"""The server in figures, its runs, and the end of the class."""

from typing import TYPE_CHECKING

import streamlit as st

from explorer.classroom.records import ClassError, News
from explorer.runs.records import ACTIVE
from explorer.runs.schema import StoreError
from explorer.serving.usage import USAGE
from explorer.ui import runs
from explorer.ui.classroom import session
from explorer.ui.navigation import PAGES
from explorer.views import formatting as fmt

if TYPE_CHECKING:
    from explorer.classroom.store import ClassStore

_POLL_S = 2
_CLOSED = "teach_closed"


def show(current: News) -> None:
    """Show the figures, and what the teacher can stop."""
    _show_figures()
    with st.container(horizontal=True):
        st.button(
            "Pause all runs", icon=":material/pause:", key="teach_pause", on_click=session.act, args=(_pause_running,)
        )
        st.button(
            "Clear the queue",
            icon=":material/clear_all:",
            key="teach_clear",
            on_click=session.act,
            args=(_clear_queue,),
        )
        st.link_button("Votes (CSV)", "/class/results.csv", icon=":material/download:")
    _close_pages(current)
    with st.container(border=True, key="class_end"):
        st.markdown(
            "**End the class.** Its members, nicknames, votes and hand-ins are deleted at once and for good. Save the "
            f"votes first. Nobody can join with **{current.classroom.code}** afterwards."
        )
        is_sure = st.checkbox("I have saved what I need", key="teach_sure")
        st.button(
            "End the class",
            icon=":material/delete_forever:",
            key="teach_end",
            disabled=not is_sure,
            on_click=session.act,
            args=(lambda store, classroom: store.close_class(classroom),),
        )


def _close_pages(current: News) -> None:
    """Let the teacher choose the pages that are closed to everyone else on this server."""
    titles = {entry.file: entry.title for section in PAGES.values() for entry in section}
    st.session_state[_CLOSED] = [file for file in titles if file in current.classroom.closed_pages]
    st.multiselect(
        "Pages that are closed to students",
        list(titles),
        format_func=titles.__getitem__,
        key=_CLOSED,
        placeholder="None: all pages are open",
        on_change=session.act,
        args=(_set_closed,),
        help="What students have begun there, such as runs, goes on.",
    )


def _set_closed(store: "ClassStore", classroom: int) -> None:
    store.guidance.close_pages(classroom, st.session_state[_CLOSED])


@st.fragment(run_every=_POLL_S)
def _show_figures() -> None:
    figures = USAGE.report()
    try:
        active = runs.store().runs(ACTIVE)
    except (StoreError, ClassError) as error:
        st.warning(fmt.markdown(str(error)), icon=":material/folder_off:")
        return
    running = sum(run.state == "running" for run in active)
    with st.container(horizontal=True):
        for label, value, help_text in (
            ("browser tabs", f"{figures['sessions']:.0f}", "Open now, yours included."),
            ("runs", f"{running}", "Training now."),
            ("runs that wait", f"{len(active) - running}", None),
            ("memory", f"{figures['memory_mb']:,.0f} MB", "Of the server, without the processes of runs."),
            ("delay", f"{figures['delay_ms']:.0f} ms", "95 % of the last minute: how late the server answers."),
            ("refused", f"{figures['refused']:.0f}", "Requests and messages over a limit, since the start."),
        ):
            st.metric(label, value, width=150, help=help_text)


def _pause_running(*_: object) -> None:
    for run in runs.store().runs(("running",)):
        runs.manager().pause(run.id, confirmed=True)


def _clear_queue(*_: object) -> None:
    for run in runs.store().runs(("queued",)):
        runs.manager().cancel(run.id, confirmed=True)
