"""What each key spent in a month, from the ledger so far, and what its running requests can cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables and fill the first."""
    op.create_table(
        "spending",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("key_id", sa.String(32), primary_key=True),
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("cost", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("key_id", sa.String(32), primary_key=True),
        sa.Column("gateway", sa.String(32), primary_key=True),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )
    op.execute(
        "INSERT INTO spending (month, key_id, gateway, cost) "
        "SELECT substr(day, 1, 7), key_id, gateway, sum(cost) FROM ledger WHERE cost > 0 "
        "GROUP BY substr(day, 1, 7), key_id, gateway"
    )
