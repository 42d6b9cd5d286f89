"""Why the gateway refuses a request.

Refused            of the inference server: the client's own fault
├── NotAllowed         403: the key may not use that target
├── NoSuchTarget       404: the catalogue has no such target
└── BudgetReached      402: the month's budget doesn't cover the request
Overloaded
└── LedgerFull         503: no more rows of the ledger can wait
"""

from __future__ import annotations

from backends import Overloaded
from inference.errors import Refused


class NotAllowed(Refused):
    """The key may not use the target."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy, status=403)


class NoSuchTarget(Refused):
    """The catalogue has no target of that name, or none for that task."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy, status=404)


class BudgetReached(Refused):
    """What is left of the key's budget is less than the request can cost."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy, status=402)


class LedgerFull(Overloaded):
    """The database is away, and the journal has no room: an answer would have no bill."""
