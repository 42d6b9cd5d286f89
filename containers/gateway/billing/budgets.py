"""Budgets: a request reserves what it can cost at most, and pays what it did cost.

So the requests that run at the same moment can't spend more than there is together. Each gateway knows exactly what
it spent and reserved itself, and reads what the others spent and reserved at every refresh.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from gateway.billing import money
from gateway.billing.bills import Size, most_cost
from gateway.billing.prices import EXAMPLES
from gateway.errors import BudgetReached, NotAllowed
from gateway.keys.key import Key
from gateway.targets import GatewayTarget

_NO_TOKENS = "It has a price by the token, and pictures have no tokens."


def month_of(time: datetime) -> str:
    """Return the month of a bill, such as 2026-11; months begin at midnight UTC."""
    return time.astimezone(UTC).strftime("%Y-%m")


def affordable(targets: Sequence[GatewayTarget], key: Key, size: Size) -> Sequence[GatewayTarget]:
    """Return the targets that a key can pay for: with a budget, those with a price, or all if none has one."""
    if key.budget is None:
        return targets
    return [target for target in targets if most_cost(target, size) is not None] or targets


def _remedy(size: Size, *, is_reserved: bool) -> str:
    """Return what helps against a budget that doesn't cover a request, or would without the answers that run."""
    others = "wait for the answers that run" if is_reserved else "ask the operator for a larger budget"
    fewer = "Ask for fewer tokens (max_tokens), or " if size.output_tokens else ""
    return f"{fewer}{others}." if fewer else f"{others[0].upper()}{others[1:]}."


class Budgets:
    """What each key spent this month, and what its running requests have reserved, in nano-USD."""

    def __init__(self) -> None:
        self.reserved: Counter[str] = Counter()
        self._own: Counter[tuple[str, str]] = Counter()  # by month and key
        # Costs whose rows are on their way to the database, and those whose rows wait for it.
        self._writing: Counter[str] = Counter()
        self._unwritten: Counter[str] = Counter()
        self._others: Mapping[str, int] = {}
        self._others_month = ""
        self._others_reserved: Mapping[str, int] = {}

    def read_others(self, month: str, spent: Mapping[str, int], reserved: Mapping[str, int]) -> None:
        """Take what keys spent in a month and reserved through other gateways, or this one before its last start."""
        self._others_month, self._others, self._others_reserved = month, spent, reserved

    def begin_writing(self) -> None:
        """Note that the rows of all bills so far are written next."""
        self._writing += self._unwritten
        self._unwritten.clear()

    def end_writing(self) -> None:
        """Note that the database has the rows that `begin_writing` was about."""
        self._writing.clear()

    def outstanding(self) -> Mapping[str, int]:
        """Return what other gateways must count for each key besides the ledger: running requests, and unwritten bills.

        For a moment, a bill can be in both. The other way around, it would be in neither.
        """
        return self.reserved + self._writing + self._unwritten

    def spent(self, key_id: str, month: str) -> int:
        """Return what a key has spent in a month."""
        others = self._others.get(key_id, 0) if month == self._others_month else 0
        return self._own[month, key_id] + others

    def reserve(self, key: Key, target: GatewayTarget, size: Size, now: datetime) -> int:
        """Reserve the most that a request of this size can cost, and return it.

        Raises `BudgetReached` if the budget doesn't cover that, `NotAllowed` if nobody knows the price.
        """
        if key.budget is None:
            return 0
        most = most_cost(target, size)
        if most is None:
            raise NotAllowed(
                f"The key has a budget, and the price of {target.name} is unknown. {target.unpriced or _NO_TOKENS}",
                f"Use a target with a price, or ask the operator to set price in its entry: {EXAMPLES}.",
            )
        reserved = self.reserved[key.id] + self._others_reserved.get(key.id, 0)
        unspent = key.budget - self.spent(key.id, month_of(now))
        if most > unspent - reserved:
            raise BudgetReached(
                f"This request can cost up to {money.show(most)} USD; "
                f"{money.show(max(0, unspent - reserved))} of the month's {money.show(key.budget)} USD are left.",
                _remedy(size, is_reserved=most <= unspent),
            )
        self.reserved[key.id] += most
        return most

    def settle(self, key_id: str, reservation: int, cost: int, month: str) -> None:
        """End a reservation, and add what the request did cost."""
        self.reserved[key_id] -= reservation
        if not self.reserved[key_id]:
            del self.reserved[key_id]
        self._own[month, key_id] += cost
        if reservation:  # only keys with a budget have one
            self._unwritten[key_id] += cost
