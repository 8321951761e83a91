"""The teacher's page. Every action checks the teacher's token again (:func:`explorer.ui.classroom.session.act`)."""

from collections.abc import Callable

import segno
import streamlit as st

from explorer.analysis import summarize
from explorer.classroom.records import ClassError, News, Poll
from explorer.lessons.openings import opening_question
from explorer.lessons.questions import BANK, questions
from explorer.paths import ASSETS
from explorer.serving.addresses import JOIN_PAGE, join_link
from explorer.settings import class_link
from explorer.share import to_token
from explorer.ui import messages, state
from explorer.ui.classroom import collection, server_status, session
from explorer.ui.navigation import PAGES, sections
from explorer.views.class_votes import option_text, vote_bars
from explorer.views.worksheet import TOPICS

_COUNT = 5  # quiz questions to choose from
_POLL_S = 2
_FILES = {entry.file: entry.title for entries in PAGES.values() for entry in entries}


def show() -> None:
    """Show the views of the page to the teacher; to others, how to become one."""
    try:
        classroom = session.taught_class()
        current = session.news(classroom) if classroom else None
    except ClassError as error:
        st.error(str(error), icon=":material/cloud_off:")
        return
    if current is None:
        st.info(
            "This page is for the teacher of a class that is open. The teacher's link was printed where the server was "
            "started.",
            icon=":material/lock:",
        )
        return
    st.html(ASSETS / "class" / "class.css")
    if session.problem():
        messages.show_refusal(session.problem())
    view = st.segmented_control(
        "View", list(_VIEWS), default="Join", required=True, key="teach_view", label_visibility="collapsed"
    )
    _VIEWS.get(view, _show_join)(current)


# ── join ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_join(current: News) -> None:
    """Show what goes on the projector: the address, the code and the QR code."""
    code, origin = current.classroom.code, class_link()
    left, right = st.columns([2, 1], gap="large", vertical_alignment="center")
    with left:
        address = f"{origin.partition('://')[2]}/{JOIN_PAGE}"
        st.html(
            f"<div class='class-code'><span>Open</span><span>{address}</span><span>and enter</span><b>{code}</b></div>"
        )
        _count_members(current.classroom.number)
    with right:
        picture = segno.make(join_link(origin, code), error="m").svg_data_uri(border=3, scale=6)
        st.html(f"<div class='class-qr'><img src='{picture}' alt='QR code that leads to the class {code}'></div>")


@st.fragment(run_every=_POLL_S)
def _count_members(classroom: int) -> None:
    _guarded(lambda: st.markdown(f"### {session.store().members.overview(classroom).joined} joined"))


def _guarded(draw: Callable[[], object]) -> None:
    """Draw what needs the database, or say why it cannot be drawn."""
    try:
        draw()
    except ClassError as error:
        st.warning(str(error), icon=":material/cloud_off:")


# ── vote ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _show_vote(current: News) -> None:
    if current.poll:
        _show_poll(current)
    else:
        _choose_question()


def _choose_question() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        topic = st.selectbox("Lesson", list(BANK), format_func=TOPICS.__getitem__, key="teach_topic", width=260)
        found = [opening_question(topic), *questions(summarize(state.current().config), topic, 0, _COUNT)]
        number = st.segmented_control(
            "Question",
            range(len(found)),
            default=0,
            required=True,
            format_func=lambda number: "opening" if number == 0 else str(number),
            key=f"teach_question_{topic}",
        )
    question = found[min(number or 0, len(found) - 1)]
    with st.container(border=True):
        st.markdown(f"**{question.text}**")
        st.markdown(" · ".join(option_text(question, option) for option in range(len(question.options))))
    st.button(
        "Start the vote",
        type="primary",
        icon=":material/how_to_vote:",
        key="teach_start",
        on_click=lambda: session.act(lambda store, classroom: store.polls.start(classroom, question)),
    )
    st.caption("The numbered questions are about the current network. The wrong answers are common mistakes.")


def _show_poll(current: News) -> None:
    poll = current.poll
    assert poll is not None
    st.markdown(f"## {poll.question.text}")
    if poll.is_revealed and poll.counts:
        st.html(vote_bars(poll.question, poll.counts))
    if poll.is_open:
        _count_votes(current.classroom.number, poll)
    elif not poll.is_revealed:
        st.markdown(f"{_votes_text(poll.votes[-1], poll.round)} The counts are hidden.")
    with st.container(horizontal=True):
        _poll_buttons(poll)


@st.fragment(run_every=1)
def _count_votes(classroom: int, poll: Poll) -> None:
    def draw() -> None:
        votes = session.store().polls.count_votes(poll.number, poll.round)
        present = session.store().members.overview(classroom).present
        st.markdown(f"{_votes_text(votes, poll.round)} {present} present.")

    _guarded(draw)


def _votes_text(votes: int, number: int) -> str:
    return f"**{votes}** {'vote' if votes == 1 else 'votes'} in the {'first' if number == 1 else 'second'} round."


def _poll_buttons(poll: Poll) -> None:
    if poll.is_revealed:
        _button("Hide the counts", ":material/visibility_off:", "hide", lambda store, room: store.polls.hide(room))
    else:
        _button("Reveal", ":material/visibility:", "reveal", lambda store, room: store.polls.reveal(room), primary=True)
    if poll.round == 1:
        again = lambda store, room: store.polls.start_second_round(room)  # noqa: E731  # shorter than a function
        _button("Vote again", ":material/replay:", "again", again)
    _button("Next question", ":material/skip_next:", "end", lambda store, room: store.polls.end(room))


def _button(label: str, icon: str, key: str, action: Callable[..., object], *, primary: bool = False) -> None:
    st.button(
        label,
        icon=icon,
        key=f"teach_{key}",
        type="primary" if primary else "secondary",
        on_click=session.act,
        args=(action,),
    )


# ── follow me, where everyone is ─────────────────────────────────────────────────────────────────────────────────────


def _show_lead(current: News) -> None:
    st.markdown(
        "Everyone opens the page that you choose, with **your current network**. They can go back to their own."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        page = st.selectbox("Page", list(_FILES), format_func=_FILES.__getitem__, key="teach_page", width=260)
        network = to_token(state.current())
        st.button(
            "Bring everyone there",
            type="primary",
            icon=":material/groups:",
            key="teach_lead",
            on_click=lambda: session.act(lambda store, room: store.guidance.lead(room, page, network)),
        )
        if current.classroom.target:
            _button("End", ":material/close:", "release", lambda store, room: store.guidance.release(room))
    if target := current.classroom.target:
        st.caption(f"Last: {_title(target.page)}. Who joins later is brought there too, until you end it.")


def _title(file: str) -> str:
    """Return the title of a page by its file."""
    titles = {entry.file: entry.title for entries in sections().values() for entry in entries}
    return titles.get(file, "the page that opens first")


def _show_where(current: News) -> None:
    _where(current.classroom.number)


@st.fragment(run_every=_POLL_S)
def _where(classroom: int) -> None:
    def draw() -> None:
        found = session.store().members.overview(classroom)
        with st.container(horizontal=True):
            for label, value in (
                ("joined", found.joined),
                ("present", found.present),
                ("no change for 5 minutes", found.idle),
                ("answers in lessons", found.answers),
            ):
                st.metric(label, value, width=210)
        for place in found.pages:
            names = f": {', '.join(place.nicknames)}" if place.nicknames else ""
            st.text(f"{place.members} on {_title(place.page)}{names}")
        st.caption("Names are those of students who gave a nickname.")

    _guarded(draw)


_VIEWS: dict[str, Callable[[News], None]] = {
    "Join": _show_join,
    "Vote": _show_vote,
    "Follow me": _show_lead,
    "Collect": collection.show,
    "Where everyone is": _show_where,
    "Server": server_status.show,
}
