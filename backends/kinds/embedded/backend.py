"""A llama.cpp model on this machine through xllamacpp, in this process or a child process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from weakref import WeakValueDictionary

from backends.errors import NotConfigured
from backends.http.endpoint import Endpoint
from backends.kinds.embedded.capabilities import refuse_unsupported
from backends.kinds.embedded.engine import Engine, Pooling, Task
from backends.kinds.embedded.fast_copy import fast_copy
from backends.kinds.embedded.subprocess_engine import SubprocessEngine
from backends.kinds.openai import OpenAIBackend
from backends.local_models import model_files
from backends.settings import read_settings, require_package
from backends.streams import closing, report_progress
from backends.types import Backend, ChatRequest, Event, Health
from backends.vectors.types import Embeddings

AnyEngine = Engine | SubprocessEngine


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a path or `hf:owner/repo/file.gguf`; the default is a small model.

    `context` is the window of one request in tokens. `parallel` is the number of requests that are generated
    together. `threads` defaults to the processors available to this process. `subprocess` runs the engine in its own
    process, so that loading a model doesn't block this one. `pooling` is "mean", "cls" or "last" for embeddings of a
    model whose file doesn't say how it makes one vector of its tokens.
    """

    model: str | None = None
    context: int = 4096
    parallel: int = 4
    threads: int | None = None
    read_timeout: float = 120.0
    subprocess: bool = False
    pooling: str | None = None


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend for the model file; loads and downloads nothing before the first request."""
    require_package("xllamacpp", extra="embedded")
    options = read_settings(Settings, settings)
    if options.pooling not in (None, *get_args(Pooling)):
        raise NotConfigured(f"pooling is {options.pooling!r}.", f"Use one of: {', '.join(get_args(Pooling))}.")
    model_files.find_model(options.model)  # a path that doesn't exist is an error now
    return EmbeddedBackend(options)


class EmbeddedBackend:
    """Streams from an engine that starts at the first request; equal targets share one."""

    local = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: tuple[AnyEngine, OpenAIBackend] | None = None
        self._others: dict[Task, tuple[AnyEngine, OpenAIBackend]] = {}  # an engine does one of the tasks

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; the first call loads the model, and downloads it if necessary."""
        if self._running is None or request.offers_tools or request.has_pictures:
            return self._prepared_stream(request)
        return self._running[1].stream(request)

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return one vector per text; see `backends.vectors.types.EmbeddingBackend`."""
        return await (await self._client_for("embed")).embed(texts) if texts else Embeddings(())

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text; see `backends.vectors.types.RerankingBackend`."""
        return await (await self._client_for("rerank")).rerank(query, texts) if texts else []

    async def check(self) -> Health:
        """Load the model and check that its engine runs."""
        client = await self._client()
        if self._running and not self._running[0].alive:
            raise NotConfigured("The engine's process has ended.", "Start again; it may have run out of memory.")
        health = await client.check()
        return Health(health.model, self._settings.context, "on this machine")

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Download the model file before the first question, unless it is already on this machine."""
        if path := await asyncio.to_thread(model_files.find_model, self._settings.model):
            yield f"{path.name} is already downloaded", 1.0
            return

        steps = report_progress(lambda report: model_files.download_model(self._settings.model, report))
        async with closing(steps):
            async for step in steps:
                yield step

    async def aclose(self) -> None:
        """Release the engines; they stop when no target uses them."""
        self._running = None
        self._others.clear()

    async def _prepared_stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        client = await self._client()
        if self._running and (request.offers_tools or request.has_pictures):
            await refuse_unsupported(client.endpoint, self._running[0].name, request)
        stream = client.stream(request)
        async with closing(stream):
            async for event in stream:
                yield event

    async def _client(self) -> OpenAIBackend:
        if self._running is None:
            self._running = await self._start("chat")
        return self._running[1]

    async def _client_for(self, task: Task) -> OpenAIBackend:
        if task not in self._others:
            self._others[task] = await self._start(task)
        return self._others[task][1]

    async def _start(self, task: Task) -> tuple[AnyEngine, OpenAIBackend]:
        settings = self._settings
        engine = await asyncio.to_thread(shared_engine, settings, task)
        endpoint = Endpoint(
            engine.url, engine.key, read_timeout=settings.read_timeout, name="The embedded model", in_process=True
        )
        return engine, OpenAIBackend(endpoint, model=engine.name, context=settings.context)


_engines: WeakValueDictionary[tuple[Path, Settings, Task], AnyEngine] = WeakValueDictionary()
_lock = threading.Lock()


def shared_engine(settings: Settings, task: Task = "chat") -> AnyEngine:
    """Return the engine for these settings and a task, and start it if necessary; blocks."""
    with _lock:
        path = model_files.find_model(settings.model) or model_files.download_model(settings.model)
        if path == model_files.packaged_model():
            path = fast_copy(path)
        key = path, settings, task
        engine = _engines.get(key)
        if engine is None:
            engine_class = SubprocessEngine if settings.subprocess else Engine
            engine = engine_class(
                path,
                context=settings.context,
                parallel=settings.parallel,
                threads=settings.threads,
                task=task,
                pooling=settings.pooling,
            )
            _engines[key] = engine
        return engine


@atexit.register
def _stop_engines() -> None:
    for engine in list(_engines.values()):
        engine.stop()
