"""The path of one request through the gateway, step by step.

`Call.slot` is the one place where a request is admitted: it takes from the key's limits and budget, finds a stored
answer, or chooses the targets that are asked for one.
`Call.ended` is the one place where it is paid for and written to the ledger.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from backends import ChatRequest, Event, SpaceportError, Stopwatch, Usage
from backends.stopwatch import wall_clock
from backends.token_prices import PerToken
from backends.vectors import Embeddings
from gateway.billing import bills, money
from gateway.billing.budgets import affordable, month_of
from gateway.cache.answers import Answer
from gateway.cache.keys import answer_key, is_cacheable
from gateway.errors import LedgerFull
from gateway.keys.key import Key
from gateway.ledger.row import LedgerRow
from gateway.limits.quota import Quota, Reservation
from gateway.parts import Parts
from gateway.routing.router import Plan
from gateway.routing.stream import RoutedStream, Start
from gateway.targets import GatewayTarget
from gateway.task import Task
from inference.answers.endings import Ending
from inference.answers.generation import Work
from inference.errors import kind, status


class Call:
    """One request with its key; see `inference.answers.generation.Source`."""

    def __init__(self, parts: Parts, key: Key, *, dialect: str) -> None:
        self.key = key
        self.target: GatewayTarget | None = None
        self.size = bills.Size(0, 0)
        self.is_stream = False
        self.work: Work | None = None
        self.user = ""  # whose request it is, for targets that users stay with
        self.may_cache = True
        self.pictures = 0  # that were classified or made
        self.answer: Answer | None = None
        self._parts = parts
        self._dialect = dialect
        self._started_at = datetime.fromtimestamp(wall_clock(), UTC)
        self._reservation = 0
        self._limits = Reservation()
        self._usage: Usage | None = None  # of vectors: the events of a text have their own
        self._task: Task | None = None

    def ask(self, model: str, task: Task) -> GatewayTarget:
        """Take the target or route that a request names, and what it asks; raises the error if nobody can do that."""
        self.target = target = self._parts.target_of(self.key, model)
        self._task, self.size = task, task.size
        self._parts.check_task(target, task.name)
        return target

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[float]:
        """Admit the request: each step may refuse it with an error, which the client gets as the answer's status."""
        parts, target, task = self._parts, self._chosen(), self._asked()
        parts.ledger.check_room()
        parts.admit(self)
        quota = Quota(self.key.requests_per_minute, self.key.tokens_per_minute)
        tokens = self.size.likely_input + self.size.output_tokens
        self._limits = await parts.limits.reserve(self.key.id, quota, tokens)
        plan = parts.router.plan(target.name, self.user or self.key.id, self._price)
        key = self._answer_key(plan)
        self.answer = await parts.answers.find(key)
        if self.answer:
            yield 0.0
            return
        planned = [parts.targets.by_name[name] for name in plan.targets]
        able = [each for each in planned if each.can(task.name)] or planned
        targets = affordable(able, self.key, self.size)
        dearest = max(targets, key=lambda each: bills.most_cost(each, self.size) or 0)
        self._reservation = parts.budgets.reserve(self.key, dearest, self.size, self._started_at)
        async with parts.queue.slot() as seconds:
            connects = {each.name: partial(_connect, each, task) for each in targets}
            start = partial(RoutedStream, connects, parts.router.states, task.stage_of)
            async with parts.answers.open(key, start) as self.answer:
                yield seconds

    def events(self) -> AsyncIterator[Any]:
        """Return the events of the answer that the slot has begun or found."""
        if self.answer is None:
            raise RuntimeError("slot() comes first")
        return self.answer.events

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Return the events of an answer in text."""
        return self.events()

    def headers(self) -> Mapping[str, str]:
        """Say which target answers, and whether the answer was stored or is shared with another request."""
        if self.answer is None:
            return {}
        target = {"x-spaceport-target": self.answer.target} if self.answer.target else {}
        return {**target, "x-spaceport-cache": self.answer.source}

    async def whole(self) -> Any:
        """Return the answer to a task whose answers have one event."""
        return await anext(self.events())

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return the vectors."""
        embeddings: Embeddings = await self.whole()
        if embeddings.input_tokens is not None:
            self._usage = Usage(embeddings.input_tokens, 0)
        return embeddings

    def refuse(self, error: SpaceportError) -> None:
        """Record a request that is refused before it has its answer; without room for a bill it leaves none."""
        if not isinstance(error, LedgerFull):
            self.ended(Ending(kind(error), status(error), error, 0.0, None, Stopwatch()))

    def ended(self, ending: Ending) -> Mapping[str, Any]:
        """Pay for the request, and write its row of the ledger."""
        parts, reservation, self._reservation = self._parts, self._reservation, 0
        parts.release(self)
        if self.answer and self.answer.tried:
            self.target = parts.targets.by_name.get(self.answer.tried, self.target)
        pays = self.answer is None or self.answer.bill()
        row = self._row(ending, pays=pays)
        parts.settle(self._limits, bills.used_tokens(ending, self.size, self._counted()) if pays else 0)
        parts.budgets.settle(self.key.id, reservation, row.cost or 0, month_of(row.started_at))
        parts.metrics.count(row, self.answer.source if self.answer else "")
        if not isinstance(ending.error, LedgerFull):
            parts.ledger.add(row)
        cost = {} if row.cost is None else {"cost_usd": money.show(row.cost)}
        cache = {"cache": self.answer.source} if self.answer else {}
        return {"owner": row.owner, "target": row.target, "outcome": row.outcome, **cache, **cost}

    def _price(self, name: str) -> float | None:
        """Return about how much the request costs at a target in USD; how long it will take is unknown."""
        price = self._parts.targets.by_name[name].price if name in self._parts.targets.by_name else None
        if not isinstance(price, PerToken):
            return None
        return price.request(self.size.likely_input, self.size.output_tokens)

    def _counted(self) -> Usage | None:
        """Return what the target counted beside the events that this request has read."""
        return self._usage or (self.answer.usage if self.answer else None)

    def _answer_key(self, plan: Plan) -> str | None:
        """Return the key under which equal requests share an answer, or None if this one shares none."""
        chat = self._asked().chat
        if chat is None or not self.may_cache or not is_cacheable(chat) or not self._parts.caches:
            return None
        return answer_key(chat, target=plan.scope, owner=self.key.owner)

    def _bill(self, ending: Ending) -> bills.Bill:
        """Return the bill for all targets that were asked."""
        failures = self.answer.failures if self.answer else ()
        targets = self._parts.targets.by_name
        attempts = [
            bills.attempt_bill(each.error, targets.get(each.target), self.size, each.seconds) for each in failures
        ]
        have_all_failed = self.answer and failures and failures[-1].target == self.answer.tried
        if not have_all_failed:
            seconds = self.answer.seconds if self.answer else 0.0
            attempts.append(bills.bill(ending, self.target, self.size, self._counted(), seconds))
        return bills.total(attempts)

    def _row(self, ending: Ending, *, pays: bool) -> LedgerRow:
        first = ending.stopwatch.first_token_seconds
        bill = self._bill(ending)
        if not pays:  # the answer was stored, or another request pays for it
            bill = replace(bill, cost=0, is_bound=False)
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
            cache=self.answer.source if self.answer else "",
            pictures=self.pictures,
        )

    def _chosen(self) -> GatewayTarget:
        if self.target is None:
            raise RuntimeError("ask() comes first")
        return self.target

    def _asked(self) -> Task:
        if self._task is None:
            raise RuntimeError("ask() comes first")
        return self._task


def _connect(target: GatewayTarget, task: Task) -> Start[Any]:
    return partial(task.start, target.backend_for(task.name))
