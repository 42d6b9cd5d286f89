"""Streams from an Ollama server, through Ollama's own client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from backends.chat.answer_checks import checked
from backends.errors import NotConfigured
from backends.http.certificates import no_certificates, tls
from backends.http.endpoint import Endpoint
from backends.http.proxies import endpoint_proxy, is_loopback
from backends.http.routes import LIMITS
from backends.http.settings import HttpSettings
from backends.kinds.ollama.details import UNKNOWN, ModelDetails, context_length, read_details
from backends.kinds.ollama.errors import translate_errors
from backends.kinds.ollama.reader import OllamaReader
from backends.kinds.ollama.requests import chat_arguments
from backends.kinds.ollama.window import window_for
from backends.settings import read_settings, require_package
from backends.streams import closing
from backends.types import Backend, ChatRequest, Event, Health
from backends.vectors.batches import embed_in_batches
from backends.vectors.checks import check_vectors
from backends.vectors.types import Embeddings

if TYPE_CHECKING:
    import ollama

DEFAULT_PORT = 11434


@dataclass(frozen=True, slots=True)
class Settings(HttpSettings):
    """`model` is a name from `ollama list`; `url` takes the same forms as OLLAMA_HOST.

    `context` sets a fixed window in tokens; without it, each request gets the window that it needs. `read_timeout`
    includes the time to load the model. `think` turns the thinking of a reasoning model on or off.
    """

    model: str
    url: str = "http://127.0.0.1:11434"
    api_key: str | None = None
    context: int | None = None
    think: bool | None = None
    read_timeout: float = field(default=300.0, kw_only=True)


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the server at `url`; makes no request yet."""
    require_package("ollama", extra="ollama")
    return OllamaBackend(read_settings(Settings, settings))


def base_url(url: str) -> str:
    """The URL for `url` in any form of OLLAMA_HOST: `0.0.0.0:11434`, `box`, `:8080`."""
    text = url.strip()
    bare = "://" not in text
    try:
        parts = urlsplit(f"http://{text}" if bare else text)
        port = parts.port or (DEFAULT_PORT if bare else None)
        if parts.scheme not in ("http", "https") or not (bare or parts.hostname):
            raise ValueError("not an HTTP URL")
    except ValueError as error:
        raise NotConfigured(f"{url!r} is not a URL that can be called.", "Write it like http://host:11434.") from error
    # A server listens on the unspecified address; a client can't connect to it.
    host = parts.hostname if parts.hostname not in (None, "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    host = f"[{host}]" if ":" in str(host) else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


class OllamaBackend:
    """Streams from `/api/chat` and sets a context window that fits the request."""

    local = False

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key or os.environ.get("OLLAMA_API_KEY") or None
        url, network = base_url(settings.url), settings.network
        self._endpoint = Endpoint(url, key, *settings.timeouts, name="Ollama", network=network)
        self._settings = settings
        self._details: dict[str, ModelDetails] = {}
        # A connection belongs to the event loop that opened it.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, ollama.AsyncClient] = WeakKeyDictionary()

    def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Yield the answer as it arrives; see `backends.types.Backend`."""
        return checked(self._stream(request), request)

    async def _stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        model, reader = request.model or self._settings.model, OllamaReader()
        with translate_errors(self._endpoint, model, reader):
            details = await self._model_details(model)
            arguments = chat_arguments(request, self._window(details, request))
            reader.expect(details.opened_tag)
            parts = await self._client().chat(model, **arguments, stream=True, think=self._settings.think)
            async with closing(parts):
                async for part in parts:
                    for delta in reader.read(part):
                        yield delta
        for event in reader.finish():
            yield event
        yield reader.done

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return one vector per text; see `backends.vectors.types.EmbeddingBackend`."""
        return await embed_in_batches(texts, self._embed_batch)

    async def check(self) -> Health:
        """Ask whether the server has the model, and for its context window."""
        model = self._settings.model
        with translate_errors(self._endpoint, model, OllamaReader()):
            details = await self._client().show(model)
        return Health(model, self._settings.context or context_length(details))

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Let the server download the model before the first question."""
        model = self._settings.model
        with translate_errors(self._endpoint, model, OllamaReader()):
            steps = await self._client().pull(model, stream=True)
            async with closing(steps):
                async for step in steps:
                    progress = step.completed / step.total if step.total and step.completed is not None else None
                    yield step.status or "", progress

    async def aclose(self) -> None:
        """Close the running loop's connections; the next request opens new ones."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]

    async def _embed_batch(self, texts: Sequence[str]) -> Embeddings:
        model = self._settings.model
        with translate_errors(self._endpoint, model, OllamaReader()):
            answer = await self._client().embed(model, list(texts))
            vectors = [list(vector) for vector in answer.embeddings]
        return Embeddings(check_vectors(vectors, len(texts)), answer.prompt_eval_count)

    def _client(self) -> ollama.AsyncClient:
        import httpx
        import ollama

        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            endpoint = self._endpoint
            if proxy := endpoint_proxy(endpoint):
                proxy.check()
            self._clients[loop] = ollama.AsyncClient(
                endpoint.url,
                headers=endpoint.headers,
                timeout=httpx.Timeout(endpoint.read_timeout, connect=endpoint.connect_timeout),
                limits=httpx.Limits(max_connections=None, keepalive_expiry=LIMITS.keepalive_expiry),
                verify=self._tls(),
                proxy=proxy.url if proxy else None,
                trust_env=False,  # it would also send requests to this machine through a proxy
            )
        return self._clients[loop]

    def _tls(self) -> ssl.SSLContext:
        """The certificates to trust; a server on this machine without TLS doesn't wait until they are loaded."""
        network, parts = self._endpoint.network, urlsplit(self._endpoint.url)
        if network and network.tls:
            return network.tls
        return no_certificates() if parts.scheme == "http" and is_loopback(parts.hostname or "") else tls()

    async def _model_details(self, model: str) -> ModelDetails:
        """What the server says of a model, asked once; with a fixed window, it isn't asked."""
        if self._settings.context is not None:
            return UNKNOWN
        if model not in self._details:
            self._details[model] = UNKNOWN
            with contextlib.suppress(ValueError):  # if the server doesn't say
                self._details[model] = read_details(await self._client().show(model))
        return self._details[model]

    def _window(self, details: ModelDetails, request: ChatRequest) -> int:
        fixed = self._settings.context
        return window_for(request, fixed or details.window, fixed=fixed is not None)
