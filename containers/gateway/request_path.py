"""The way of one request through the gateway, step by step.

`Call.slot` is the one place where a request is admitted and gets its target: limits, cache and routing stand there.
`Call.ended` is the one place where it is paid for and written to the ledger.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from backends import ChatRequest, Event, SpaceportError, Stopwatch
from backends.stopwatch import wall_clock
from backends.vectors import Embeddings
from gateway import bills, money
from gateway.budgets import Budgets, month_of
from gateway.errors import LedgerFull, NotAllowed
from gateway.keys.key import Key
from gateway.keys.key_ring import KeyRing, revoked
from gateway.ledger.ledger import Ledger
from gateway.ledger.row import LedgerRow
from gateway.metrics import GatewayMetrics
from gateway.targets import GatewayTarget, Targets
from inference.admission_queue import AdmissionQueue
from inference.endings import Ending
from inference.errors import kind, status
from inference.generation import Work


@dataclass(slots=True)
class Parts:
    """What every request of one gateway uses; `id` names this gateway in the ledger, and is new at each start."""

    targets: Targets
    ledger: Ledger
    queue: AdmissionQueue
    metrics: GatewayMetrics
    keys: KeyRing = field(default_factory=KeyRing)
    budgets: Budgets = field(default_factory=Budgets)
    running: set[Call] = field(default_factory=set)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def target_of(self, key: Key, model: str) -> GatewayTarget:
        """Return the target of that name; `NoSuchTarget` or `NotAllowed` if the key can't use it."""
        target = self.targets.find(model)
        if not key.may_use(target.name):
            raise NotAllowed(f"The key may not use {model}.", "GET /v1/models lists what it may use.")
        return target

    def end_revoked(self) -> None:
        """End the answers that run with a key that is revoked by now."""
        for call in list(self.running):
            if call.work and not self.keys.is_valid(call.key.id):
                call.work.interrupt(revoked())


class Call:
    """One request with its key; see `inference.generation.Source`."""

    def __init__(self, parts: Parts, key: Key, *, dialect: str) -> None:
        self.key = key
        self.target: GatewayTarget | None = None
        self.size = bills.Size(0, 0)
        self.is_stream = False
        self.work: Work | None = None
        self._parts = parts
        self._dialect = dialect
        self._started_at = datetime.fromtimestamp(wall_clock(), UTC)
        self._reservation = 0
        self._embeddings: Embeddings | None = None

    def choose(self, model: str) -> GatewayTarget:
        """Take the target that a request names; see `Parts.target_of`."""
        self.target = self._parts.target_of(self.key, model)
        return self.target

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """Admit the request: each step may refuse it with an error, which the client gets as the answer's status."""
        parts, target = self._parts, self._chosen()
        parts.running.add(self)
        parts.ledger.check_room()
        # Here the key's requests and tokens a minute are taken: await limits.take(self.key, self.size).
        # Here the cache is asked, and routing chooses among equal targets: it sets self.target.
        self._reservation = parts.budgets.reserve(self.key, target, self.size, self._started_at)
        async with parts.queue.slot() as seconds:
            yield seconds

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Return the target's events."""
        return self._chosen().connected().stream(request)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return the vectors of the target."""
        self._embeddings = await self._chosen().embedder().embed(texts)
        return self._embeddings

    def refuse(self, error: SpaceportError) -> None:
        """Record a request that is refused before it has its answer; without room for a bill it leaves none."""
        if not isinstance(error, LedgerFull):
            self.ended(Ending(kind(error), status(error), error, 0.0, None, Stopwatch()))

    def ended(self, ending: Ending) -> Mapping[str, Any]:
        """Pay for the request, and write its row of the ledger."""
        parts, reservation, self._reservation = self._parts, self._reservation, 0
        parts.running.discard(self)
        row = self._row(ending)
        parts.budgets.settle(self.key.id, reservation, row.cost or 0, month_of(row.started_at))
        parts.metrics.count(row)
        if not isinstance(ending.error, LedgerFull):
            parts.ledger.add(row)
        cost = {} if row.cost is None else {"cost_usd": money.show(row.cost)}
        return {"owner": row.owner, "target": row.target, "outcome": row.outcome, **cost}

    def _row(self, ending: Ending) -> LedgerRow:
        first = ending.stopwatch.first_token_seconds
        bill = bills.bill(ending, self.target.price if self.target else None, self.size, self._embeddings)
        return LedgerRow(
            id=uuid.uuid4().hex,
            gateway=self._parts.id,
            key_id=self.key.id,
            owner=self.key.owner,
            target=self.target.name if self.target else "",
            dialect=self._dialect,
            is_stream=self.is_stream,
            started_at=self._started_at,
            first_token_seconds=None if first is None else first + (ending.queue_seconds or 0.0),
            seconds=ending.seconds,
            input_tokens=bill.input_tokens,
            output_tokens=bill.output_tokens,
            cost=bill.cost,
            is_bound=bill.is_bound,
            outcome=bills.outcome(ending),
            error=ending.kind,
            status=ending.status,
        )

    def _chosen(self) -> GatewayTarget:
        if self.target is None:
            raise RuntimeError("choose() comes first")
        return self.target
