"""Let a class have pages that are closed to it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add them: files of pages, with spaces between them."""
    op.add_column("classrooms", sa.Column("closed_pages", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    """Open all pages."""
    op.drop_column("classrooms", "closed_pages")
