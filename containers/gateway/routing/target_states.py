"""What this process knows of its targets: answers in progress, recent first tokens, and failures in a row."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from backends import BackendError, InvalidAnswer, Rejected
from backends.stopwatch import now
from gateway.routing.choice import View
from gateway.routing.settings import RouteSettings

RECENT_SECONDS = 300.0
RECENT_COUNT = 200
FEWEST = 5  # first tokens for a percentile: the first one after a start says little
CLIENT_ERRORS = (400, 413, 422)


@dataclass(slots=True)
class _Record:
    """One target. `probing` is set while a request tries it again after a pause."""

    in_flight: int = 0
    started: int = 0
    failures: int = 0
    failed_at: float = -math.inf
    probing: bool = False
    first_tokens: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=RECENT_COUNT))


class Attempt:
    """One request at a target."""

    def __init__(self, record: _Record, clock: Callable[[], float]) -> None:
        self._record, self._clock = record, clock
        self._started = clock()
        self._has_begun = False

    def first_token(self) -> None:
        """Measure the first token; does nothing for the next ones."""
        if self._has_begun:
            return
        self._has_begun = True
        at = self._clock()
        self._record.first_tokens.append((at, at - self._started))

    def succeed(self) -> None:
        """The answer is complete: earlier failures no longer count."""
        self._record.failures = 0


class TargetStates:
    """Records attempts at targets, and tells what a choice needs to know; every reading of the clock is `clock()`."""

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self._records: dict[str, _Record] = {}

    def view(self, route: RouteSettings, name: str, price: float | None = None) -> View:
        """What is known of a target, with the route's limits for failures."""
        record = self._record(name)
        left_out = self._is_left_out(record, route)
        return View(name, record.in_flight, record.started, self.first_token_p95(name), price, left_out)

    def left_out(self, route: RouteSettings) -> list[str]:
        """The targets of a route that get no requests now."""
        return [name for name in route.targets if self._is_left_out(self._record(name), route)]

    def first_token_p95(self, name: str) -> float | None:
        """The 95th percentile of the recent first tokens in seconds; None if there are too few."""
        since = self._clock() - RECENT_SECONDS
        recent = sorted(seconds for at, seconds in self._record(name).first_tokens if at >= since)
        return recent[math.ceil(0.95 * len(recent)) - 1] if len(recent) >= FEWEST else None

    @contextmanager
    def attempt(self, name: str) -> Iterator[Attempt]:
        """Record an attempt at a target while the block runs; one that is cancelled says nothing about the target."""
        record = self._record(name)
        is_probe = record.failures > 0 and not record.probing
        record.in_flight += 1
        record.started += 1
        record.probing = record.probing or is_probe
        try:
            yield Attempt(record, self._clock)
        except Exception as error:
            if is_fault(error):
                record.failures += 1
                record.failed_at = self._clock()
            raise
        finally:
            record.in_flight -= 1
            if is_probe:
                record.probing = False

    def _is_left_out(self, record: _Record, route: RouteSettings) -> bool:
        if record.failures < route.failures:
            return False
        return record.probing or self._clock() < record.failed_at + route.pause_seconds

    def _record(self, name: str) -> _Record:
        return self._records.setdefault(name, _Record())


def is_fault(error: Exception) -> bool:
    """Whether an error is the target's; a request or answer that it refuses, or an answer of another form, is not."""
    if isinstance(error, BackendError) and error.is_refusal:
        return False
    if isinstance(error, Rejected):
        return error.status not in CLIENT_ERRORS
    return isinstance(error, BackendError) and not isinstance(error, InvalidAnswer)
