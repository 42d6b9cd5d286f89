"""Any server with the OpenAI API: vLLM, llama-server, TGI, or Spaceport's own container."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backends.chat.answer_checks import checked
from backends.chat.client import ChatCall, stream_chat
from backends.chat.parameters import Parameters
from backends.chat.requests import chat_body
from backends.chat.settings import ChatSettings
from backends.chat.thoughts.opened_thoughts import OpenedThoughts
from backends.chat.thoughts.reasoning import Reasoning
from backends.errors import NotConfigured, Rejected, Unreachable
from backends.http.client import get_json
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import ErrorFactory, response_error
from backends.settings import read_settings
from backends.types import Backend, ChatRequest, Event, Health, Message
from backends.vectors.batches import embed_in_batches, in_batches
from backends.vectors.openai_format import request_embeddings, request_scores
from backends.vectors.types import Embeddings


@dataclass(frozen=True, slots=True)
class Settings(ChatSettings):
    """`model` is optional if the server has only one; `extra_body` is added to every request."""

    url: str
    model: str | None = None
    api_key: str | None = None
    context: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the server at `url`; makes no request yet."""
    options = read_settings(Settings, settings)
    return OpenAIBackend(
        Endpoint(base_url(options.url), options.api_key or None, *options.timeouts, network=options.network),
        model=options.model,
        context=options.context,
        extra_body=options.extra_body,
        parameters=options.parameters,
        reasoning=options.marks,
    )


def base_url(url: str) -> str:
    """The base URL for routes, from `url` with or without /v1 or /chat/completions."""
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # the port is not a number, or a bracket is missing
        valid = False
    if not valid:
        raise NotConfigured(f"{url!r} is not a URL that can be called.", "Write it like http://host:8000/v1.")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return urlunsplit(parts._replace(path=path or "/v1", fragment=""))


class OpenAIBackend:
    """Streams from `{endpoint.url}/chat/completions`."""

    local = False

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        model: str | None = None,
        context: int | None = None,
        extra_body: Mapping[str, Any] | None = None,
        parameters: Parameters | None = None,
        reasoning: Reasoning = "auto",
    ) -> None:
        self.endpoint = endpoint
        self.make_error: ErrorFactory = response_error
        self._model = model
        self._context = context
        self._extra_body = dict(extra_body or {})
        self._parameters = parameters or Parameters()
        self._reasoning = reasoning
        self._opened: OpenedThoughts | None = OpenedThoughts()

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; see `backends.types.Backend`."""
        return checked(stream_chat(partial(self._call, request)), request)

    async def check(self) -> Health:
        """Ask which models the server has; if it has no /models, request one token instead."""
        try:
            document = await get_json(await self._current_endpoint(), "/models", self.make_error)
        except Rejected as error:
            if error.status not in (404, 405, 501):
                raise
            async for _ in self.stream(one_token_request()):
                pass
            return Health(self._model or "unnamed", self._context, "the server does not list its models")
        models = model_cards(document)
        names = [str(card.get("id")) for card in models]
        if self._model and names and self._model not in names:
            raise Rejected(
                f"{self.endpoint.display_url} does not serve {self._model!r}.",
                f"Set model to one of: {', '.join(names[:10])}.",
                status=404,
            )
        card = next((card for card in models if card.get("id") == self._model), models[0] if models else {})
        return Health(self._model or str(card.get("id", "unnamed")), self._context or card.get("max_model_len"))

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return one vector per text; see `backends.vectors.types.EmbeddingBackend`."""
        return await embed_in_batches(texts, self._embed_batch)

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text; see `backends.vectors.types.RerankingBackend`."""
        parts = await in_batches(texts, partial(self._rerank_batch, query))
        return [score for part in parts for score in part]

    async def aclose(self) -> None:
        """Do nothing: `backends.http.connections` pools the connections, which outlive a target."""

    async def _call(self, request: ChatRequest) -> ChatCall:
        body = self._parameters.adapt(chat_body(request, model=self._model)) | self._extra_body
        if "model" not in body:
            body |= await self._model_field()
        return ChatCall(
            await self._current_endpoint(),
            "/chat/completions",
            body,
            make_error=self.make_error,
            reasoning=self._reasoning,
            opened=self._opened,
            adapt=self._parameters.learn,
        )

    async def _embed_batch(self, texts: Sequence[str]) -> Embeddings:
        fields = await self._model_field() | self._extra_body
        return await request_embeddings(await self._current_endpoint(), fields, texts, self.make_error)

    async def _rerank_batch(self, query: str, texts: Sequence[str]) -> list[float]:
        fields = await self._model_field() | self._extra_body
        return await request_scores(await self._current_endpoint(), fields, query, texts, self.make_error)

    async def _model_field(self) -> dict[str, Any]:
        """The `model` of a request: that of the target, or the first that the server lists."""
        model = self._model or await self._first_model()
        return {"model": model} if model else {}

    async def _current_endpoint(self) -> Endpoint:
        """The endpoint for the next call; subclasses renew credentials here."""
        return self.endpoint

    async def _first_model(self) -> str | None:
        """The first model that the server lists, or None if it lists none; one request, then cached."""
        with contextlib.suppress(Rejected, Unreachable):
            cards = model_cards(await get_json(await self._current_endpoint(), "/models", self.make_error))
            self._model = str(cards[0]["id"]) if cards else None
        return self._model


def one_token_request() -> ChatRequest:
    """The smallest request that proves that a model answers."""
    return ChatRequest((Message("user", "Say hi."),), max_tokens=1, temperature=0.0)


def model_cards(document: Any) -> list[dict[str, Any]]:
    """The entries of a /models document, which is a list or an object with `data`."""
    cards = document.get("data", []) if isinstance(document, dict) else document
    return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
