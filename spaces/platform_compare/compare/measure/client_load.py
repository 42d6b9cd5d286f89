"""How honest the client is: how late its event loop runs, what CPU it takes, and that nothing of its own gets in."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from backends.stopwatch import cpu_clock, now

SAMPLE_SECONDS = 0.01


class LagProbe:
    """Knocks at the event loop from a thread and keeps how long it takes to open, in seconds.

    That is what an arriving chunk waits before it is stamped. A timer inside the loop would measure its own
    rounding instead: asyncio's timers are up to a millisecond late by design.
    """

    def __init__(self) -> None:
        self.lags: list[float] = []
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[LagProbe]:
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=self._knock, args=(loop,), name="lag-probe", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()

    def _knock(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            try:
                loop.call_soon_threadsafe(self._opened, now())
            except RuntimeError:  # the loop was closed meanwhile
                return

    def _opened(self, knocked: float) -> None:
        self.lags.append(round(now() - knocked, 7))


class Usage:
    """When a block ran, CPU seconds of this process and its loop's lags meanwhile."""

    def __init__(self) -> None:
        self._probe = LagProbe()
        self._cpu = 0.0
        self.cpu_seconds = self.started = self.seconds = 0.0

    @property
    def lags(self) -> tuple[float, ...]:
        return tuple(self._probe.lags)

    @contextmanager
    def watching(self) -> Iterator[Usage]:
        """Watch the block; the garbage collector waits until it is over, because its pauses would look like gaps."""
        was_on = gc.isenabled()
        gc.collect()
        gc.disable()
        self.started, cpu_started = now(), cpu_clock()
        try:
            with self._probe.running():
                yield self
        finally:
            self.seconds, self.cpu_seconds = now() - self.started, cpu_clock() - cpu_started
            if was_on:
                gc.enable()
