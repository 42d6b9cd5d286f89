"""Any server that speaks the OpenAI chat API: vLLM, llama-server, TGI, our own container."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from backends.chat import events as wire
from backends.chat.client import Call, answer
from backends.errors import NotConfigured, Rejected, Unreachable
from backends.http import client as http
from backends.settings import read_settings
from backends.types import Backend, ChatRequest, Event, Health, Message


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` may be left out where the server has one; `extra_body` is sent along with each request."""

    url: str
    model: str | None = None
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    context: int | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the server at `url`; nothing is sent yet."""
    chosen = read_settings(Settings, settings)
    endpoint = http.Endpoint(base_url(chosen.url), chosen.api_key or None, chosen.connect_timeout, chosen.read_timeout)
    return OpenAIBackend(endpoint, model=chosen.model, context=chosen.context, extra_body=chosen.extra_body)


def base_url(url: str) -> str:
    """`url` as people write it, with or without /v1 or the route, as the base that routes are added to."""
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # the port is no number, or a bracket is missing
        usable = False
    if not usable:
        raise NotConfigured(f"{url!r} is not a URL that can be called.", "Write it like http://host:8000/v1.")
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    return urlunsplit(parts._replace(path=path or "/v1", fragment=""))


class OpenAIBackend:
    """Streams from `{endpoint.url}/chat/completions`."""

    def __init__(
        self,
        endpoint: http.Endpoint,
        *,
        model: str | None = None,
        context: int | None = None,
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.refuse: http.Refuse = http.refusal
        self._model = model
        self._context = context
        self._extra_body = dict(extra_body or {})

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; see `backends.types.Backend`."""
        return answer(partial(self._call, request))

    async def _call(self, request: ChatRequest) -> Call:
        body = wire.chat_body(request, model=self._model) | self._extra_body
        if "model" not in body and (model := await self._served_model()):
            body["model"] = model
        return Call(await self._place(), "/chat/completions", body, refuse=self.refuse)

    async def _place(self) -> http.Endpoint:
        """Where it is called, each time anew: other kinds have credentials that end."""
        return self.endpoint

    async def check(self) -> Health:
        """Ask what is served; a server without /models is asked for one token instead."""
        try:
            listed = await http.get_json(await self._place(), "/models", self.refuse)
        except Rejected as error:
            if error.status not in (404, 405, 501):
                raise
            async for _ in self.stream(one_token()):
                pass
            return Health(self._model or "unnamed", self._context, "the server does not list its models")
        models = model_cards(listed)
        names = [str(card.get("id")) for card in models]
        if self._model and names and self._model not in names:
            raise Rejected(
                f"{self.endpoint.shown} does not serve {self._model!r}.",
                f"Set model to one of: {', '.join(names[:10])}.",
                status=404,
            )
        card = next((card for card in models if card.get("id") == self._model), models[0] if models else {})
        return Health(self._model or str(card.get("id", "unnamed")), self._context or card.get("max_model_len"))

    async def aclose(self) -> None:
        """Nothing to do: connections are pooled in `backends.http.client` and outlive a target."""

    async def _served_model(self) -> str | None:
        """The first model that the server lists, asked once; None where it lists none."""
        with contextlib.suppress(Rejected, Unreachable):
            cards = model_cards(await http.get_json(await self._place(), "/models", self.refuse))
            self._model = str(cards[0]["id"]) if cards else None
        return self._model


def one_token() -> ChatRequest:
    """The smallest request that proves that a model answers."""
    return ChatRequest((Message("user", "Say hi."),), max_tokens=1, temperature=0.0)


def model_cards(listed: Any) -> list[dict[str, Any]]:
    """The entries of a list of models, in either of the shapes that servers give it."""
    cards = listed.get("data", []) if isinstance(listed, dict) else listed
    return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
