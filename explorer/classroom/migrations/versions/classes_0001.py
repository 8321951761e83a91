"""Create the tables of classes, members, polls, votes and hand-ins."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "classrooms",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("teacher_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("is_collecting", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("target_number", sa.Integer, nullable=False, server_default="0"),
        sa.Column("target_page", sa.String(80), nullable=False, server_default=""),
        sa.Column("target_network", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Float, nullable=False),
        sa.UniqueConstraint("code", name="uq_classrooms_code"),
    )
    op.create_table(
        "members",
        sa.Column("number", sa.Integer, primary_key=True),
        _belongs_to("classrooms"),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("nickname", sa.String(40), nullable=False, server_default=""),
        sa.Column("page", sa.String(80), nullable=False, server_default=""),
        sa.Column("answers", sa.Integer, nullable=False, server_default="0"),
        sa.Column("joined", sa.Float, nullable=False),
        sa.Column("moved", sa.Float, nullable=False),
        sa.Column("seen", sa.Float, nullable=False),
    )
    op.create_index("ix_members_classroom_token", "members", ["classroom", "token_hash"], unique=True)
    op.create_table(
        "polls",
        sa.Column("number", sa.Integer, primary_key=True),
        _belongs_to("classrooms"),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False, server_default="1"),
        sa.Column("is_open", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("is_revealed", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("ix_polls_classroom", "polls", ["classroom"])
    op.create_table(
        "votes",
        _belongs_to("polls", is_key=True),
        sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
        _belongs_to("members", is_key=True),
        sa.Column("option", sa.Integer, nullable=False),
    )
    op.create_table(
        "hand_ins",
        _belongs_to("members", is_key=True),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("accuracy", sa.Float),
        sa.Column("dataset", sa.String(80), nullable=False, server_default=""),
    )


def downgrade() -> None:
    """Drop all tables."""
    for table in ("hand_ins", "votes", "polls", "members", "classrooms"):
        op.drop_table(table)


def _belongs_to(table: str, *, is_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        table.removesuffix("s"),
        sa.Integer,
        sa.ForeignKey(f"{table}.number", ondelete="CASCADE"),
        primary_key=is_key,
        nullable=False,
        autoincrement=False,
    )
