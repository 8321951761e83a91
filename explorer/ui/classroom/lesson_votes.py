"""Answers in lessons that are votes of the class."""

from explorer.classroom.records import ClassError
from explorer.lessons.question import Question
from explorer.ui.classroom import session


def cast_if_open(question: Question, option: int) -> None:
    """Count an answer given in a lesson as a vote, if the class votes on that question now."""
    if not session.is_class_server():
        return
    try:
        found = session.member()
        current = session.news(found.classroom) if found else None
    except ClassError:
        return  # the answer stays in the session; the panel of the next run says that the database does not answer
    if current and current.poll and current.poll.is_open and current.poll.question == question:
        poll = current.poll
        session.act_as_member(lambda store, member: store.polls.vote(member.number, poll.number, poll.round, option))
