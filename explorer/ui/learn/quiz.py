"""Predict, then reveal: questions with a reason for every answer, and the session's score.

The first answer to a question counts and stays; what was answered is kept by the question itself, so going away and
coming back, or editing the network and undoing it, loses nothing.
"""

from secrets import randbelow
from zlib import crc32

import streamlit as st

from explorer.lessons.openings import opening
from explorer.lessons.questions import Question, questions
from explorer.ui import cache, state
from explorer.views import formatting as fmt

_ANSWERS, _NUMBER = "quiz_answers", "quiz_number"
COUNT = 5


def _answers() -> dict[Question, int]:
    return st.session_state.setdefault(_ANSWERS, {})


def answered() -> int:
    """Return how many questions of this session were answered."""
    return len(_answers())


def score() -> None:
    """Show how many questions of this session were answered, and how many rightly; nothing before the first."""
    given = _answers()
    if given:
        right = sum(question.value == answer for question, answer in given.items())
        st.badge(f"{right} of {len(given)} right", icon=":material/school:", color="blue")


def predict(topic: str) -> None:
    """Ask the lesson's opening question, before anything was tried."""
    with st.container(border=True, key="predict"):
        st.markdown(":material/psychology: **Predict first**")
        ask(opening(topic), "opening")


def quiz(topic: str, *, reveal: bool) -> None:
    """Ask questions about the present network, others for each student's number."""
    st.markdown("## Test yourself")
    st.session_state.setdefault(_NUMBER, 1_000 + randbelow(9_000))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            "Your number",
            key=_NUMBER,
            min_value=0,
            max_value=999_999,
            step=1,
            width=150,
            persist_state="session",
            help="The same number and network give the same questions again.",
        )
        found = questions(cache.summary(state.current().config), topic, number, COUNT)
        if not found:
            st.info("The present network has nothing to ask about here: it has no auxiliary head.")
            return
        which = st.segmented_control(
            "Question",
            range(len(found)),
            default=0,
            required=True,
            format_func=lambda place: f"{place + 1}{_mark(found[place])}",
            key=f"quiz_{topic}_which",
        )
    st.caption("Made from the present network. Wrong options are mistakes that are really made.")
    with st.container(border=True, width=760, key="question"):
        ask(found[min(which, len(found) - 1)], f"quiz_{topic}", reveal=reveal)


def _mark(question: Question) -> str:
    answer = _answers().get(question)
    return "" if answer is None else " ✓" if answer == question.value else " ✗"


def ask(question: Question, key: str, *, reveal: bool = True) -> None:
    """Show a question with its options; after the answer, whether it was right, and why."""
    given = _answers().get(question)
    identity = f"{key}_{crc32(question.text.encode())}"
    choice = st.radio(
        question.text,
        question.options,
        index=None if given is None else question.options.index(given),
        format_func=lambda option: f"{fmt.exact(option)} {question.unit}",
        key=identity,
        disabled=given is not None,
        horizontal=True,
    )
    if not reveal:
        return
    if given is None:
        st.button(
            "Reveal",
            icon=":material/visibility:",
            key=f"{identity}_reveal",
            on_click=_answer,
            args=(question, choice),
            disabled=choice is None,
        )
        return
    _explain(question, given)


def _answer(question: Question, choice: int) -> None:
    if choice in question.options:
        _answers().setdefault(question, choice)


def _explain(question: Question, given: int) -> None:
    worked = f"{question.formula} = {fmt.exact(question.value)} {question.unit}"
    if given == question.value:
        st.success(f"**Right.** {question.why}  \n{worked}", icon=":material/check:")
        return
    mistake = question.mistakes[question.options.index(given)]
    st.error(
        f"**Not quite.** {fmt.exact(given)}: you {mistake}.  \n{question.why}  \n{worked}",
        icon=":material/close:",
    )
