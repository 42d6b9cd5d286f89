"""The server for text: loads the model, and checks its health."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from backends import Backend, BackendError, Health, NotConfigured
from backends.openai import one_token_request
from backends.streams import closing
from backends.types import Downloadable
from backends.vectors import EmbeddingBackend
from inference import model
from inference.lifecycle import Lifecycle, Phase
from inference.metrics import Metrics
from inference.settings import Settings

logger = logging.getLogger(__name__)

HEALTH_CHECK_TIMEOUT = 2.0  # seconds


class Service(Lifecycle):
    """One backend with its admission queue and metrics."""

    settings: Settings
    metrics: Metrics

    def __init__(self, settings: Settings, folders: Sequence[Path] = model.FOLDERS) -> None:
        super().__init__(settings, Metrics(), model.slot_count(settings))
        self.health: Health | None = None
        self.backend: Backend | None = None
        self.embeddings: tuple[str, EmbeddingBackend] | None = None  # the model's name, and its backend
        self._folders = folders

    async def run(self) -> None:
        """Load the model, then check its health until cancelled; raises a `BackendError` if it can never answer."""
        self.embeddings = await asyncio.to_thread(model.connect_embedding_model, self.settings)
        self.backend = backend = await asyncio.to_thread(model.connect, self.settings, self._folders)
        if isinstance(backend, Downloadable):
            await _download(backend)
        local = backend.local
        while not await self._load(backend, fatal=local):  # noqa: ASYNC110 - a remote model sends no event
            await asyncio.sleep(self.settings.health_check_seconds)
        failures = 0
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.check_now.wait(), self.settings.health_check_seconds)
            self.check_now.clear()
            failures = 0 if await self._check_health(backend) else failures + 1
            if failures != 1:  # a single failure can mean a machine that was busy for a moment
                self.enter(Phase.UNAVAILABLE if failures else Phase.READY)

    def ready(self) -> Backend:
        """Return the backend; raises `Overloaded` while it can't answer."""
        self.check_ready()
        assert self.backend  # noqa: S101  # it answered before the phase was READY
        return self.backend

    async def _load(self, backend: Backend, *, fatal: bool) -> bool:
        """Request one token, which proves more than an open port does; return whether the model answers."""
        try:
            async for _ in backend.stream(one_token_request()):
                pass
            health = await backend.check()
        except BackendError as error:
            if fatal:
                raise
            logger.warning("waiting for the model", extra={"fields": {"error": str(error)}})
            return False
        self.health = health
        self.enter_ready(health.model)
        return True

    async def _check_health(self, backend: Backend) -> bool:
        """Return whether the model answers; raises `NotConfigured` if only a restart of the server can help."""
        try:
            async with asyncio.timeout(HEALTH_CHECK_TIMEOUT):
                await backend.check()
        except NotConfigured:
            raise
        except (BackendError, TimeoutError) as error:
            logger.warning("the model did not answer", extra={"fields": {"error": str(error) or "time-out"}})
            return False
        return True


async def _download(backend: Downloadable) -> None:
    """Download the model file if it's missing, and log the progress every 10%."""
    last = -1
    steps = backend.pull()
    async with closing(steps):
        async for text, share in steps:
            tenth = int((share or 0) * 10)
            if tenth > last:
                last = tenth
                logger.info(text, extra={"fields": {"share": share}})
