"""Reads and writes keys, the ledger and what keys spent; every method blocks, so the server calls them in threads."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.database.schema import keys, ledger, reservations, spending
from gateway.keys.key import Key
from gateway.ledger.row import LedgerRow

STALE_SECONDS = 10  # a gateway that says nothing for as long is gone, and so are its requests
# The databases' own clocks, in whole seconds since 1970: those of two gateways can differ by half a minute.
_CLOCKS = {
    "postgresql": cast(func.extract("epoch", func.clock_timestamp()), BigInteger),
    "sqlite": cast(func.strftime("%s", "now"), BigInteger),
}
_COUNT_KEYS = select(func.count(keys.c.id), func.count(keys.c.revoked_at))
_SPENT = (
    select(spending.c.key_id, func.sum(spending.c.cost))
    .where(spending.c.month == bindparam("month"), spending.c.gateway != bindparam("without"))
    .group_by(spending.c.key_id)
)


@dataclass(frozen=True, slots=True)
class News:
    """What a gateway reads at each refresh.

    The numbers of keys and of revoked ones, all keys if there are other ones, and what each key spent and reserved
    through other gateways.
    """

    counts: tuple[int, int]
    keys: list[Key] | None
    spent: Mapping[str, int]
    reserved: Mapping[str, int]


class Store:
    """The database of one or more gateways."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[engine.dialect.name]
        self._now: Any = _CLOCKS[engine.dialect.name]

    def add_key(self, key: Key) -> None:
        """Store a new key."""
        values = {**dataclasses.asdict(key), "targets": None if key.targets is None else list(key.targets)}
        with self.engine.begin() as connection:
            connection.execute(keys.insert().values(**values))

    def revoke_key(self, key_id: str, now: datetime) -> None:
        """Revoke a key; one that is revoked keeps its time."""
        with self.engine.begin() as connection:
            query = update(keys).where(keys.c.id == key_id, keys.c.revoked_at.is_(None))
            connection.execute(query.values(revoked_at=now))

    def read_keys(self) -> list[Key]:
        """Return all keys, also revoked ones, the oldest first."""
        with self.engine.begin() as connection:
            return _read_keys(connection)

    def exchange(self, known: tuple[int, int], month: str, gateway: str, reserved: Mapping[str, int]) -> News:
        """Tell the other gateways what this one has reserved, and return what they tell, in one transaction.

        Keys are added and revoked, never changed: with the counts of the last time, there are no other ones.
        """
        with self.engine.begin() as connection:
            all_keys, revoked = connection.execute(_COUNT_KEYS).one()
            counts = (int(all_keys), int(revoked))
            read = None if counts == known else _read_keys(connection)
            self._reserve(connection, gateway, reserved)
            return News(counts, read, _spent(connection, month, gateway), self._reserved(connection, gateway))

    def write_rows(self, rows: Sequence[LedgerRow]) -> None:
        """Add rows to the ledger, and their costs to what their keys spent; rows that are there already do nothing."""
        if not rows:
            return
        values = [{**row.values(), "day": row.day} for row in rows]
        statement = self._insert(ledger).on_conflict_do_nothing().returning(ledger.c.id)
        with self.engine.begin() as connection:
            added = set(connection.execute(statement, values).scalars())
            self._add_spending(connection, [row for row in rows if row.id in added])

    def spent(self, month: str, *, without: str) -> dict[str, int]:
        """Return what each key spent in a month, without what went through one gateway."""
        with self.engine.begin() as connection:
            return _spent(connection, month, without)

    def _reserve(self, connection: Connection, gateway: str, reserved: Mapping[str, int]) -> None:
        """Replace what a gateway has reserved."""
        connection.execute(delete(reservations).where(reservations.c.gateway == gateway))
        if reserved:
            rows = [{"key_id": key_id, "gateway": gateway, "cost": cost} for key_id, cost in reserved.items()]
            connection.execute(insert(reservations).values(seen_at=self._now), rows)

    def _reserved(self, connection: Connection, without: str) -> dict[str, int]:
        recent = reservations.c.seen_at > self._now - STALE_SECONDS
        query = select(reservations.c.key_id, func.sum(reservations.c.cost)).group_by(reservations.c.key_id)
        rows = connection.execute(query.where(reservations.c.gateway != without, recent))
        return {key_id: int(cost) for key_id, cost in rows}

    def _add_spending(self, connection: Connection, rows: Sequence[LedgerRow]) -> None:
        totals: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            if row.cost:
                totals[row.day[:7], row.key_id, row.gateway] += row.cost
        # In one order everywhere, so that two gateways never wait for each other.
        for (month, key_id, gateway), cost in sorted(totals.items()):
            new = self._insert(spending).values(month=month, key_id=key_id, gateway=gateway, cost=cost)
            total = {"cost": spending.c.cost + new.excluded.cost}
            connection.execute(new.on_conflict_do_update(index_elements=list(spending.primary_key), set_=total))


def _read_keys(connection: Connection) -> list[Key]:
    rows = connection.execute(select(keys).order_by(keys.c.created_at, keys.c.id)).mappings().all()
    return [_key(dict(row)) for row in rows]


def _spent(connection: Connection, month: str, without: str) -> dict[str, int]:
    rows = connection.execute(_SPENT, {"month": month, "without": without})
    return {key_id: int(cost) for key_id, cost in rows}


def _key(values: dict[str, Any]) -> Key:
    """Return a key with its times in UTC, whose zone SQLite doesn't store."""
    if values["targets"] is not None:
        values["targets"] = tuple(values["targets"])
    for name in ("created_at", "revoked_at"):
        if values[name] and values[name].tzinfo is None:
            values[name] = values[name].replace(tzinfo=UTC)
    return Key(**values)
