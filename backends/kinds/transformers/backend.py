"""Streams from a transformers model in this process."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

from backends.chat.failures import cut_off
from backends.errors import BackendError, NotConfigured, Overloaded, Rejected
from backends.kinds.transformers.generate import generate
from backends.kinds.transformers.models import DEVICES, DTYPES, Settings, load, source
from backends.kinds.transformers.tokens import TokenReader
from backends.kinds.transformers.vectors import embed_texts, score_texts
from backends.machine.zero_gpu import ZERO_GPU
from backends.settings import read_settings, require_package
from backends.streams import closing, iterate_in_thread
from backends.types import Backend, ChatRequest, Done, Event, Health, Usage
from backends.vectors.types import Embeddings


def connect(settings: Mapping[str, Any]) -> Backend:
    """A backend for the model; loads and downloads nothing before the first request."""
    for package in ("torch", "transformers"):
        require_package(package, extra="transformers")
    options = read_settings(Settings, settings)
    for name, value, valid in (("device", options.device, DEVICES), ("dtype", options.dtype, DTYPES)):
        if value not in valid:
            raise NotConfigured(f"The setting {name} is {value!r}.", f"Write one of: {', '.join(valid)}.")
    source(options.model)  # a file that doesn't exist is an error now
    return TransformersBackend(options)


class TransformersBackend:
    """Streams from a model that is loaded at the first request; equal targets share it."""

    local = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it is generated; the first call loads the model, and downloads it if necessary."""
        events = iterate_in_thread(lambda stopped: self._answer(request, stopped))
        async with closing(events):
            async for event in events:
                yield event

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return one vector per text; see `backends.vectors.types.EmbeddingBackend`."""
        return await asyncio.to_thread(embed_texts, self._settings, texts)

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text; see `backends.vectors.types.RerankingBackend`."""
        return await asyncio.to_thread(score_texts, self._settings, query, texts)

    async def check(self) -> Health:
        """Load the model, and report its name, context and device."""
        model = await asyncio.to_thread(load, self._settings)
        return Health(model.name, model.context, f"on {model.device}")

    def load(self) -> None:
        """Load the model, and download it if necessary; blocks."""
        load(self._settings)

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Load the model before the first question, which downloads it if necessary."""
        yield f"Loading {self._settings.model or 'the default model'}", None
        model = await asyncio.to_thread(load, self._settings)
        yield f"{model.name} is already downloaded", 1.0

    async def aclose(self) -> None:
        """Do nothing: the model stays loaded for other targets until the process ends."""

    def _answer(self, request: ChatRequest, stopped: threading.Event) -> Iterator[Event]:
        """Generate one answer; blocks. Ends within one token after `stopped` is set."""
        _refuse_more_than_text(request)
        model = load(self._settings)
        ids, in_thought = model.prompt(request)
        if stopped.is_set():  # while a long prompt was rendered and tokenized
            return
        reader = TokenReader(model.decode, request.stop, in_thought=in_thought)
        options = model.generation_options(request, len(ids))
        count, last = 0, None
        tokens = generate(self._settings, ids, options)
        try:
            with contextlib.closing(tokens):
                for last in tokens:
                    count += 1
                    if stopped.is_set():
                        return
                    yield from reader.read(last)
                    if reader.at_stop:
                        break
        except Exception as error:
            raise _generation_error(error, interrupted=reader.has_output) from error
        yield from reader.flush()
        at_limit = count >= options["max_new_tokens"] and last not in options["eos_token_id"] and not reader.at_stop
        yield Done("length" if at_limit else "stop", Usage(len(ids), count))


def _refuse_more_than_text(request: ChatRequest) -> None:
    """Raise `Rejected` for what only a server with a model's own parser or a grammar can do."""
    features = {
        "tools": request.offers_tools,
        "a JSON schema": request.schema is not None,
        "pictures": request.has_pictures,
        "log probabilities": request.logprobs is not None,
    }
    if names := " and ".join(name for name, is_requested in features.items() if is_requested):
        message = f"The transformers kind doesn't support {names}."
        raise Rejected(message, "Ask a target of another kind, such as embedded, openai or ollama.", status=400)


def _generation_error(error: Exception, *, interrupted: bool) -> BackendError:
    """The `BackendError` for what torch, or ZeroGPU's queue, raised during generation."""
    if isinstance(error, BackendError):
        return error
    # gradio.Error, which ZeroGPU raises, has its text in `message`.
    reason = (str(getattr(error, "message", error)) or type(error).__name__).splitlines()[0][:300]
    if interrupted:
        return cut_off(reason)
    if ZERO_GPU:
        return Overloaded(
            f"ZeroGPU provided no GPU: {reason}.", "Wait a little, or sign in to Hugging Face for more quota."
        )
    if type(error).__name__ == "OutOfMemoryError":
        return Overloaded(f"There is no memory left for this answer ({reason}).", "Try again later, or ask for less.")
    return Rejected(f"The model failed ({reason}).", "Look at the log; another dtype or device may help.", status=500)
