"""Clients that go on asking while the gateway's Redis and PostgreSQL are killed and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from compatibility.checks.clients import Checks
from compatibility.checks.gateway import BILLS
from compatibility.gateway_stack import SCRIPTED, GatewayStack, Tally, wait_for

CLIENTS = 8
BEFORE, REDIS_AWAY, POSTGRES_AWAY = 3.0, 10.0, 60.0  # seconds
WAITING = "ledger_waiting_bytes"


class Load:
    """So many clients of OpenAI's SDK, each of which asks again as soon as it has its answer."""

    def __init__(self, stack: GatewayStack) -> None:
        self.owner = Tally("load")
        self.errors: list[str] = []
        self._stack = stack
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    @property
    def answers(self) -> int:
        return self.owner.answers.total()

    def start(self) -> None:
        """Add a key, and let the clients ask with it."""
        key = self._stack.add_key(self.owner.owner, SCRIPTED)
        self._threads = [threading.Thread(target=self._ask, args=[key, number]) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Wait for the last answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answered(self, seconds: float) -> int:
        """Wait, and return how many answers came meanwhile."""
        before = self.answers
        time.sleep(seconds)
        return self.answers - before

    def _ask(self, key: str, number: int) -> None:
        import openai

        with openai.OpenAI(base_url=self._stack.url, api_key=key, max_retries=0) as client:
            while not self._over.is_set():
                try:
                    self._count(client.chat.completions.create(**_question(f"{number} at {time.monotonic()}")))
                except openai.OpenAIError as error:
                    self.errors.append(str(error))

    def _count(self, answer: Any) -> None:
        with self._lock:
            self.owner.add(SCRIPTED, answer.usage.prompt_tokens, answer.usage.completion_tokens)


@contextmanager
def load(stack: GatewayStack) -> Iterator[Checks]:
    """Kill each server under load and start it again; then no answer failed, and no bill is missing."""
    asking = Load(stack)

    def bills() -> str:
        asking.stop()
        seen = asking.owner.check(stack)
        assert not asking.errors, f"{len(asking.errors)} failed: {asking.errors[0]}"
        return seen

    asking.start()
    try:
        asking.answered(BEFORE)
        yield {
            "Redis is killed, and back": lambda: _without_redis(stack, asking),
            "PostgreSQL is killed, and back": lambda: _without_postgres(stack, asking),
            BILLS: bills,
            "all sums of the report agree": lambda: totals(stack),
        }
    finally:
        asking.stop()


def _without_redis(stack: GatewayStack, asking: Load) -> str:
    stack.redis.stop()
    try:
        wait_for(lambda: stack.metric("redis_up") == 0)
        count = asking.answered(REDIS_AWAY)
    finally:
        stack.redis.start()
    wait_for(lambda: stack.metric("redis_up") == 1)
    return _seen(asking, count, REDIS_AWAY)


def _without_postgres(stack: GatewayStack, asking: Load) -> str:
    stack.postgres.kill()
    try:
        wait_for(lambda: stack.metric("ledger_connected") == 0)
        count = asking.answered(POSTGRES_AWAY)
        waiting = stack.metric(WAITING)
    finally:
        stack.postgres.start()
    wait_for(lambda: stack.metric("ledger_connected") == 1)
    return f"{_seen(asking, count, POSTGRES_AWAY)}, {waiting / 1000:.0f} kB of bills waited on disk"


def totals(stack: GatewayStack) -> str:
    """Compare the report's sums by owner, target and day."""
    wait_for(lambda: stack.metric(WAITING) == 0)
    sums = []
    for group in ("owner", "target", "day", "cache"):
        lines = stack.report(group).values()
        names = ("requests", "ok", "refused", "input_tokens", "output_tokens", "usd")
        sums.append({name: sum((Decimal(line[name]) for line in lines), Decimal(0)) for name in names})
    assert all(each == sums[0] for each in sums), f"the sums are {sums}"
    return f"{sums[0]['requests']} requests, {sums[0]['usd'].normalize():f} USD"


def _seen(asking: Load, count: int, seconds: float) -> str:
    assert not asking.errors, f"{len(asking.errors)} failed: {asking.errors[0]}"
    assert count, "nothing was answered"
    return f"{count} answers in {seconds:g} s"


def _question(content: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": content}]
    return {"model": SCRIPTED, "messages": messages, "max_tokens": 4, "temperature": 0}
