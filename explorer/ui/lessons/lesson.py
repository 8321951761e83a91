"""The frame of a lesson: its text with the live parts beside it, the quiz, the class tools and the way on."""

from collections.abc import Callable, Iterator, Mapping

import streamlit as st

from explorer.lessons.text import Block, LessonError, LessonText, read
from explorer.ui import state
from explorer.ui.lessons import classroom, quiz
from explorer.ui.navigation import PAGES

Part = Callable[[], None]


def show(name: str, parts: Mapping[str, Part], follows: str) -> None:
    """Show a lesson. ``parts`` draw its live parts by name; ``follows`` says what of it follows the present network."""
    try:
        lesson = read(name)
    except LessonError as error:
        st.error(str(error), icon=":material/description:")
        return
    hidden = classroom.hidden(name, (*lesson.live, *classroom.COMMON))
    with st.container(key="lesson"):
        _head(lesson, follows, hidden)
        for text, live in _sections(lesson):
            shown = live is not None and live.content not in hidden
            _section(text, live, parts.get(live.content) if shown else None)
        if "quiz" not in hidden:
            quiz.quiz(name, reveal="answers" not in hidden)
        with st.container(horizontal=True, vertical_alignment="center", key="lesson_end"):
            if "teacher" not in hidden:
                classroom.tools(lesson)
            st.space("stretch")
            _next(name)


def _head(lesson: LessonText, follows: str, hidden: frozenset[str]) -> None:
    st.title(lesson.title, anchor=False)
    st.markdown(f"**You will learn** {lesson.goal} :small[about {lesson.minutes} minutes]")
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head"):
        st.caption(follows, width="content")
        if state.present() != state.DEFAULT and "network" not in hidden:
            st.button(
                "Back to the paper's network",
                icon=":material/restart_alt:",
                on_click=state.start_from,
                args=(state.DEFAULT.base,),
                type="tertiary",
                help="Undo leads back to yours.",
            )
        quiz.score()


def _sections(lesson: LessonText) -> Iterator[tuple[str, Block | None]]:
    """Pair each stretch of text with the live part that comes after it; either may be missing."""
    text = ""
    for block in lesson.blocks:
        if block.kind == "text":
            text = block.content
        else:
            yield text, block
            text = ""
    if text:
        yield text, None


def _section(text: str, live: Block | None, draw: Part | None) -> None:
    """Put the heading above, the words left and a live part right, or a wide one below; words alone stay narrow."""
    heading, _, rest = text.partition("\n") if text.startswith("## ") else ("", "", text)
    if heading:
        st.subheader(heading.removeprefix("## "), anchor=False)
    words = rest.strip()
    if draw and words and live.kind == "live":
        left, right = st.columns([5, 8], gap="large")
        left.markdown(words)
        with right, st.container(key=f"part_{live.content}"):
            draw()
        return
    if words:
        st.markdown(words, width=760)
    if draw:
        with st.container(key=f"part_{live.content}"):
            draw()


def _next(name: str) -> None:
    """Lead to the lesson after this one in the menu, and from the last one to the network."""
    lessons = PAGES["Learn"]
    after = [entry.file for entry in lessons].index(f"learn/{name}.py") + 1
    entry = lessons[after] if after < len(lessons) else PAGES["Explore"][0]
    st.page_link(f"pages/{entry.file}", label=f"Next: {entry.title}", icon=":material/arrow_forward:")
