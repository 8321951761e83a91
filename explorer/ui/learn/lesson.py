"""The frame of a lesson: its text with the live parts beside it, the quiz, the class tools, and the next lesson.

What may give the answer to the opening question is shown after the reader has answered or skipped it. A control redraws
its own part only. A change of what the parts share with the page (network, answers) redraws the whole page.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from operator import call
from typing import NamedTuple
from zlib import crc32

import streamlit as st

from explorer.history import Version
from explorer.lessons.text import Block, LessonError, LessonText, read
from explorer.ui import state
from explorer.ui.components.heading import show_heading
from explorer.ui.components.hero import show_hero
from explorer.ui.components.one_number_link import link_to_one_number
from explorer.ui.learn import classroom, quiz
from explorer.ui.navigation import PAGES
from explorer.ui.streamlit_workarounds import fragment, let_browser_draw
from explorer.views.heroes.timeline import Hero

Part = Callable[[], None]
_ONE_NUMBER = {  # the layer that suits a lesson, of the network that comes with the app
    "reduction": "inception_4b.branch_5x5.reduce",
    "auxiliary": "aux_4a.classifier",
    "which_googlenet": "inception_4a.branch_5x5.conv",
    "receptive_field": "inception_5b.branch_5x5.conv",
}


class Section(NamedTuple):
    """Text and the function that draws the live part after it; either may be missing. ``wide`` puts the part below."""

    text: str
    part: str = ""
    draw: Part | None = None
    wide: bool = False


def show(
    name: str, hero: Callable[[bool], Hero], parts: Mapping[str, Part], note: str, together: tuple[str, ...] = ()
) -> None:
    """Show a lesson. ``parts`` draw its live parts by name; ``note`` tells which parts show the current network.

    ``hero`` returns the moving picture at its top; with True it may give the answer to the first question.
    The parts named in ``together``, neighbours in the text, share one choice: a control of one redraws all of them.
    """
    try:
        lesson = read(name)
    except LessonError as error:
        st.error(str(error), icon=":material/description:")
        return
    hidden = state.hidden_parts()
    is_open = quiz.is_open(name)
    blocks = lesson.blocks if is_open else lesson.opening
    sections = list(_sections(blocks, {part: draw for part, draw in parts.items() if part not in hidden}))
    with st.container(key="lesson"):
        _show_head(lesson, note, hidden)
        show_hero(hero(is_open), name)
        for is_joined, neighbours in groupby(sections, key=lambda section: section.part in together):
            _show_sections(tuple(neighbours), is_joined=is_joined)
        if is_open and "quiz" not in hidden:
            _run_as_fragment(lambda: quiz.show_quiz(name, reveal="answers" not in hidden))
        with st.container(horizontal=True, vertical_alignment="center", key="lesson_end"):
            if "teacher" not in hidden:
                _run_as_fragment(lambda: classroom.show_tools(lesson))
            st.space("stretch")
            link_to_one_number(_ONE_NUMBER[name], "mini_fashion_mnist")
            _show_next(name)


def _run_as_fragment(draw: Part) -> None:
    """Draw a part as a fragment. When one of its controls changes shared state, the whole page runs again."""
    before = _shared()

    @fragment
    def part() -> None:
        draw()
        if _shared() != before:
            let_browser_draw()
            st.rerun()

    part()


def _shared() -> tuple[Version, object]:
    """Return the state that parts share with the page: the network, and what the reader has answered or skipped."""
    return state.current(), quiz.progress()


def _show_head(lesson: LessonText, note: str, hidden: frozenset[str]) -> None:
    show_heading(lesson.title, f"**You will learn** {lesson.goal} :small[About {lesson.minutes} minutes.]")
    with st.container(horizontal=True, vertical_alignment="center", key="lesson_head"):
        st.caption(note, width="content")
        if state.current() != state.DEFAULT and "network" not in hidden:
            st.button(
                "Back to the paper's network",
                icon=":material/restart_alt:",
                on_click=state.load_preset,
                args=(state.DEFAULT.base,),
                type="tertiary",
                help="Undo restores yours.",
            )
        quiz.show_score()


def _sections(blocks: Iterable[Block], parts: Mapping[str, Part]) -> Iterator[Section]:
    """Pair each text with the live part after it."""
    text = ""
    for block in blocks:
        if block.kind == "text":
            text = block.content
        else:
            yield Section(text, block.content, parts.get(block.content), block.kind == "wide")
            text = ""
    if text:
        yield Section(text)


def _show_sections(sections: tuple[Section, ...], *, is_joined: bool) -> None:
    """Show neighbours, each part as a fragment, or all in one if they are joined."""
    if not is_joined:
        for section in sections:
            _show_section(section, _run_as_fragment)
        return

    def draw_all() -> None:
        for section in sections:
            _show_section(section, call)

    _run_as_fragment(draw_all)


def _show_section(section: Section, run: Callable[[Part], None]) -> None:
    """Show the text left and a live part right, or a wide part below the text; text without a part stays narrow."""
    text = section.text.strip()
    if section.draw and text and not section.wide:
        left, right = st.columns([5, 8], gap="large")
        left.markdown(text)
        with right, st.container(key=f"part_{section.part}"):
            run(section.draw)
        return
    if text:
        with st.container(key=f"text_{crc32(text.encode())}"):
            st.markdown(text)
    if section.draw:
        with st.container(key=f"part_{section.part}"):
            run(section.draw)


def _show_next(name: str) -> None:
    """Link to the next lesson in the menu, and from the last one to the network."""
    lessons = PAGES["Learn"]
    index = [entry.file for entry in lessons].index(f"learn/{name}.py") + 1
    entry = lessons[index] if index < len(lessons) else PAGES["Explore"][0]
    st.page_link(f"pages/{entry.file}", label=f"Next: {entry.title}", icon=":material/arrow_forward:")
