"""The store of classes: who joined, votes in rounds, where the teacher leads, hand-ins.

It can be used from any thread and process; every method is one transaction. A method of a teacher checks nothing: its
caller has checked the token with :meth:`ClassStore.is_teacher`. Closing a class deletes all that belongs to it.
"""

from functools import lru_cache
from pathlib import Path
from time import time

from sqlalchemy import delete, insert, select, update

from explorer.classroom.database import Database
from explorer.classroom.guidance import Guidance
from explorer.classroom.members import Members
from explorer.classroom.names import matches_hash, new_code, new_token, token_hash
from explorer.classroom.polls import Polls, last_poll
from explorer.classroom.records import News
from explorer.classroom.rows import to_classroom
from explorer.classroom.schema import classrooms

MAX_HOURS = 24  # after which a class is closed, whatever happened to its server


class ClassStore:
    """The classes in a database. Raises ClassError when it cannot be opened."""

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder)
        self.members = Members(self._database)
        self.polls = Polls(self._database)
        self.guidance = Guidance(self._database)

    def dispose(self) -> None:
        """Close all connections."""
        self._database.dispose()

    def open_class(self) -> tuple[str, str]:
        """Open a class. Return its code and the teacher's token, of which only a hash is stored."""
        token = new_token()
        with self._database.write() as db:
            taken = set(db.scalars(select(classrooms.c.code)))
            code = next(code for code in iter(new_code, "") if code not in taken)
            db.execute(insert(classrooms).values(code=code, teacher_hash=token_hash(token), created=time()))
        return code, token

    def reopen_class(self, code: str) -> str | None:
        """Return a new teacher's token for a class, as after its server ended; None if there is no such class."""
        token = new_token()
        with self._database.write() as db:
            renewed = update(classrooms).where(classrooms.c.code == code).values(teacher_hash=token_hash(token))
            return token if db.execute(renewed).rowcount else None

    def open_codes(self) -> list[str]:
        """Return the codes of all classes that are open, the oldest first."""
        with self._database.read() as db:
            return list(db.scalars(select(classrooms.c.code).order_by(classrooms.c.number)))

    def find_class(self, code: str) -> int | None:
        """Return the number of the class with this code; None if there is none."""
        with self._database.read() as db:
            return db.scalar(select(classrooms.c.number).where(classrooms.c.code == code))

    def news(self, classroom: int) -> News | None:
        """Return what all members see; None if the class is closed."""
        with self._database.read() as db:
            row = db.execute(select(classrooms).where(classrooms.c.number == classroom)).one_or_none()
            return None if row is None else News(to_classroom(row), last_poll(db, classroom))

    def version(self, classroom: int) -> int:
        """Return the number that changes with the news; 0 if the class is closed."""
        with self._database.read() as db:
            return db.scalar(select(classrooms.c.version).where(classrooms.c.number == classroom)) or 0

    def is_teacher(self, classroom: int, token: str) -> bool:
        """Whether a token is that of the teacher of a class."""
        with self._database.read() as db:
            stored = db.scalar(select(classrooms.c.teacher_hash).where(classrooms.c.number == classroom))
        return matches_hash(token, stored or "0" * 64)

    def teacher_class(self, token: str) -> int | None:
        """Return the class whose teacher has this token; None if there is none."""
        with self._database.read() as db:
            rows = db.execute(select(classrooms.c.number, classrooms.c.teacher_hash)).all()
        found = [row.number for row in rows if matches_hash(token, row.teacher_hash)]
        return found[0] if found else None

    def close_class(self, classroom: int) -> None:
        """Delete a class with its members, votes and hand-ins."""
        with self._database.write() as db:
            db.execute(delete(classrooms).where(classrooms.c.number == classroom))

    def close_older(self, hours: float) -> int:
        """Delete the classes that were opened more than so many hours ago, and return how many those were."""
        with self._database.write() as db:
            return db.execute(delete(classrooms).where(classrooms.c.created < time() - 3_600 * hours)).rowcount


@lru_cache(maxsize=4)
def shared_store(folder: Path) -> ClassStore:
    """Return the store that all parts of this process share. Raises ClassError, and then tries again the next time."""
    return ClassStore(folder)
