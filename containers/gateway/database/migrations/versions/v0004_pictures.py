"""How many pictures each request classified or made; none for the rows so far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column."""
    op.add_column("ledger", sa.Column("pictures", sa.Integer, nullable=False, server_default="0"))
