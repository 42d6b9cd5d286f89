"""A model inside this process: llama.cpp through xllamacpp, no key and no server needed.

xllamacpp always opens an HTTP port on 127.0.0.1. It is the way in for us too: the same streaming client as
for any server, continuous batching, and a connection whose closing stops the generation. A random key keeps
other users and web pages of this machine out.
"""

from __future__ import annotations

import asyncio
import atexit
import secrets
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from backends import http, model_files
from backends.errors import NotConfigured
from backends.openai import OpenAIBackend
from backends.processors import spin_briefly, usable_processors
from backends.settings import read_settings, require
from backends.streams import closing, reporting
from backends.types import Backend, ChatRequest, Event, Health


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a path or `hf:owner/repo/file.gguf`; without it the small default is used.

    `context` is the window of one request in tokens, `parallel` how many requests are generated together,
    `threads` defaults to the processors that this process may use.
    """

    model: str | None = None
    context: int = 4096
    parallel: int = 4
    threads: int | None = None
    read_timeout: float = 120.0


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend on the model file; nothing is loaded or downloaded before the first request."""
    require("xllamacpp", extra="embedded")
    chosen = read_settings(Settings, settings)
    model_files.find_model(chosen.model)  # a path that does not exist is told now
    return EmbeddedBackend(chosen)


class EmbeddedBackend:
    """Streams from an engine that is started at the first request and shared by equal targets."""

    local = True  # a check would load the model

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: tuple[Engine, OpenAIBackend] | None = None

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; the first call loads the model, and downloads it if it must."""
        client = await self._client()
        stream = client.stream(request)
        async with closing(stream):
            async for event in stream:
                yield event

    async def check(self) -> Health:
        client = await self._client()
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
            endpoint = http.Endpoint(
                engine.url, engine.key, read_timeout=self._settings.read_timeout, what="The embedded model", inside=True
            )
            self._running = engine, OpenAIBackend(endpoint, model=engine.name, context=self._settings.context)
        return self._running[1]


class Engine:
    """A running llama.cpp server: its address, its key, and the name of its model."""

    def __init__(self, path: Path, settings: Settings) -> None:
        spin_briefly()
        import xllamacpp

        self.key = secrets.token_urlsafe(32)
        self.name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {self.name}
        params.n_ctx = settings.context * settings.parallel
        params.n_parallel = settings.parallel
        params.cpuparams.n_threads = settings.threads or usable_processors()
        params.api_keys = [self.key]
        params.cors_origins = "http://127.0.0.1"
        params.ui = params.endpoint_slots = params.endpoint_metrics = False
        params.cache_ram_mib = 256
        params.verbosity = 0
        try:
            self._server = xllamacpp.Server(params)
        except Exception as error:
            raise NotConfigured(
                f"llama.cpp could not load {path.name} ({error}).", "It must be a GGUF model that fits into memory."
            ) from error
        self.url = f"{self._server.listening_address}/v1"


_engines: WeakValueDictionary[tuple[Path, Settings], Engine] = WeakValueDictionary()
_starting = threading.Lock()


def engine_for(settings: Settings) -> Engine:
    """The engine for these settings, started if it does not run; blocks."""
    with _starting:
        path = model_files.find_model(settings.model) or model_files.download_model(settings.model)
        engine = _engines.get((path, settings))
        if engine is None:
            engine = _engines[path, settings] = Engine(path, settings)
        return engine


@atexit.register
def _stop_engines() -> None:
    # llama.cpp's threads must end before the interpreter takes the library apart.
    for engine in list(_engines.values()):
        del engine._server
