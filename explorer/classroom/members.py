"""Who is in a class, where they are, and whether they are still there."""

from collections.abc import Collection
from time import time
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from explorer.classroom.database import Database
from explorer.classroom.names import parse_nickname, token_hash
from explorer.classroom.records import Member, Overview, PageCount, RefusedError
from explorer.classroom.rows import count_rows, require_class, to_member
from explorer.classroom.schema import members

MAX_MEMBERS = 1_000  # of one class
PRESENT_S = 60  # after the last request for news a member's page counts as closed
IDLE_S = 5 * 60  # without an edit, an answer or another page


class Members:
    """The members of all classes in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def join(self, classroom: int, token: str, nickname: str = "") -> Member:
        """Make the owner of a token a member, once; a later call changes the nickname. Raises RefusedError."""
        name, now, stored = parse_nickname(nickname), time(), token_hash(token)
        with self._database.write() as db:
            require_class(db, classroom)
            if not _is_known(db, classroom, stored) and count_rows(db, members, classroom) >= MAX_MEMBERS:
                raise RefusedError("full")
            statement = self._database.insert(members).values(
                classroom=classroom, token_hash=stored, nickname=name, joined=now, moved=now, seen=now
            )
            upsert = statement.on_conflict_do_update(
                index_elements=["classroom", "token_hash"], set_={"nickname": name, "seen": now}
            )
            return to_member(db.execute(upsert.returning(members)).one())

    def find(self, token: str) -> Member | None:
        """Return the newest membership of a token; None if it has joined no class that is open."""
        statement = select(members).where(members.c.token_hash == token_hash(token)).order_by(members.c.number.desc())
        with self._database.read() as db:
            row = db.execute(statement.limit(1)).one_or_none()
        return None if row is None else to_member(row)

    def leave(self, member: int) -> None:
        """Delete a member with their votes and hand-in."""
        with self._database.write() as db:
            db.execute(delete(members).where(members.c.number == member))

    def mark_progress(self, member: int, page: str, answers: int) -> None:
        """Record the page a member is on, and how many questions they have answered."""
        now = time()
        with self._database.write() as db:
            db.execute(
                update(members)
                .where(members.c.number == member)
                .values(page=page[:80], answers=answers, moved=now, seen=now)
            )

    def mark_present(self, token_hashes: Collection[str]) -> None:
        """Record that the pages of these members, named by the hashes of their tokens, asked for news just now."""
        with self._database.write() as db:
            db.execute(update(members).where(members.c.token_hash.in_(token_hashes)).values(seen=time()))

    def overview(self, classroom: int, now: float | None = None) -> Overview:
        """Return how many joined, where those are who are present, and how many changed nothing for five minutes."""
        now = time() if now is None else now
        with self._database.read() as db:
            rows = db.execute(select(members).where(members.c.classroom == classroom)).all()
        present = [row for row in rows if row.seen > now - PRESENT_S]
        pages = {row.page for row in present}
        counts = [PageCount(page, *_on_page(present, page)) for page in pages]
        return Overview(
            joined=len(rows),
            present=len(present),
            idle=sum(row.moved <= now - IDLE_S for row in present),
            answers=sum(row.answers for row in rows),
            pages=tuple(sorted(counts, key=lambda count: (-count.members, count.page))),
        )


def _is_known(db: Connection, classroom: int, stored_hash: str) -> bool:
    """Whether a token, by its hash, has joined a class."""
    same = select(members.c.number).where(members.c.classroom == classroom, members.c.token_hash == stored_hash)
    return db.scalar(same) is not None


def _on_page(present: list[Row[Any]], page: str) -> tuple[int, tuple[str, ...]]:
    """Return how many of the present members are on a page, and their nicknames in alphabetical order."""
    there = [row for row in present if row.page == page]
    return len(there), tuple(sorted(filter(None, (row.nickname for row in there)), key=str.casefold))
