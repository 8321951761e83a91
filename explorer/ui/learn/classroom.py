"""Class tools: a worksheet with its answer key, and a link that hides parts of a lesson.

The link is the page's address with two parameters: ``net``, the network as everywhere, and ``hide``
(:mod:`explorer.lessons.class_link`). It always leaves these tools out, on every page that the class then visits.
"""

from secrets import randbelow
from urllib.parse import urlencode

import streamlit as st

from explorer.analysis import summarize
from explorer.lessons.class_link import COMMON, TEACHER, to_text
from explorer.lessons.questions import BANK
from explorer.lessons.text import LessonText
from explorer.lessons.worksheet import MAX_QUESTIONS, MAX_SHEETS, Worksheet, worksheets
from explorer.serving.addresses import reachable_origin
from explorer.settings import class_link
from explorer.share import to_token
from explorer.ui import state
from explorer.ui.components.number import number_setting
from explorer.views import worksheet as sheets
from explorer.views.question_formats import PLATFORM_FORMATS, PlatformFormat

_TITLES = {
    "quiz": "test yourself",
    "answers": "reveal buttons of the test",
    "network": "back to the paper's network",
}
_SEED = "sheet_seed"
_MAX_SEED = 999_999
_COPIES_HELP = "How many different worksheets; the seeds follow one another."


def show_tools(lesson: LessonText) -> None:
    """Show the tools for a teacher in a popover."""
    with st.popover("For teachers", icon=":material/co_present:"):
        _show_link(lesson)
        st.divider()
        _show_worksheet(lesson.name)


def _show_link(lesson: LessonText) -> None:
    st.markdown(
        "**A link for the class** opens this page with the current network, without these class tools and without the "
        "selected parts, here and on every page that the class visits from it."
    )
    selected = st.multiselect(
        "Leave out",
        (*lesson.live, *(part for part in COMMON if part != TEACHER)),
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
    query[state.HIDDEN_PARAMETER] = to_text(frozenset(leave_out))
    root = class_link() or reachable_origin(st.context.url or "")
    return f"{root}/{page}?{urlencode(query, safe=',')}"


def _show_worksheet(topic: str) -> None:
    st.markdown(
        "**A worksheet** about the current network. The answer key is a second file. The same seed gives the same "
        "worksheet and key, so only the key names it."
    )
    with st.container(horizontal=True):
        topics = st.multiselect(
            "Lessons", list(BANK), [topic], key="sheet_topics", format_func=sheets.TOPICS.__getitem__
        )
        count = number_setting("Questions", "sheet_count", 8, 1, MAX_QUESTIONS, width=110)
        seed = number_setting("Seed", _SEED, randbelow(_MAX_SEED + 1), 0, _MAX_SEED, width=110)  # not to be guessed
        copies = number_setting("Sheets", "sheet_copies", 1, 1, MAX_SHEETS, width=110, help=_COPIES_HELP)
    file_format = st.segmented_control(
        "Format", list(sheets.FORMATS), default="HTML", required=True, key="sheet_format"
    )
    if not topics:
        st.caption("Select at least one lesson.")
        return
    summary, title = summarize(state.current().config), state.current_title()
    sheet, *others = worksheets(summary, title, tuple(topics), seed, count, copies)
    if not sheet.questions:
        st.caption("There is no question about the current network in these lessons: it has no auxiliary head.")
        return
    with st.container(horizontal=True):
        if others:
            _download_class("Worksheets", (sheet, *others), key=False)
            _download_class("Answer key", (sheet, *others), key=True)
        else:
            _download("Worksheet", sheet, file_format, key=False)
            _download("Answer key", sheet, file_format, key=True)
    if others:
        st.caption("Several sheets are one HTML file to print; their answer key is one table.")
    st.markdown("**The same questions for a learning platform**, with the mistakes as feedback.")
    with st.container(horizontal=True):
        for name, platform in PLATFORM_FORMATS.items():
            _download_questions(name, platform, sheet)


def _download(label: str, sheet: Worksheet, file_format: str, *, key: bool) -> None:
    render, suffix, mime = sheets.FORMATS[file_format]
    st.download_button(
        label,
        lambda: render(sheet, key=key),
        f"answer-key-{sheet.seed}.{suffix}" if key else f"worksheet.{suffix}",
        mime,
        key=f"sheet_{'key' if key else 'questions'}",
        icon=":material/key:" if key else ":material/print:",
        on_click="ignore",
    )


def _download_class(label: str, class_sheets: tuple[Worksheet, ...], *, key: bool) -> None:
    st.download_button(
        label,
        lambda: sheets.class_html(class_sheets, key=key),
        f"answer-key-{class_sheets[0].seed}.html" if key else "worksheets.html",
        "text/html",
        key=f"sheets_{'key' if key else 'questions'}",
        icon=":material/key:" if key else ":material/print:",
        on_click="ignore",
    )


def _download_questions(name: str, platform: PlatformFormat, sheet: Worksheet) -> None:
    st.download_button(
        name,
        lambda: platform.render(sheet.questions),
        f"questions.{platform.suffix}",
        platform.mime,
        key=f"sheet_{platform.suffix}",
        icon=":material/quiz:",
        on_click="ignore",
    )
