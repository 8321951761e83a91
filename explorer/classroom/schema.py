"""The tables of classes, in SQLAlchemy Core, so that SQLite and PostgreSQL share every statement.

All that is personal hangs on a class and goes with its row.
"""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, true
from sqlalchemy.sql import false

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


def _belongs_to(table: str, *, primary_key: bool = False) -> Column[int]:
    return Column(
        table.removesuffix("s"),
        Integer,
        ForeignKey(f"{table}.number", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        autoincrement=False,
    )


classrooms = Table(
    "classrooms",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("code", String(12), nullable=False, unique=True),
    Column("teacher_hash", String(64), nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("is_collecting", Boolean, nullable=False, server_default=false()),
    Column("target_number", Integer, nullable=False, server_default="0"),
    Column("target_page", String(80), nullable=False, server_default=""),  # empty: everyone works freely
    Column("target_network", Text, nullable=False, server_default=""),
    Column("created", Float, nullable=False),
    Column("closed_pages", Text, nullable=False, server_default=""),  # their files, with spaces between them
)
members = Table(
    "members",
    metadata,
    Column("number", Integer, primary_key=True),
    _belongs_to("classrooms"),
    Column("token_hash", String(64), nullable=False),
    Column("nickname", String(40), nullable=False, server_default=""),
    Column("page", String(80), nullable=False, server_default=""),
    Column("answers", Integer, nullable=False, server_default="0"),
    Column("joined", Float, nullable=False),
    Column("moved", Float, nullable=False),  # when the member last did something
    Column("seen", Float, nullable=False),  # when a page of the member last asked for news
)
Index("ix_members_classroom_token", members.c.classroom, members.c.token_hash, unique=True)
polls = Table(
    "polls",
    metadata,
    Column("number", Integer, primary_key=True),
    _belongs_to("classrooms"),
    Column("question", Text, nullable=False),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("is_open", Boolean, nullable=False, server_default=true()),
    Column("is_revealed", Boolean, nullable=False, server_default=false()),
)
Index("ix_polls_classroom", polls.c.classroom)
votes = Table(
    "votes",
    metadata,
    _belongs_to("polls", primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    _belongs_to("members", primary_key=True),
    Column("option", Integer, nullable=False),
)
hand_ins = Table(
    "hand_ins",
    metadata,
    _belongs_to("members", primary_key=True),
    Column("network", Text, nullable=False),
    Column("accuracy", Float),
    Column("dataset", String(80), nullable=False, server_default=""),
)
