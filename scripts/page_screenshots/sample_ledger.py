"""A ledger with a month of made-up requests, for pictures of the dashboard."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.billing.money import from_usd
from gateway.database.connect import migrate, open_database
from gateway.database.store import Store
from gateway.ledger.row import LedgerRow
from gateway.settings import Settings

FIRST_DAY = datetime(2026, 11, 2, 9, tzinfo=UTC)
DAYS = 27
OWNERS = {"Support": 9, "Research": 5, "Team A": 3, "alice": 1}  # with their shares of the requests
# USD per million input and output tokens, and the mean seconds to the first token.
TARGETS = {"gpu": (0.1, 0.3, 0.25), "vertex": (0.3, 2.5, 0.6), "sagemaker": (0.2, 0.8, 0.4), "laptop": (0.0, 0.0, 1.1)}


def write_sample_ledger(path: Path) -> str:
    """Write the rows to a new SQLite file, and return its URL."""
    url = f"sqlite:///{path}"
    engine = open_database(Settings(database_url=url))
    migrate(engine)
    draw = random.Random(7)  # noqa: S311 - the same picture each time
    rows = [_row(draw, day) for day in range(DAYS) for _ in range(_requests(draw, day))]
    Store(engine).write_rows(rows)
    engine.dispose()
    return url


def _requests(draw: random.Random, day: int) -> int:
    """Return how many requests a day has: fewer at the weekend, more towards the end of the month."""
    weekday = 1.0 if (FIRST_DAY + timedelta(days=day)).weekday() < 5 else 0.25
    return round(weekday * (40 + 2 * day) * draw.uniform(0.8, 1.2))


def _row(draw: random.Random, day: int) -> LedgerRow:
    (owner,) = draw.choices([*OWNERS], [*OWNERS.values()])
    target = draw.choice([*TARGETS])
    input_price, output_price, first = TARGETS[target]
    (outcome,) = draw.choices(["ok", "error", "cancelled", "refused"], [94, 2, 2, 2])
    cache = draw.choices(["miss", "hit"], [4, 1])[0] if outcome == "ok" else "none"
    refused = outcome == "refused"
    tokens = (0, 0) if refused else (draw.randint(200, 6000), draw.randint(50, 900))
    is_free = refused or cache == "hit"
    cost = 0 if is_free else from_usd((tokens[0] * input_price + tokens[1] * output_price) / 1e6)
    seconds = first * math.exp(draw.gauss(0, 0.3))
    return LedgerRow(
        id=f"{draw.getrandbits(128):032x}", gateway="g", key_id=owner, owner=owner, target=target, dialect="openai",
        is_stream=True, started_at=FIRST_DAY + timedelta(days=day, seconds=draw.randint(0, 30_000)),
        first_token_seconds=None if refused else seconds, seconds=seconds * 4, input_tokens=tokens[0],
        output_tokens=tokens[1], cost=cost, is_bound=False, outcome=outcome, error="", status=200, cache=cache,
    )  # fmt: skip
