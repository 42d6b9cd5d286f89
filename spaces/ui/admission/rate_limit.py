"""A limit for how often something may happen in a while, for each key of many."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable

from backends import stopwatch

MINUTE = 60.0
MAX_TRACKED = 10_000


class RateLimit:
    """Counts the events of each key in the last `seconds` (`limit` 0: no limit); safe across threads.

    `now` is a clock in seconds. Of more than `capacity` keys, those whose last event is oldest are forgotten.
    """

    def __init__(
        self,
        limit: int,
        seconds: float = MINUTE,
        now: Callable[[], float] = stopwatch.now,
        *,
        capacity: int = MAX_TRACKED,
    ) -> None:
        self._capacity = capacity
        self._limit = limit
        self._seconds = seconds
        self._now = now
        self._events: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Return the seconds until the key may have another event; 0 if it may now."""
        with self._lock:
            return self._wait(key)

    def record(self, key: str) -> None:
        """Count an event."""
        with self._lock:
            self._record(key)

    def take_back(self, key: str) -> None:
        """Forget the latest event, which was refused elsewhere."""
        with self._lock:
            if times := self._events.get(key):
                times.pop()

    def take(self, key: str) -> float:
        """Count an event if the key may have one; return the seconds until it may, 0 if it was counted."""
        with self._lock:
            wait = self._wait(key)
            if not wait:
                self._record(key)
            return wait

    def _wait(self, key: str) -> float:
        times = self._events.get(key)
        if times is None or len(times) < self._limit:
            return 0.0
        return max(0.0, times[0] + self._seconds - self._now())

    def _record(self, key: str) -> None:
        if not self._limit:
            return
        self._events.setdefault(key, deque(maxlen=self._limit)).append(self._now())
        self._events.move_to_end(key)
        if len(self._events) > self._capacity:
            self._events.popitem(last=False)
