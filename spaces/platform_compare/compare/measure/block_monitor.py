"""Load of the measuring client: event loop lag, CPU time, and no garbage collection inside a block."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from backends.stopwatch import cpu_clock, now

SAMPLE_SECONDS = 0.01


class LagProbe:
    """Samples the event loop's lag from a thread, in seconds.

    The lag is how long an arriving chunk waits before it gets its timestamp. A timer inside the loop would measure
    its own rounding instead: asyncio timers are up to a millisecond late by design.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[LagProbe]:
        """Sample the running loop for as long as the context lasts."""
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._sample, args=(loop,), name="lag-probe", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()

    def _sample(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            try:
                loop.call_soon_threadsafe(self._record, now())
            except RuntimeError:  # the loop is closed
                return

    def _record(self, scheduled: float) -> None:
        self.lags.append(round(now() - scheduled, 7))


class BlockMonitor:
    """Measures a block: its start, wall seconds, this process's CPU seconds, and the event loop's lags."""

    def __init__(self) -> None:
        self._probe = LagProbe()
        self.cpu_seconds = self.started = self.seconds = self._cpu_started = 0.0

    @property
    def lags(self) -> tuple[float, ...]:
        return tuple(self._probe.lags)

    def begin(self) -> None:
        """Begin to measure, or begin again after a wait."""
        self.started, self._cpu_started = now(), cpu_clock()
        self._probe.lags.clear()

    @contextmanager
    def watching(self) -> Iterator[BlockMonitor]:
        """Measure the context. Garbage collection waits until it ends: its pauses would look like gaps."""
        was_enabled = gc.isenabled()
        gc.collect()
        gc.disable()
        self.begin()
        try:
            with self._probe.running():
                yield self
        finally:
            self.seconds, self.cpu_seconds = now() - self.started, cpu_clock() - self._cpu_started
            if was_enabled:
                gc.enable()
