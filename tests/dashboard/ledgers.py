"""A gateway's ledger with a few rows, in a SQLite file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gateway.database.connect import migrate, open_database
from gateway.database.store import Store
from gateway.settings import Settings
from tests.gateway.test_database import NOON, row

ROWS = [
    row(),
    row(target="other", cost=None),
    row(owner="<b>bob</b>", target="", outcome="refused", cost=0, first_token_seconds=None),
    row(owner="=SUM(A1)", outcome="error", cost=250_000_000, cache="hit"),
    row(started_at=NOON + timedelta(days=1), cost=1_000_000_000),
    row(started_at=NOON - timedelta(days=80), cost=2_000_000_000),
]


def write_ledger(path: Path) -> str:
    """Write the rows to a new file, and return its URL."""
    url = f"sqlite:///{path}"
    engine = open_database(Settings(database_url=url))
    migrate(engine)
    Store(engine).write_rows(ROWS)
    engine.dispose()
    return url
