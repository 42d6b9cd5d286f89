"""Sums of the ledger by owner, target, day, or where the answers came from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, case, func, select

from gateway.database.schema import ledger

GROUPS = ("owner", "target", "day", "cache")
_OUTCOMES = (("ok", "ok"), ("error", "errors"), ("cancelled", "cancelled"), ("refused", "refused"))


@dataclass(frozen=True, slots=True)
class ReportLine:
    """The requests of one owner, target, day or source of answers; money is in nano-USD.

    `from_cache` of them got an answer that was stored or that another request paid for. `bound` is the part
    of `cost` that may have been less; the cost of `unknown_cost` requests is in neither.
    """

    name: str
    requests: int
    ok: int
    errors: int
    cancelled: int
    refused: int
    from_cache: int
    input_tokens: int
    output_tokens: int
    cost: int
    bound: int
    unknown_cost: int
    first_token_seconds: float | None
    pictures: int = 0


def read_report(engine: Engine, group: str, month: str | None = None) -> list[ReportLine]:
    """Return one line for each value of `group`, in its order; of one month, such as 2026-11, or of all time."""
    name = ledger.c[group]
    query = select(
        name.label("name"),
        func.count().label("requests"),
        *(_count(ledger.c.outcome == outcome).label(label) for outcome, label in _OUTCOMES),
        _count(ledger.c.cache.in_(("hit", "shared"))).label("from_cache"),
        _count(ledger.c.cost.is_(None)).label("unknown_cost"),
        *(_sum(ledger.c[column]).label(column) for column in ("input_tokens", "output_tokens", "cost", "pictures")),
        _sum(case((ledger.c.is_bound, ledger.c.cost))).label("bound"),
        func.avg(ledger.c.first_token_seconds).label("first_token_seconds"),
    )
    if month:
        query = query.where(ledger.c.day.between(f"{month}-01", f"{month}-31"))
    with engine.begin() as connection:
        rows = connection.execute(query.group_by(name).order_by(name)).mappings().all()
    return [ReportLine(**{column: _number(value) for column, value in row.items()}) for row in rows]


def _count(condition: Any) -> Any:
    return func.count(case((condition, 1)))


def _sum(value: Any) -> Any:
    return func.coalesce(func.sum(value), 0)


def _number(value: Any) -> Any:
    """Return a sum as an int: PostgreSQL's have no limit, and come as decimal numbers."""
    return int(value) if isinstance(value, Decimal) else value
