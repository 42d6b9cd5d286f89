"""The lifecycle of every server: it loads its model, answers, and drains before shutdown."""

from __future__ import annotations

import asyncio
import enum
import logging
from abc import ABC, abstractmethod

from backends import Overloaded
from inference.admission_queue import AdmissionQueue
from inference.metrics import ServerMetrics
from inference.settings import ServerSettings

logger = logging.getLogger(__name__)


class Phase(enum.Enum):
    """Where the server is in its lifecycle; `/ready` returns the value."""

    LOADING = "loading"
    READY = "ready"
    UNAVAILABLE = "the model is not answering"
    DRAINING = "draining"


class Lifecycle(ABC):
    """One model with its admission queue and metrics."""

    settings: ServerSettings
    metrics: ServerMetrics

    def __init__(self, settings: ServerSettings, metrics: ServerMetrics, slots: int) -> None:
        self.settings = settings
        self.metrics = metrics
        self.queue = AdmissionQueue(slots, 4 * slots if settings.queue is None else settings.queue)
        self.phase = Phase.LOADING
        self.name = settings.model_name or ""
        self.responses: set[asyncio.Task[None]] = set()
        self.drain_expired = False
        self.loaded = False  # the model has answered at least once
        self.check_now = asyncio.Event()  # a request couldn't reach the model
        metrics.track_load(slots=slots, in_flight=lambda: self.queue.in_use, queue_length=lambda: self.queue.length)

    @abstractmethod
    async def run(self) -> None:
        """Load the model, then watch it until cancelled; raises a `BackendError` if it can never answer."""

    def check_ready(self) -> None:
        """Raise `Overloaded` while the model can't answer."""
        if self.phase is not Phase.READY:
            raise Overloaded(f"The server is not ready: {self.phase.value}.", "Try again in a moment.", retry_after=2)

    async def drain(self) -> None:
        """Refuse new requests, and wait for running ones until `drain_seconds` are over."""
        self.enter(Phase.DRAINING)
        if self.responses:
            await asyncio.wait(set(self.responses), timeout=self.settings.drain_seconds)
        self.drain_expired = True
        unfinished = {response for response in self.responses if not response.done()}
        for response in unfinished:
            response.cancel()
        if unfinished:
            logger.warning("the drain period is over", extra={"fields": {"answers_cut": len(unfinished)}})
            await asyncio.wait(unfinished, timeout=1)

    def enter_ready(self, name: str) -> None:
        """Take requests from now on, under the model's name unless the settings have another one."""
        self.name = self.name or name
        self.loaded = True
        self.metrics.model.labels(self.name).set(1)
        self.enter(Phase.READY)

    def enter(self, phase: Phase) -> None:
        """Change the phase, and log it; a server that drains never does anything else."""
        if phase is self.phase or self.phase is Phase.DRAINING:
            return
        self.phase = phase
        self.metrics.ready.set(phase is Phase.READY)
        logger.info(phase.value, extra={"fields": {"model": self.name, "slots": self.queue.slots}})
