"""A backend whose streams are spans with OpenTelemetry's conventions for generative AI."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from backends.stopwatch import now
from backends.telemetry.spans import is_on, span, traced
from backends.types import Backend, ChatRequest, Done, Event

if TYPE_CHECKING:
    from backends.vectors.types import Embeddings

_PROVIDERS = {"sagemaker": "aws.sagemaker", "vertex": "gcp.vertex_ai"}


def with_spans(backend: Backend, kind: str, model: str) -> Backend:
    """Return the backend, with spans if they are recorded; `model` is the target's."""
    if not is_on():
        return backend
    wrapper = TracedEmbeddings if hasattr(backend, "embed") else TracedBackend
    return wrapper(backend, _PROVIDERS.get(kind, kind), model)


class TracedBackend:
    """Records each answer as a span; has all other members of the backend itself."""

    def __init__(self, backend: Any, provider: str, model: str) -> None:
        self._backend = backend
        self._provider = provider
        self._model = model

    @property
    def local(self) -> bool:
        return bool(self._backend.local)

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; see `backends.types.Backend`."""
        model = request.model or self._model
        attributes = self._attributes("chat", model) | {
            "gen_ai.request.max_tokens": request.max_tokens,
            "gen_ai.request.temperature": request.temperature,
            "gen_ai.request.stream": True,
        }
        optional = {"top_p": request.top_p, "seed": request.seed, "stop_sequences": request.stop or None}
        attributes |= {f"gen_ai.request.{name}": value for name, value in optional.items() if value is not None}
        stream = self._backend.stream(request)
        return traced(f"chat {model}".rstrip(), attributes, stream, kind="client", observe=_observer())

    async def check(self) -> Any:
        return await self._backend.check()

    async def aclose(self) -> None:
        await self._backend.aclose()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def _attributes(self, operation: str, model: str) -> dict[str, Any]:
        attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": self._provider}
        return attributes | ({"gen_ai.request.model": model} if model else {})


class TracedEmbeddings(TracedBackend):
    """Records the vectors too. Others have no `embed`, so that nobody takes a backend for one that makes vectors."""

    async def embed(self, texts: Any) -> Embeddings:
        """Return one vector per text; see `backends.vectors.types.EmbeddingBackend`."""
        with span(f"embeddings {self._model}".rstrip(), self._attributes("embeddings", self._model), kind="client"):
            embeddings: Embeddings = await self._backend.embed(texts)
            return embeddings


def _observer() -> Callable[[Any, Event], None]:
    """Return what adds the first token's time, the finish reason and the token counts to a span."""
    start, has_output = now(), False

    def observe(current: Any, event: Event) -> None:
        nonlocal has_output
        if not has_output:
            has_output = True
            current.set_attribute("gen_ai.response.time_to_first_chunk", now() - start)
        if isinstance(event, Done):
            if event.finish_reason:
                current.set_attribute("gen_ai.response.finish_reasons", (event.finish_reason,))
            if event.usage:
                current.set_attribute("gen_ai.usage.input_tokens", event.usage.input_tokens)
                current.set_attribute("gen_ai.usage.output_tokens", event.usage.output_tokens)

    return observe
