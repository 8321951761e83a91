"""Predict, then reveal: questions with an explanation of every answer, and the session's score.

The first answer to a question counts and stays. Answers are stored by the question itself, so leaving the page, or
editing the network and undoing it, loses none.
"""

from secrets import randbelow
from zlib import crc32

import streamlit as st

from explorer.analysis import summarize
from explorer.lessons.openings import opening_question
from explorer.lessons.question import Question
from explorer.lessons.questions import BANK, questions
from explorer.lessons.text import PREDICTION
from explorer.ui import state
from explorer.ui.classroom import lesson_votes
from explorer.ui.components.number import number_setting
from explorer.ui.state import SessionValue
from explorer.views import formatting as fmt

_ANSWERS, _NUMBER = "quiz_answers", "quiz_number"
_SKIPPED = SessionValue[frozenset[str]]("skipped_openings", frozenset())
COUNT = 5


def _answers() -> dict[Question, int]:
    answers: dict[Question, int] = st.session_state.setdefault(_ANSWERS, {})
    return answers


def progress() -> tuple[int, int]:
    """Return how many questions this session has answered, and how many it has skipped."""
    return len(_answers()), len(_SKIPPED.get())


def show_score() -> None:
    """Show how many answers of this session are correct; nothing before the first one."""
    answers = _answers()
    if answers:
        correct = sum(question.value == answer for question, answer in answers.items())
        st.badge(f"{correct} of {len(answers)} correct in all lessons", icon=":material/school:", color="blue")


def predict(topic: str) -> None:
    """Ask the lesson's opening question, before the reader tries anything; the reader may skip it."""
    with st.container(border=True, key="predict"):
        st.markdown(":material/psychology: **Predict first**")
        ask(opening_question(topic), "opening")
        if not _has_predicted(topic):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption("The lesson continues after your answer.", width="content")
                st.button("Skip the question", key="predict_skip", on_click=_skip, args=(topic,), type="tertiary")


def is_open(topic: str) -> bool:
    """Whether a lesson may show the answer to its opening question: that was answered or skipped, or is not asked."""
    return PREDICTION in state.hidden_parts() or _has_predicted(topic)


def is_answer_awaited(topic: str, *numbers: int) -> bool:
    """Whether one of the numbers is the answer that the reader of this lesson still looks for.

    ``topic`` may be the address of any page.
    """
    return topic in BANK and not is_open(topic) and opening_question(topic).value in numbers


def _has_predicted(topic: str) -> bool:
    return topic in _SKIPPED.get() or opening_question(topic) in _answers()


def _skip(topic: str) -> None:
    _SKIPPED.set(_SKIPPED.get() | {topic})


def show_quiz(topic: str, *, reveal: bool) -> None:
    """Ask questions about the current network, different ones for each student's number."""
    st.markdown("## Test yourself")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = number_setting(
            "Your number",
            _NUMBER,
            1_000 + randbelow(9_000),
            0,
            999_999,
            width=150,
            help="The same number and network give the same questions again.",
        )
        found = questions(summarize(state.current().config), topic, number, COUNT)
        if not found:
            st.info("There is no question about the current network here: it has no auxiliary head.")
            return
        index = st.segmented_control(
            "Question",
            range(len(found)),
            default=0,
            required=True,
            format_func=lambda index: f"{index + 1}{_mark(found[index])}",
            key=f"quiz_{topic}_which",
        )
    st.caption("Made from the current network. The wrong options are common mistakes.")
    with st.container(border=True, key="question"):
        ask(found[min(index, len(found) - 1)], f"quiz_{topic}", reveal=reveal)


def _mark(question: Question) -> str:
    answer = _answers().get(question)
    return "" if answer is None else " ✓" if answer == question.value else " ✗"


def ask(question: Question, key: str, *, reveal: bool = True) -> None:
    """Show a question with its options; after the answer, whether it is correct, and why."""
    answer = _answers().get(question)
    identity = f"{key}_{crc32(question.text.encode())}"
    choice = st.radio(
        question.text,
        question.options,
        index=None if answer is None else question.options.index(answer),
        format_func=lambda option: f"{fmt.exact(option)} {question.unit}",
        key=identity,
        disabled=answer is not None,
        horizontal=True,
    )
    if not reveal:
        return
    if answer is None:
        st.button(
            "Reveal",
            icon=":material/visibility:",
            key=f"{identity}_reveal",
            on_click=_record,
            args=(question, choice),
            disabled=choice is None,
        )
        return
    _explain(question, answer)


def _record(question: Question, choice: int) -> None:
    if choice in question.options:
        _answers().setdefault(question, choice)
        lesson_votes.cast_if_open(question, question.options.index(choice))


def _explain(question: Question, answer: int) -> None:
    working = f"{question.formula} = {fmt.exact(question.value)} {question.unit}"
    if answer == question.value:
        st.success(f"**Correct.** {question.why}  \n{working}", icon=":material/check:")
        return
    mistake = question.mistakes[question.options.index(answer)]
    st.error(
        f"**Not quite.** {fmt.exact(answer)}: you {mistake}.  \n{question.why}  \n{working}",
        icon=":material/close:",
    )
