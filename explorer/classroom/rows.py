"""What the parts of the store share: rows as records, and the checks of a transaction."""

from typing import Any

from sqlalchemy import Connection, Row, Table, func, select, update

from explorer.classroom.records import Classroom, Member, RefusedError, Target
from explorer.classroom.schema import classrooms
from explorer.share import ShareError, from_token


def require_class(db: Connection, classroom: int) -> None:
    """Raise RefusedError if a class is closed; on PostgreSQL, let nobody close it before this transaction ends."""
    if db.scalar(select(classrooms.c.number).where(classrooms.c.number == classroom).with_for_update()) is None:
        raise RefusedError("no_class")


def require_network(token: str) -> None:
    """Raise RefusedError for a token that no network has."""
    try:
        from_token(token)
    except ShareError as error:
        raise RefusedError("bad_network") from error


def renew_news(db: Connection, classroom: int) -> None:
    """Count the news of a class on."""
    db.execute(update(classrooms).where(classrooms.c.number == classroom).values(version=classrooms.c.version + 1))


def count_rows(db: Connection, table: Table, classroom: int) -> int:
    """Return how many rows of a table belong to a class."""
    return db.scalar(select(func.count()).select_from(table).where(table.c.classroom == classroom)) or 0


def to_classroom(row: Row[Any]) -> Classroom:
    """Return a class from its row."""
    target = Target(row.target_number, row.target_page, row.target_network) if row.target_page else None
    closed = tuple(row.closed_pages.split())
    return Classroom(row.number, row.code, row.version, bool(row.is_collecting), target, row.created, closed)


def to_member(row: Row[Any]) -> Member:
    """Return a member from their row."""
    return Member(row.number, row.classroom, row.nickname)
