"""The server's life: it loads its model, answers, drains, and ends."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from collections.abc import Sequence
from pathlib import Path

from backends import Backend, BackendError, Health, NotConfigured, Overloaded
from backends.openai import one_token
from backends.streams import closing
from backends.types import Downloads
from inference import model
from inference.admission_queue import Gate
from inference.metrics import Metrics
from inference.settings import Settings

logger = logging.getLogger(__name__)

SILENCE = 2.0  # the most seconds that a look at the model may take


class Phase(enum.Enum):
    """Where the server is in its life; each is a word for `/ready`."""

    LOADING = "loading"
    READY = "ready"
    AWAY = "the model is not answering"
    DRAINING = "draining"


class Service:
    """One backend, its gate and its figures."""

    def __init__(self, settings: Settings, folders: Sequence[Path] = model.FOLDERS) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.gate = Gate(model.slots(settings), _room(settings))
        self.phase = Phase.LOADING
        self.name = settings.model_name or ""
        self.health: Health | None = None
        self.backend: Backend | None = None
        self.answers: set[asyncio.Task[None]] = set()
        self.cut = False  # the grace is over: what still runs is told so
        self.loaded = False  # it has answered once
        self.doubt = asyncio.Event()  # somebody did not reach the model: look now
        self._folders = folders
        self.metrics.watch(slots=self.gate.slots, in_flight=lambda: self.gate.in_use, waiting=lambda: self.gate.waiting)

    async def run(self) -> None:
        """Load the model, then see whether it still answers, for ever; a `BackendError` says why it never will."""
        self.backend = backend = await asyncio.to_thread(model.connect, self.settings, self._folders)
        inside = getattr(backend, "local", False)
        if isinstance(backend, Downloads):
            await _pull(backend)
        while not await self._answers(backend, fatal=inside):  # noqa: ASYNC110 - it is elsewhere: nothing here tells
            await asyncio.sleep(self.settings.look_seconds)
        missed = 0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.doubt.wait(), self.settings.look_seconds)
            self.doubt.clear()
            missed = 0 if await self._look(backend) else missed + 1
            if missed != 1:  # one miss may be a machine that was busy for a moment
                self._enter(Phase.AWAY if missed else Phase.READY)

    def ready(self) -> Backend:
        """The backend, or `Overloaded` while it cannot be used."""
        if self.backend is None or self.phase is not Phase.READY:
            raise Overloaded(f"The server is not ready: {self.phase.value}.", "Try again in a moment.", retry_after=2)
        return self.backend

    async def drain(self) -> None:
        """Take no more requests, and wait until the answers are given or the grace is over."""
        self._enter(Phase.DRAINING)
        if self.answers:
            await asyncio.wait(set(self.answers), timeout=self.settings.drain_seconds)
        self.cut = True
        left = {answer for answer in self.answers if not answer.done()}
        for answer in left:
            answer.cancel()
        if left:
            logger.warning("the grace is over", extra={"fields": {"answers_cut": len(left)}})
            await asyncio.wait(left, timeout=1)

    async def _answers(self, backend: Backend, *, fatal: bool) -> bool:
        """Ask for one token, which proves more than an open port does."""
        try:
            async for _ in backend.stream(one_token()):
                pass
            health = await backend.check()
        except BackendError as error:
            if fatal:
                raise
            logger.warning("waiting for the model", extra={"fields": {"error": str(error)}})
            return False
        self.health, self.name = health, self.name or health.model
        self.loaded = True
        self.metrics.model.labels(self.name).set(1)
        self._enter(Phase.READY)
        return True

    async def _look(self, backend: Backend) -> bool:
        """Whether the model answers; `NotConfigured` if nobody but a new process brings it back."""
        try:
            async with asyncio.timeout(SILENCE):
                await backend.check()
        except NotConfigured:
            raise
        except (BackendError, TimeoutError) as error:
            logger.warning("the model did not answer", extra={"fields": {"error": str(error) or "time-out"}})
            return False
        return True

    def _enter(self, phase: Phase) -> None:
        if phase is self.phase or self.phase is Phase.DRAINING:
            return
        self.phase = phase
        self.metrics.ready.set(phase is Phase.READY)
        logger.info(phase.value, extra={"fields": {"model": self.name, "slots": self.gate.slots}})


async def _pull(backend: Downloads) -> None:
    """Fetch the model file, if it is not here, and say how far it is every tenth."""
    told = -1
    steps = backend.pull()
    async with closing(steps):
        async for text, share in steps:
            tenth = int((share or 0) * 10)
            if tenth > told:
                told = tenth
                logger.info(text, extra={"fields": {"share": share}})


def _room(settings: Settings) -> int:
    """How many requests may wait: four times those that are served, if nobody says."""
    return 4 * model.slots(settings) if settings.queue is None else settings.queue
