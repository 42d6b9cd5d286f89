"""Where the answer of each request came from; "" for the rows so far, and for those of an older gateway."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("ledger", sa.Column("cache", sa.String(10), nullable=False, server_default=""))
