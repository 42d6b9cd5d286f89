"""One row of the ledger: a request's bill and times, never its text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

OUTCOMES = ("ok", "error", "cancelled", "refused")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One request. `id` is unique, so that a row that is written twice counts once.

    `cost` is in nano-USD, or None if the price or the tokens are unknown. With `is_bound` it is the most that the
    request can have cost, because its answer ended before the server counted the tokens. `target` is the target that
    answered, "" for a request that named none of the catalogue. `error` is the class of the error, "" without one.
    `cache` says where the answer came from: "hit", "shared", "miss" or "none"; "" if there was none. `pictures` is how
    many were classified or made.
    """

    id: str
    gateway: str
    key_id: str
    owner: str
    target: str
    dialect: str
    is_stream: bool
    started_at: datetime
    first_token_seconds: float | None
    seconds: float
    input_tokens: int | None
    output_tokens: int | None
    cost: int | None
    is_bound: bool
    outcome: str
    error: str
    status: int
    cache: str = ""  # rows in the journal of an older gateway have none of these
    pictures: int = 0

    @property
    def day(self) -> str:
        """The day in UTC, such as 2026-11-29."""
        return self.started_at.date().isoformat()

    def values(self) -> dict[str, Any]:
        """Return the row as a mapping: `dataclasses.asdict` copies all values, which takes ten times as long."""
        return {name: getattr(self, name) for name in _FIELDS}

    def to_json(self) -> dict[str, Any]:
        """Return the row for the journal."""
        return {**self.values(), "started_at": self.started_at.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> LedgerRow:
        """Read a row of the journal; TypeError, ValueError or KeyError if it isn't one."""
        return cls(**{**values, "started_at": datetime.fromisoformat(values["started_at"])})


_FIELDS = tuple(field.name for field in dataclasses.fields(LedgerRow))
