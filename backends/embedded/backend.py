"""A model on this machine, without a server of yours: llama.cpp through xllamacpp, in this process or its child."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from backends import model_files
from backends.embedded.engine import Engine, SubprocessEngine
from backends.errors import NotConfigured
from backends.http.endpoint import Endpoint
from backends.openai import OpenAIBackend
from backends.settings import read_settings, require_package
from backends.streams import closing, reporting
from backends.types import Backend, ChatRequest, Event, Health

AnyEngine = Engine | SubprocessEngine


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a path or `hf:owner/repo/file.gguf`; without it the small default is used.

    `context` is the window of one request in tokens, `parallel` how many requests are generated together,
    `threads` defaults to the processors that this process may use. `apart` gives the engine a process of its own,
    so that a long load does not hold this one up.
    """

    model: str | None = None
    context: int = 4096
    parallel: int = 4
    threads: int | None = None
    read_timeout: float = 120.0
    apart: bool = False


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend on the model file; nothing is loaded or downloaded before the first request."""
    require_package("xllamacpp", extra="embedded")
    chosen = read_settings(Settings, settings)
    model_files.find_model(chosen.model)  # a path that does not exist is told now
    return EmbeddedBackend(chosen)


class EmbeddedBackend:
    """Streams from an engine that is started at the first request and shared by equal targets."""

    local = True  # a check would load the model

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: tuple[AnyEngine, OpenAIBackend] | None = None

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; the first call loads the model, and downloads it if it must."""
        return self._running[1].stream(request) if self._running else self._first(request)

    async def _first(self, request: ChatRequest) -> AsyncIterator[Event]:
        client = await self._client()
        stream = client.stream(request)
        async with closing(stream):
            async for event in stream:
                yield event

    async def check(self) -> Health:
        client = await self._client()
        if self._running and not self._running[0].alive:
            raise NotConfigured("The engine's process has ended.", "Start again; it may have run out of memory.")
        health = await client.check()
        return Health(health.model, self._settings.context, "in this process")

    async def aclose(self) -> None:
        """Let go of the engine; it stops when no other target uses it."""
        self._running = None

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Fetch the model file ahead of the first question, if it is not here."""
        if found := await asyncio.to_thread(model_files.find_model, self._settings.model):
            yield f"{found.name} is here", 1.0
            return

        steps = reporting(lambda report: model_files.download_model(self._settings.model, report))
        async with closing(steps):
            async for step in steps:
                yield step

    async def _client(self) -> OpenAIBackend:
        if self._running is None:
            engine = await asyncio.to_thread(engine_for, self._settings)
            endpoint = Endpoint(
                engine.url, engine.key, read_timeout=self._settings.read_timeout, name="The embedded model", in_process=True
            )
            self._running = engine, OpenAIBackend(endpoint, model=engine.name, context=self._settings.context)
        return self._running[1]


_engines: WeakValueDictionary[tuple[Path, Settings], AnyEngine] = WeakValueDictionary()
_starting = threading.Lock()


def engine_for(settings: Settings) -> AnyEngine:
    """The engine for these settings, started if it does not run; blocks."""
    with _starting:
        path = model_files.find_model(settings.model) or model_files.download_model(settings.model)
        engine = _engines.get((path, settings))
        if engine is None:
            kind = SubprocessEngine if settings.apart else Engine
            engine = kind(path, context=settings.context, parallel=settings.parallel, threads=settings.threads)
            _engines[path, settings] = engine
        return engine


@atexit.register
def _stop_engines() -> None:
    for engine in list(_engines.values()):
        engine.stop()
