"""What a member of a class sees on every page: the question of the moment, and where the teacher leads.

It is one fragment, so that a vote or news cost a run of this panel and not of the page.
"""

from time import monotonic
from typing import NamedTuple

import streamlit as st

from explorer.classroom.records import ClassError, Member, News, Poll
from explorer.history import Version
from explorer.lessons.question import Question
from explorer.paths import ASSETS
from explorer.share import ShareError, from_token
from explorer.ui import messages, state
from explorer.ui.classroom import session
from explorer.ui.classroom.handing_in import offer_hand_in
from explorer.ui.navigation import sections
from explorer.ui.state import SessionValue
from explorer.views.class_votes import option_text, vote_bars

_PROGRESS_S = 15  # an edit is recorded at most so often; another page at once


class OwnPlace(NamedTuple):
    """Where a member was before following the teacher."""

    page: str
    version: Version


_FOLLOWED = SessionValue("class_followed", 0)  # the number of the last call
_OWN_PLACE = SessionValue[OwnPlace | None]("class_own_place", None)
_IS_CLOSED = SessionValue("class_page_closed", False)  # what the last run of the page found
_PROGRESS = SessionValue[tuple[float, str, int, Version | None]]("class_progress", (0.0, "", 0, None))
_watch_news = st.components.v2.component(
    "class_news", html="<span></span>", js=(ASSETS / "class" / "news.js").read_text("utf-8")
)


def show_panel(page: str, answers: int) -> None:
    """Show the panel of the class on a page, named by its file, if this visitor has joined a class.

    ``answers`` is how many questions this session has answered.
    """
    if not session.is_class_server():
        return
    try:
        found = session.member()
        current = session.news(found.classroom) if found else None
    except ClassError as error:
        st.warning(str(error), icon=":material/cloud_off:")
        return
    if found is None or current is None:
        return
    _follow(current, page)
    _record_progress(found, page, answers)
    st.html(ASSETS / "class" / "class.css")
    _panel(page)


def is_open(page: str) -> bool:
    """Whether a page, by its file, is open to this visitor; if not, say so in its place."""
    _IS_CLOSED.set(session.is_closed(page))
    if _IS_CLOSED.get():
        st.info("Your teacher has closed this page for now.", icon=":material/lock:")
    return not _IS_CLOSED.get()


@st.fragment
def _panel(page: str) -> None:
    try:
        found = session.member()
        current = session.news(found.classroom) if found else None
        if found is None or current is None:
            st.info("The class has ended. All its votes and nicknames are deleted.", icon=":material/school:")
            return
        if _has_new_target(current) or session.is_closed(page) != _IS_CLOSED.get():
            st.rerun()
        if session.problem():
            messages.show_refusal(session.problem())
        _show_way_back(current)
        if current.poll:
            _show_poll(current.poll, found)
        if current.classroom.is_collecting:
            offer_hand_in()
        _watch_news(
            key="class_news", data={"version": current.classroom.version}, on_news_change=lambda: None, height=1
        )
    except ClassError as error:
        st.warning(str(error), icon=":material/cloud_off:")


# ── the question of the moment ───────────────────────────────────────────────────────────────────────────────────────


def _show_poll(poll: Poll, found: Member) -> None:
    own = session.store().polls.own_votes(found.number, poll.number)
    with st.container(border=True, key="class_poll"):
        if poll.is_open:
            _ask(poll, own.get(poll.round))
        elif not poll.is_revealed:
            st.markdown(f"**{poll.question.text}**")
            st.caption(f"The vote has ended. {_own_text(poll.question, own)}")
        else:
            _explain(poll, own)


def _ask(poll: Poll, own: int | None) -> None:
    heading = "Your class votes" if poll.round == 1 else "Your class votes again"
    st.markdown(f":material/how_to_vote: **{heading}**")
    key = f"class_vote_{poll.number}_{poll.round}"
    st.radio(
        poll.question.text,
        range(len(poll.question.options)),
        index=own,
        format_func=lambda option: option_text(poll.question, option),
        key=key,
        horizontal=True,
        on_change=_vote,
        args=(poll, key),
    )
    if own is None:
        st.caption("A click votes. You can change your vote until the vote ends.")
    else:
        st.caption(f"Your vote is {option_text(poll.question, own)}. You can change it until the vote ends.")


def _vote(poll: Poll, key: str) -> None:
    """Cast the vote that was clicked: one run, which matters when two hundred click at once."""
    choice = st.session_state[key]
    if isinstance(choice, int):
        session.act_as_member(lambda store, member: store.polls.vote(member.number, poll.number, poll.round, choice))


def _explain(poll: Poll, own: dict[int, int]) -> None:
    question = poll.question
    st.markdown(f"**{question.text}**")
    st.html(vote_bars(question, poll.counts))
    st.markdown(f"{question.why} {question.formula} = {option_text(question, question.correct_index)}.")
    st.caption(_own_text(question, own))


def _own_text(question: Question, own: dict[int, int]) -> str:
    if not own:
        return "You have not voted."
    return "You voted: " + ", then ".join(option_text(question, own[number]) for number in sorted(own)) + "."


# ── follow the teacher ───────────────────────────────────────────────────────────────────────────────────────────────


def _has_new_target(current: News) -> bool:
    target = current.classroom.target
    return target is not None and target.number > _FOLLOWED.get()


def _follow(current: News, page: str) -> None:
    """Go where the teacher leads, once for each call; remember the own page and network."""
    target = current.classroom.target
    if target is None or not _has_new_target(current):
        return
    _FOLLOWED.set(target.number)
    if _OWN_PLACE.get() is None:
        _OWN_PLACE.set(OwnPlace(page, state.current()))
    try:
        version = from_token(target.network)
    except ShareError:
        return
    _go(target.page, version, page)


def _go(file: str, version: Version, page: str) -> None:
    """Open a page with a network; the network is the first step of undo there."""
    files = [entry.file for entries in sections().values() for entry in entries]
    if version != state.current():
        state.set_current(version)
    if file in files and file != page:
        st.switch_page(f"pages/{file}")


def _show_way_back(current: News) -> None:
    own = _OWN_PLACE.get()
    if own is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="class_follow"):
        st.caption(":material/co_present: This is where your teacher leads the class.", width="content")
        st.button("Back to my own network", key="class_back", type="tertiary", on_click=_request_return)
    if _RETURNS.get():
        st.rerun()


_RETURNS = SessionValue("class_returns", False)


def _request_return() -> None:
    _RETURNS.set(True)


def go_back_if_requested(page: str) -> None:
    """Return to the own page and network, if the member has requested that in the panel."""
    own = _OWN_PLACE.get()
    if _RETURNS.get() and own is not None:
        _RETURNS.clear()
        _OWN_PLACE.clear()
        _go(own.page, own.version, page)


# ── where the class is ───────────────────────────────────────────────────────────────────────────────────────────────


def _record_progress(found: Member, page: str, answers: int) -> None:
    """Record where the member is, when that changed: another page or answer at once, an edit now and then."""
    time, last_page, last_answers, last_version = _PROGRESS.get()
    has_moved = (page, answers) != (last_page, last_answers)
    if not has_moved and (state.current() == last_version or monotonic() - time < _PROGRESS_S):
        return
    _PROGRESS.set((monotonic(), page, answers, state.current()))
    session.store().members.mark_progress(found.number, page, answers)
