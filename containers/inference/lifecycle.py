"""What every server of one model goes through: it loads, is ready, and drains; requests wait for a slot meanwhile."""

from __future__ import annotations

import enum
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from backends import Overloaded
from inference.answers.admission_queue import AdmissionQueue
from inference.answers.endings import Ending
from inference.answers.running_answers import RunningAnswers
from inference.metrics import ServerMetrics
from inference.settings import ServerSettings

logger = logging.getLogger(__name__)


class Phase(enum.Enum):
    """Where the server is in its lifecycle; `/ready` returns the value."""

    LOADING = "loading"
    READY = "ready"
    UNAVAILABLE = "the model is not answering"
    DRAINING = "draining"


class Lifecycle:
    """The state of a server; `slots` requests run and `queue` wait, by default four a slot.

    See `inference.answers.generation.Admission`.
    """

    def __init__(
        self, settings: ServerSettings, metrics: ServerMetrics, slots: int, queue: int | None, name: str | None
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.queue = AdmissionQueue(slots, 4 * slots if queue is None else queue)
        self.phase = Phase.LOADING
        self.name = name or ""
        self.answers = RunningAnswers()
        self.loaded = False  # the model has answered at least once
        metrics.track_load(slots=slots, in_flight=lambda: self.queue.in_use, queue_length=lambda: self.queue.length)

    def check_ready(self) -> None:
        """Raise `Overloaded` while the model can't answer."""
        if self.phase is not Phase.READY:
            raise Overloaded(f"The server is not ready: {self.phase.value}.", "Try again in a moment.", retry_after=2)

    @asynccontextmanager
    async def slot(self, moved: Callable[[int], None] | None = None) -> AsyncIterator[float]:
        """Wait for a slot; yields the seconds spent waiting. Raises `Overloaded` while the model can't answer.

        `moved` hears how many wait ahead: see `AdmissionQueue.slot`.
        """
        self.check_ready()
        async with self.queue.slot(moved) as seconds:
            yield seconds

    def headers(self) -> Mapping[str, str]:
        """Return no headers: there is nothing to choose here."""
        return {}

    def ended(self, ending: Ending) -> Mapping[str, Any]:
        """Return no more fields for the log."""
        return {}

    async def drain(self) -> None:
        """Refuse new requests, and wait for running ones until `drain_seconds` are over."""
        self.enter(Phase.DRAINING)
        await self.answers.drain(self.settings.drain_seconds)

    def has_loaded(self, name: str) -> None:
        """Note that a model of this name has answered; a name in the settings counts more."""
        self.name = self.name or name
        self.loaded = True
        self.metrics.model.labels(self.name).set(1)
        self.enter(Phase.READY)

    def enter(self, phase: Phase) -> None:
        """Enter a phase; a server that drains stays so."""
        if phase is self.phase or self.phase is Phase.DRAINING:
            return
        self.phase = phase
        self.metrics.ready.set(phase is Phase.READY)
        logger.info(phase.value, extra={"fields": {"model": self.name, "slots": self.queue.slots}})
