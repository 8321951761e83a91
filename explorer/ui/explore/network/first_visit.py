"""The heading of the page: on a first visit what this is and what to do first; later, what the edits changed."""

import streamlit as st

from explorer.analysis import summarize
from explorer.presets import CATALOGUE
from explorer.ui import state
from explorer.ui.components.heading import show_heading
from explorer.ui.navigation import PAGES
from explorer.views.edit_summary import edit_summary

_WELCOME = (
    "See what every layer of GoogLeNet computes and costs, and what one changed number does to all the others.  \n"
    "**Change a number:** in row 4a, click the cell #3×3, type 300 and press Enter."
)


def _is_first_visit() -> bool:
    """Whether nothing has been edited or opened by a link yet."""
    history = state.history()
    return state.current() == state.DEFAULT and not history.past and not history.future


def show() -> None:
    """Show the title of the page and, beside it, the welcome with a link to the first lesson, or the edits."""
    if not _is_first_visit():
        show_heading("Network", _edit_summary())
        return
    lesson = PAGES["Learn"][0]
    with show_heading("Network", _WELCOME):
        st.page_link(f"pages/{lesson.file}", label=f"Lesson 1: {lesson.title}", icon=":material/school:")


def _edit_summary() -> str:
    version = state.current()
    return edit_summary(CATALOGUE[version.base].title, summarize(version.config), summarize(version.base_config))
