"""Questions to a class, and its votes in rounds: vote, reveal, hide, vote again."""

import json
from random import SystemRandom
from time import time
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from explorer.classroom.database import Database
from explorer.classroom.records import Poll, RefusedError, ResultRow
from explorer.classroom.rows import count_rows, renew_news, require_class
from explorer.classroom.schema import members, polls, votes
from explorer.lessons.question import Question

MAX_POLLS = 200  # of one class
ROUNDS = 2


class Polls:
    """The questions to all classes in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, classroom: int, question: Question) -> int:
        """Ask the class a question; an open question before it ends. Return its number. Raises RefusedError."""
        with self._database.write() as db:
            require_class(db, classroom)
            if count_rows(db, polls, classroom) >= MAX_POLLS:
                raise RefusedError("too_many")
            db.execute(update(polls).where(polls.c.classroom == classroom).values(is_open=False))
            values = {"classroom": classroom, "question": json.dumps(question._asdict())}
            number: int = db.scalars(insert(polls).values(**values).returning(polls.c.number)).one()
            renew_news(db, classroom)
        return number

    def start_second_round(self, classroom: int) -> None:
        """Let the class vote again on the last question; the first round's votes stay beside it."""
        self._change(classroom, round=ROUNDS, is_open=True)

    def reveal(self, classroom: int) -> None:
        """End the vote and show the counts to all."""
        self._change(classroom, is_open=False, is_revealed=True)

    def hide(self, classroom: int) -> None:
        """Show the counts no longer; the vote stays ended."""
        self._change(classroom, is_open=False, is_revealed=False)

    def end(self, classroom: int) -> None:
        """Show the question no longer. Its votes stay among the results."""
        with self._database.write() as db:
            db.execute(update(polls).where(polls.c.classroom == classroom).values(is_open=False, round=0))
            renew_news(db, classroom)

    def vote(self, member: int, poll: int, round_: int, option: int) -> None:
        """Record a member's vote; the last one of a round counts. Raises RefusedError if it is not open to them."""
        with self._database.write() as db:
            row = db.execute(
                select(polls)
                .join(members, members.c.classroom == polls.c.classroom)
                .where(polls.c.number == poll, members.c.number == member)
                .with_for_update(read=True, of=polls)  # PostgreSQL: the vote cannot end before this is stored
            ).one_or_none()
            if row is None:
                raise RefusedError("no_question")
            if not row.is_open or row.round != round_:
                raise RefusedError("closed")
            if not 0 <= option < len(_question(row.question).options):
                raise RefusedError("wrong_option")
            statement = self._database.insert(votes).values(poll=poll, round=round_, member=member, option=option)
            db.execute(
                statement.on_conflict_do_update(index_elements=["poll", "round", "member"], set_={"option": option})
            )
            db.execute(update(members).where(members.c.number == member).values(moved=time()))

    def own_votes(self, member: int, poll: int) -> dict[int, int]:
        """Return the option that a member chose in each round of a question."""
        with self._database.read() as db:
            rows = db.execute(
                select(votes.c.round, votes.c.option).where(votes.c.member == member, votes.c.poll == poll)
            )
            return {row.round: row.option for row in rows}

    def count_votes(self, poll: int, round_: int) -> int:
        """Return how many members have voted in a round."""
        statement = select(func.count()).select_from(votes).where(votes.c.poll == poll, votes.c.round == round_)
        with self._database.read() as db:
            return db.scalar(statement) or 0

    def results(self, classroom: int) -> list[ResultRow]:
        """Return every vote in a class without names: its members get random numbers for this call."""
        statement = (
            select(polls.c.number, polls.c.question, votes.c.round, votes.c.member, votes.c.option)
            .join(votes, votes.c.poll == polls.c.number)
            .where(polls.c.classroom == classroom)
            .order_by(polls.c.number, votes.c.round)
        )
        with self._database.read() as db:
            rows = db.execute(statement).all()
        voters = sorted({row.member for row in rows})
        SystemRandom().shuffle(voters)
        places = {member: place for place, member in enumerate(voters, start=1)}
        questions = {number: place for place, number in enumerate(sorted({row.number for row in rows}), start=1)}
        found = [_result(row, questions[row.number], places[row.member]) for row in rows]
        return sorted(found, key=lambda row: (row.question, row.round, row.member))

    def _change(self, classroom: int, **values: Any) -> None:
        """Change the last question of a class, unless it is no longer shown."""
        last = select(func.max(polls.c.number)).where(polls.c.classroom == classroom).scalar_subquery()
        with self._database.write() as db:
            db.execute(update(polls).where(polls.c.number == last, polls.c.round > 0).values(**values))
            renew_news(db, classroom)


def last_poll(db: Connection, classroom: int) -> Poll | None:
    """Return the question that a class is shown; None if there is none."""
    statement = select(polls).where(polls.c.classroom == classroom).order_by(polls.c.number.desc()).limit(1)
    row = db.execute(statement).one_or_none()
    if row is None or not row.round:
        return None
    question = _question(row.question)
    counted = db.execute(
        select(votes.c.round, votes.c.option, func.count())
        .where(votes.c.poll == row.number)
        .group_by(votes.c.round, votes.c.option)
    ).all()
    counts = {(round_, option): count for round_, option, count in counted}
    rounds = [
        tuple(counts.get((round_, option), 0) for option in range(len(question.options)))
        for round_ in range(1, row.round + 1)
    ]
    over = rounds[:-1] if row.is_open else rounds
    return Poll(
        number=row.number,
        question=question,
        round=row.round,
        is_open=bool(row.is_open),
        is_revealed=bool(row.is_revealed),
        votes=tuple(map(sum, rounds)),
        counts=tuple(over) if row.is_revealed else (),
    )


def _question(document: str) -> Question:
    fields = json.loads(document)
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
    }
    return Question(**values)


def _result(row: Row[*tuple[Any, ...]], place: int, member: int) -> ResultRow:
    question = _question(row.question)
    value = question.options[row.option]
    return ResultRow(place, question.text, row.round, member, f"{value} {question.unit}", value == question.value)
