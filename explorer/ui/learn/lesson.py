"""The frame of a lesson: its text with the live parts beside it, the quiz, the class tools and the way on.

A control answers by drawing its own part again, not the page. Only what the parts share with the rest of the page, the
network and the score, has all of it drawn again.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import call
from typing import NamedTuple

import streamlit as st

from explorer.history import Version
from explorer.lessons.text import LessonError, LessonText, read
from explorer.ui import state
from explorer.ui.frame import let_browser_draw
from explorer.ui.learn import classroom, quiz
from explorer.ui.navigation import PAGES

Part = Callable[[], None]


class Section(NamedTuple):
    """A stretch of text and what draws the live part after it; either may be missing. ``wide`` puts it below."""

    text: str
    part: str = ""
    draw: Part | None = None
    wide: bool = False


def show(name: str, parts: Mapping[str, Part], follows: str, together: tuple[str, ...] = ()) -> None:
    """Show a lesson. ``parts`` draw its live parts by name; ``follows`` says what of it follows the present network.

    The parts named in ``together``, neighbours in the text, show one choice: a control of one draws all of them.
    """
    try:
        lesson = read(name)
    except LessonError as error:
        st.error(str(error), icon=":material/description:")
        return
    hidden = classroom.hidden(name, (*lesson.live, *classroom.COMMON))
    sections = list(_sections(lesson, {part: draw for part, draw in parts.items() if part not in hidden}))
    with st.container(key="lesson"):
        _head(lesson, follows, hidden)
        for joined, neighbours in groupby(sections, key=lambda section: section.part in together):
            _stretch(tuple(neighbours), joined=joined)
        if "quiz" not in hidden:
            _alone(lambda: quiz.quiz(name, reveal="answers" not in hidden))
        with st.container(horizontal=True, vertical_alignment="center", key="lesson_end"):
            if "teacher" not in hidden:
                _alone(lambda: classroom.tools(lesson))
            st.space("stretch")
            _next(name)


def _alone(draw: Part) -> None:
    """Draw something whose controls run it alone. Where one has changed what is shared, the whole page follows."""
    shown = _shared()

    @st.fragment
    def part() -> None:
        draw()
        if _shared() != shown:
            let_browser_draw()
            st.rerun()

    part()


def _shared() -> tuple[Version, int]:
    """Return what parts share with the rest of the page: the network, and how many questions were answered."""
    return state.current(), quiz.answered()


def _head(lesson: LessonText, follows: str, hidden: frozenset[str]) -> None:
    # Headings are Markdown everywhere here: Streamlit draws st.title and st.subheader anew at each run, 2 ms for each.
    st.markdown(f"# {lesson.title}\n\n**You will learn** {lesson.goal} :small[about {lesson.minutes} minutes]")
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head"):
        st.caption(follows, width="content")
        if state.current() != state.DEFAULT and "network" not in hidden:
            st.button(
                "Back to the paper's network",
                icon=":material/restart_alt:",
                on_click=state.start_from,
                args=(state.DEFAULT.base,),
                type="tertiary",
                help="Undo leads back to yours.",
            )
        quiz.score()


def _sections(lesson: LessonText, parts: Mapping[str, Part]) -> Iterator[Section]:
    """Pair each stretch of text with the live part that comes after it."""
    text = ""
    for block in lesson.blocks:
        if block.kind == "text":
            text = block.content
        else:
            yield Section(text, block.content, parts.get(block.content), block.kind == "wide")
            text = ""
    if text:
        yield Section(text)


def _stretch(sections: tuple[Section, ...], *, joined: bool) -> None:
    """Show neighbours, each part by itself or all that are ``joined`` as one."""
    if not joined:
        for section in sections:
            _show(section, _alone)
        return

    def draw_all() -> None:
        for section in sections:
            _show(section, call)

    _alone(draw_all)


def _show(section: Section, drawn: Callable[[Part], None]) -> None:
    """Put the words left and a live part right, or a wide one below; words alone stay narrow."""
    words = section.text.strip()
    if section.draw and words and not section.wide:
        left, right = st.columns([5, 8], gap="large")
        left.markdown(words)
        with right, st.container(key=f"part_{section.part}"):
            drawn(section.draw)
        return
    if words:
        st.markdown(words, width=760)
    if section.draw:
        with st.container(key=f"part_{section.part}"):
            drawn(section.draw)


def _next(name: str) -> None:
    """Lead to the lesson after this one in the menu, and from the last one to the network."""
    lessons = PAGES["Learn"]
    after = [entry.file for entry in lessons].index(f"learn/{name}.py") + 1
    entry = lessons[after] if after < len(lessons) else PAGES["Explore"][0]
    st.page_link(f"pages/{entry.file}", label=f"Next: {entry.title}", icon=":material/arrow_forward:")
