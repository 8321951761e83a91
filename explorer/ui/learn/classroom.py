"""Class tools: the worksheet with its key, and the teacher's link, which hides chosen parts of a lesson.

The link is the page's address with two parameters: ``net``, the network as everywhere, and ``hide``, names of parts
separated by commas. Names that the page does not have are ignored, so a link can do no more than leave things out.
"""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from explorer.diff import changes
from explorer.lessons.questions import BANK
from explorer.lessons.text import LessonText
from explorer.lessons.worksheet import MAX_QUESTIONS, Worksheet, worksheet
from explorer.presets import CATALOGUE
from explorer.share import to_token
from explorer.ui import cache, state
from explorer.views import worksheet as sheets
from explorer.views.network_table import version_title

PARAMETER = "hide"
COMMON = ("quiz", "answers", "teacher", "network")
_HIDDEN = "lesson_hidden"
_TITLES = {
    "quiz": "test yourself",
    "answers": "reveal buttons of the test",
    "teacher": "these class tools",
    "network": "back to the paper's network",
}
_MAX_TEXT = 300


def hidden(page: str, known: tuple[str, ...]) -> frozenset[str]:
    """Return the parts that the link this page was opened with leaves out; the address keeps them for a reload."""
    held: dict[str, frozenset[str]] = st.session_state.setdefault(_HIDDEN, {})
    asked = st.query_params.get(PARAMETER)
    if asked is not None:
        held[page] = frozenset(asked[:_MAX_TEXT].split(",")) & frozenset(known)
    names = held.get(page, frozenset())
    if names and asked is None:
        st.query_params[PARAMETER] = ",".join(sorted(names))
    return names


def tools(lesson: LessonText) -> None:
    """Offer what a teacher needs, folded away."""
    with st.popover("For teachers", icon=":material/co_present:"):
        _link(lesson)
        st.divider()
        _worksheet(lesson.name)


def _link(lesson: LessonText) -> None:
    st.markdown("**A link for the class** opens this page with the present network and leaves parts out.")
    chosen = st.multiselect(
        "Leave out",
        (*lesson.live, *COMMON),
        key=f"leave_out_{lesson.name}",
        format_func=lambda name: _TITLES.get(name, name.replace("_", " ")),
        placeholder="nothing",
    )
    st.code(link(lesson.name, chosen), language=None, wrap_lines=True)


def link(page: str, leave_out: list[str]) -> str:
    """Return the address of a lesson with the present network and without the named parts."""
    query = {}
    if state.current() != state.DEFAULT:
        query[state.PARAMETER] = to_token(state.current())
    if leave_out:
        query[PARAMETER] = ",".join(sorted(leave_out))
    place = urlsplit(st.context.url or "")
    root = f"{place.scheme}://{place.netloc}" if place.netloc else ""
    return f"{root}/{page}" + (f"?{urlencode(query, safe=',')}" if query else "")


def _worksheet(topic: str) -> None:
    st.markdown("**A worksheet** about the present network, the same again from its seed; the key comes apart.")
    with st.container(horizontal=True):
        topics = st.multiselect("Lessons", list(BANK), [topic], key="sheet_topics", format_func=sheets.TOPICS.get)
        count = st.number_input("Questions", 1, MAX_QUESTIONS, 8, key="sheet_count", width=110)
        seed = st.number_input("Seed", 0, 999_999, 1, key="sheet_seed", width=110)
    form = st.segmented_control("Format", list(sheets.FORMATS), default="HTML", required=True, key="sheet_format")
    if not topics:
        st.caption("Choose at least one lesson.")
        return
    version = state.current()
    name = version_title(CATALOGUE[version.base].title, changes(version.base_config, version.config))
    sheet = worksheet(cache.summary(version.config), name, tuple(topics), seed, count)
    if not sheet.questions:
        st.caption("The present network has nothing to ask about there: it has no auxiliary head.")
        return
    with st.container(horizontal=True):
        _download("Worksheet", sheet, form, key=False)
        _download("Answer key", sheet, form, key=True)


def _download(label: str, sheet: Worksheet, form: str, *, key: bool) -> None:
    render, suffix, mime = sheets.FORMATS[form]
    st.download_button(
        label,
        lambda: render(sheet, key=key),
        f"{'key' if key else 'worksheet'}-{sheet.seed}.{suffix}",
        mime,
        key=f"sheet_{'key' if key else 'questions'}",
        icon=":material/key:" if key else ":material/print:",
        on_click="ignore",
    )
