"""Class tools: a worksheet with its answer key, and a link that hides parts of a lesson.

The link is the page's address with two parameters: ``net``, the network as everywhere, and ``hide``, names of parts
separated by commas. Unknown names are ignored, so a link can only leave out parts.
"""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer.analysis import summarize
from explorer.diff import find_changes
from explorer.lessons.questions import BANK
from explorer.lessons.text import LessonText
from explorer.lessons.worksheet import MAX_QUESTIONS, Worksheet, worksheet
from explorer.presets import CATALOGUE
from explorer.share import to_token
from explorer.ui import state
from explorer.ui.state import SessionValue
from explorer.views import worksheet as sheets
from explorer.views.network_table import version_title

PARAMETER = "hide"
COMMON = ("quiz", "answers", "teacher", "network")
OLD_NAMES = {  # of parts that links made by earlier versions may name
    "bench": "cost",
    "exchange": "branch",
    "slips": "mistakes",
    "ledger": "head_costs",
    "microscope": "gradients",
    "on_picture": "on_image",
    "without": "without_branch",
    "doctor": "input_size",
}
_HIDDEN = SessionValue[dict[str, frozenset[str]]]("lesson_hidden", {})
_TITLES = {
    "quiz": "test yourself",
    "answers": "reveal buttons of the test",
    "teacher": "these class tools",
    "network": "back to the paper's network",
}
_MAX_TEXT = 300


def hidden(page: str, known: tuple[str, ...]) -> frozenset[str]:
    """Return the parts that the link to this page leaves out; the address keeps them for a reload."""
    text = st.query_params.get(PARAMETER)
    if text is not None:
        requested = {OLD_NAMES.get(name, name) for name in text[:_MAX_TEXT].split(",")}
        _HIDDEN.set({**_HIDDEN.get(), page: frozenset(requested) & frozenset(known)})
    names = _HIDDEN.get().get(page, frozenset())
    if names and text is None:
        st.query_params[PARAMETER] = ",".join(sorted(names))
    return names


def show_tools(lesson: LessonText) -> None:
    """Show the tools for a teacher in a popover."""
    with st.popover("For teachers", icon=":material/co_present:"):
        _show_link(lesson)
        st.divider()
        _show_worksheet(lesson.name)


def _show_link(lesson: LessonText) -> None:
    st.markdown("**A link for the class** opens this page with the current network and without the selected parts.")
    selected = st.multiselect(
        "Leave out",
        (*lesson.live, *COMMON),
        key=f"leave_out_{lesson.name}",
        format_func=lambda name: _TITLES.get(name, name.replace("_", " ")),
        placeholder="nothing",
    )
    st.code(link(lesson.name, selected), language=None, wrap_lines=True)


def link(page: str, leave_out: list[str]) -> str:
    """Return the address of a lesson with the current network and without the named parts."""
    query = {}
    if state.current() != state.DEFAULT:
        query[state.NETWORK_PARAMETER] = to_token(state.current())
    if leave_out:
        query[PARAMETER] = ",".join(sorted(leave_out))
    url = urlsplit(st.context.url or "")
    root = f"{url.scheme}://{url.netloc}" if url.netloc else ""
    return f"{root}/{page}" + (f"?{urlencode(query, safe=',')}" if query else "")


def _show_worksheet(topic: str) -> None:
    st.markdown(
        "**A worksheet** about the current network. The same seed gives the same worksheet. "
        "The answer key is a second file."
    )
    with st.container(horizontal=True):
        topics = st.multiselect(
            "Lessons", list(BANK), [topic], key="sheet_topics", format_func=sheets.TOPICS.__getitem__
        )
        count = st.number_input("Questions", 1, MAX_QUESTIONS, 8, key="sheet_count", width=110)
        seed = st.number_input("Seed", 0, 999_999, 1, key="sheet_seed", width=110)
    file_format = st.segmented_control(
        "Format", list(sheets.FORMATS), default="HTML", required=True, key="sheet_format"
    )
    if not topics:
        st.caption("Select at least one lesson.")
        return
    version = state.current()
    name = version_title(CATALOGUE[version.base].title, find_changes(version.base_config, version.config))
    sheet = worksheet(summarize(version.config), name, tuple(topics), seed, count)
    if not sheet.questions:
        st.caption("There is no question about the current network in these lessons: it has no auxiliary head.")
        return
    with st.container(horizontal=True):
        _download("Worksheet", sheet, file_format, key=False)
        _download("Answer key", sheet, file_format, key=True)


def _download(label: str, sheet: Worksheet, file_format: str, *, key: bool) -> None:
    render, suffix, mime = sheets.FORMATS[file_format]
    st.download_button(
        label,
        lambda: render(sheet, key=key),
        f"{'key' if key else 'worksheet'}-{sheet.seed}.{suffix}",
        mime,
        key=f"sheet_{'key' if key else 'questions'}",
        icon=":material/key:" if key else ":material/print:",
        on_click="ignore",
    )
