"""Loads the model, checks its health and answers with it; `lifecycle` has the phases that all servers share."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any

from backends import (
    Backend,
    BackendError,
    ChatRequest,
    Event,
    Health,
    NotConfigured,
    Rejected,
    Unreachable,
)
from backends.kinds.openai import one_token_request
from backends.streams import closing
from backends.types import Downloadable
from backends.vectors import EmbeddingBackend, Embeddings
from inference.answers.endings import Ending
from inference.lifecycle import Lifecycle, Phase
from inference.metrics import Metrics
from inference.model_source import served_model
from inference.settings import Settings

logger = logging.getLogger(__name__)

HEALTH_CHECK_TIMEOUT = 2.0  # seconds


class Service(Lifecycle):
    """One backend with its admission queue and metrics."""

    settings: Settings
    metrics: Metrics

    def __init__(self, settings: Settings, folders: Sequence[Path] = served_model.FOLDERS) -> None:
        super().__init__(settings, Metrics(), served_model.slot_count(settings), settings.queue, settings.model_name)
        self.health: Health | None = None
        self.backend: Backend | None = None
        self.embeddings: tuple[str, EmbeddingBackend] | None = None  # the model's name, and its backend
        self.check_now = asyncio.Event()  # a request couldn't reach the model
        self._folders = folders

    async def run(self) -> None:
        """Load the model, then check its health until cancelled; raises a `BackendError` if it can never answer."""
        self.embeddings = await asyncio.to_thread(served_model.connect_embedding_model, self.settings)
        self.backend = backend = await asyncio.to_thread(served_model.connect, self.settings, self._folders)
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
        assert self.backend  # noqa: S101 - a server that is ready has one
        return self.backend

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Return the events of an answer."""
        backend = self.backend or self.ready()  # what has its slot goes on while the server drains
        return backend.stream(request)

    def embed(self, texts: Sequence[str]) -> Awaitable[Embeddings]:
        """Return the vectors of texts."""
        _, backend = self.embedding_model()
        return backend.embed(texts)

    def embedding_model(self) -> tuple[str, EmbeddingBackend]:
        """Return the name of the model for embeddings and its backend; `Rejected` if there is none."""
        if self.embeddings is None:
            remedy = "Set SPACEPORT_EMBEDDINGS_TARGET to a target."
            raise Rejected("This server makes no embeddings.", remedy, status=404)
        return self.embeddings

    def ended(self, ending: Ending) -> Mapping[str, Any]:
        """Check the model at once if a request couldn't reach it."""
        if isinstance(ending.error, Unreachable):
            self.check_now.set()
        return {}

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
        self.has_loaded(health.model)
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
