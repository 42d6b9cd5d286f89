"""Any server that speaks the OpenAI chat API: vLLM, llama-server, TGI, our own container."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import httpx2

from backends import http, sse, wire
from backends.errors import NotConfigured, Rejected, Unreachable
from backends.settings import read_settings
from backends.stopwatch import mark
from backends.types import Backend, ChatRequest, Delta, Event, Health, Message


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
        self._model = model
        self._context = context
        self._extra_body = dict(extra_body or {})

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; see `backends.types.Backend`."""
        body = wire.chat_body(request, model=self._model) | self._extra_body
        if "model" not in body and (model := await self._served_model()):
            body["model"] = model
        reader = wire.ChatReader(self.endpoint.quoted)
        async with http.post_stream(self.endpoint, "/chat/completions", body) as response:
            kind = response.headers.get("content-type", "")
            if "json" in kind or "html" in kind:
                for delta in await self._read_whole(reader, response):
                    yield delta
                yield reader.done
                return
            # The response's own iterators would do more for each token than the rest of the way.
            chunks, decoder = aiter(cast(httpx2.AsyncByteStream, response.stream)), sse.SSEDecoder()
            try:
                async for chunk in chunks:
                    for payload in decoder.feed(chunk):
                        deltas = reader.read(payload)
                        if not deltas:
                            mark(reader.last)
                        for delta in deltas:
                            yield delta
                    if reader.complete:
                        break
                for delta in reader.finish(decoder.flush()):
                    yield delta
            except httpx2.TimeoutException as error:
                raise http.translate(self.endpoint, error) from error
            except (httpx2.TransportError, sse.BadEvent) as error:
                raise reader.broken(self.endpoint.quoted(str(error)) or type(error).__name__) from error
            yield reader.done
            await _drain(chunks)

    async def check(self) -> Health:
        """Ask what is served; a server without /models is asked for one token instead."""
        try:
            listed = await http.get_json(self.endpoint, "/models")
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
        """Nothing to do: connections are pooled in `backends.http` and outlive a target."""

    async def _served_model(self) -> str | None:
        """The first model that the server lists, asked once; None where it lists none."""
        with contextlib.suppress(Rejected, Unreachable):
            cards = model_cards(await http.get_json(self.endpoint, "/models"))
            self._model = str(cards[0]["id"]) if cards else None
        return self._model

    async def _read_whole(self, reader: wire.ChatReader, response: httpx2.Response) -> list[Delta]:
        """Deltas of a server that answers in one piece although a stream was asked for."""
        with http.translated(self.endpoint):
            text = (await response.aread()).decode("utf-8", "replace")
        if '"choices"' not in text and '"error"' not in text:
            raise http.not_an_api(self.endpoint, text)
        return reader.read(text) + reader.finish([wire.DONE])


def one_token() -> ChatRequest:
    """The smallest request that proves that a model answers."""
    return ChatRequest((Message("user", "Say hi."),), max_tokens=1, temperature=0.0)


def model_cards(listed: Any) -> list[dict[str, Any]]:
    """The entries of a list of models, in either of the shapes that servers give it."""
    cards = listed.get("data", []) if isinstance(listed, dict) else listed
    return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read to the end of a finished response, so that its connection can serve the next request."""
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(0.1):
            async for _ in chunks:
                pass
