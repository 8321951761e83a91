"""Where a teacher sends the class, and the networks that its members hand in."""

from collections.abc import Iterable

from sqlalchemy import delete, select, update

from explorer.classroom.database import Database
from explorer.classroom.records import HandIn, RefusedError
from explorer.classroom.rows import renew_news, require_network
from explorer.classroom.schema import classrooms, hand_ins, members


class Guidance:
    """What teachers ask their classes to do, in all classes of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lead(self, classroom: int, page: str, network: str) -> None:
        """Send the class to a page, with a network by its token. Raises RefusedError for one that cannot be read."""
        require_network(network)
        with self._database.write() as db:
            db.execute(
                update(classrooms)
                .where(classrooms.c.number == classroom)
                .values(target_number=classrooms.c.target_number + 1, target_page=page, target_network=network)
            )
            renew_news(db, classroom)

    def release(self, classroom: int) -> None:
        """Let everyone work freely again."""
        with self._database.write() as db:
            db.execute(update(classrooms).where(classrooms.c.number == classroom).values(target_page=""))
            renew_news(db, classroom)

    def close_pages(self, classroom: int, pages: Iterable[str]) -> None:
        """Close these pages, by their files, and open all others."""
        with self._database.write() as db:
            closed = " ".join(pages)
            db.execute(update(classrooms).where(classrooms.c.number == classroom).values(closed_pages=closed))
            renew_news(db, classroom)

    def closed_pages(self) -> frozenset[str]:
        """Return the pages that any open class has closed: a student who leaves the class finds them closed too."""
        with self._database.read() as db:
            return frozenset(file for files in db.scalars(select(classrooms.c.closed_pages)) for file in files.split())

    def collect(self, classroom: int, is_on: bool) -> None:
        """Ask for hand-ins, or no longer; asking again begins with none."""
        in_class = select(members.c.number).where(members.c.classroom == classroom)
        with self._database.write() as db:
            if is_on:
                db.execute(delete(hand_ins).where(hand_ins.c.member.in_(in_class)))
            db.execute(update(classrooms).where(classrooms.c.number == classroom).values(is_collecting=is_on))
            renew_news(db, classroom)

    def hand_in(self, member: int, network: str, accuracy: float | None = None, dataset: str = "") -> None:
        """Store a member's network, by its token, with the accuracy of a run; the last one counts. RefusedError."""
        require_network(network)
        values = {"network": network, "accuracy": accuracy, "dataset": dataset[:80]}
        with self._database.write() as db:
            collects = db.scalar(
                select(classrooms.c.is_collecting)
                .join(members, members.c.classroom == classrooms.c.number)
                .where(members.c.number == member)
            )
            if not collects:
                raise RefusedError("closed" if collects is not None else "no_class")
            statement = self._database.insert(hand_ins).values(member=member, **values)
            db.execute(statement.on_conflict_do_update(index_elements=["member"], set_=values))

    def hand_ins(self, classroom: int) -> tuple[HandIn, ...]:
        """Return what was handed in, in the order of joining."""
        statement = (
            select(members.c.nickname, hand_ins)
            .join(hand_ins, hand_ins.c.member == members.c.number)
            .where(members.c.classroom == classroom)
            .order_by(members.c.number)
        )
        with self._database.read() as db:
            return tuple(HandIn(row.nickname, row.network, row.accuracy, row.dataset) for row in db.execute(statement))
