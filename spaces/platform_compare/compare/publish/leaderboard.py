"""A leaderboard over published results: rows that filters select, in an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from compare.publish.schema import ResultRow


class Order(StrEnum):
    """What comes first; the values are those of the command line."""

    NEWEST = "newest"
    RIGHT = "right"
    START = "first-token"
    END = "end-to-end"
    COST = "cost"


# The smallest first; None last.
_KEYS: dict[Order, Callable[[ResultRow], float | None]] = {
    Order.RIGHT: lambda row: None if row.right_share is None else -row.right_share,
    Order.START: lambda row: row.ttft_ms_p50,
    Order.END: lambda row: row.e2e_ms_p50,
    Order.COST: lambda row: row.usd_per_1000_requests,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which rows to show: those of a workload, with a text in their names, judged, or without caveats."""

    text: str = ""
    workload: str = ""
    only_judged: bool = False
    only_clean: bool = False


def select(rows: Iterable[ResultRow], filters: Filters, order: Order = Order.NEWEST) -> list[ResultRow]:
    """Return the rows that the filters let through, in the order; equals stay as they are."""
    selected = [row for row in rows if _is_chosen(row, filters)]
    key = _KEYS.get(order)
    return sorted(selected, key=lambda row: _last_if_none(key(row))) if key else selected


def workloads(rows: Iterable[ResultRow]) -> dict[str, str]:
    """Return the workloads of the rows: what identifies each, and its name."""
    return {row.workload_hash: row.workload for row in rows}


def _is_chosen(row: ResultRow, filters: Filters) -> bool:
    names = f"{row.target} {row.title} {row.model or ''} {row.kind or ''}".casefold()
    return (
        filters.text.casefold().strip() in names
        and filters.workload in ("", row.workload_hash, row.workload)
        and (not filters.only_judged or row.right_share is not None)
        and (not filters.only_clean or not row.caveats)
    )


def _last_if_none(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0
