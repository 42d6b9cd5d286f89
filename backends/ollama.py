"""A model on an Ollama server, through Ollama's own client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx2

from backends.chat.reasoning import ThoughtSplitter
from backends.errors import BackendError, Interrupted, NotConfigured, Rejected, Unreachable
from backends.http import client as http
from backends.http import connections
from backends.settings import read_settings, require
from backends.streams import closing
from backends.types import Backend, ChatRequest, Delta, Done, Event, Health, Usage

if TYPE_CHECKING:
    import ollama

SMALLEST_WINDOW = 2048
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """`model` is a name as `ollama list` shows it; `url` may be written as OLLAMA_HOST is.

    `context` fixes the window in tokens; without it each request gets the window that it needs.
    `read_timeout` covers the loading of the model. `think` asks a model that can to think, or not to.
    """

    model: str
    url: str = "http://127.0.0.1:11434"
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 300.0
    context: int | None = None
    think: bool | None = None


def connect(settings: Mapping[str, Any]) -> Backend:
    """A client for the server at `url`; nothing is sent yet."""
    require("ollama", extra="ollama")
    return OllamaBackend(read_settings(Settings, settings))


def base_url(url: str) -> str:
    """`url` as people write OLLAMA_HOST (`0.0.0.0:11434`, `box`, `:8080`), as a URL that can be called."""
    text = url.strip()
    bare = "://" not in text
    try:
        parts = urlsplit(f"http://{text}" if bare else text)
        port = parts.port or (11434 if bare else None)
        if parts.scheme not in ("http", "https") or not (bare or parts.hostname):
            raise ValueError("this scheme cannot be called")
    except ValueError as error:
        raise NotConfigured(f"{url!r} is not a URL that can be called.", "Write it like http://host:11434.") from error
    # The address on which a server listens to everyone is none to call.
    host = parts.hostname if parts.hostname not in (None, "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    host = f"[{host}]" if ":" in str(host) else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path.rstrip('/')}"


class OllamaBackend:
    """Streams from `/api/chat` and asks for a window that holds the request."""

    def __init__(self, settings: Settings) -> None:
        key = settings.api_key or os.environ.get("OLLAMA_API_KEY") or None
        self._endpoint = http.Endpoint(
            base_url(settings.url), key, settings.connect_timeout, settings.read_timeout, what="Ollama"
        )
        self._settings = settings
        self._windows: dict[str, int | None] = {}
        # A connection belongs to the event loop that opened it.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, ollama.AsyncClient] = WeakKeyDictionary()

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        """Give the answer as it comes; see `backends.types.Backend`."""
        model, reader = request.model or self._settings.model, _Reader()
        with self._translated(model, reader):
            parts = await self._client().chat(
                model,
                [{"role": message.role, "content": message.content} for message in request.messages],
                stream=True,
                think=self._settings.think,
                options=_options(request, await self._window(model, request)),
            )
            async with closing(parts):
                async for part in parts:
                    for delta in reader.read(part):
                        yield delta
        for delta in reader.finish():
            yield delta
        yield reader.done

    async def check(self) -> Health:
        """Ask whether the model is there, and how long its window is."""
        model = self._settings.model
        with self._translated(model, _Reader()):
            shown = await self._client().show(model)
        return Health(model, self._settings.context or _context_length(shown))

    async def pull(self) -> AsyncIterator[tuple[str, float | None]]:
        """Fetch the model to the server, ahead of the first question."""
        model = self._settings.model
        with self._translated(model, _Reader()):
            steps = await self._client().pull(model, stream=True)
            async with closing(steps):
                async for step in steps:
                    share = step.completed / step.total if step.total and step.completed is not None else None
                    yield step.status or "", share

    async def aclose(self) -> None:
        """Close the running loop's connections; the next request opens new ones."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call]

    def _client(self) -> ollama.AsyncClient:
        import httpx
        import ollama

        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            endpoint = self._endpoint
            self._clients[loop] = ollama.AsyncClient(
                endpoint.url,
                headers=endpoint.headers,
                timeout=httpx.Timeout(endpoint.read_timeout, connect=endpoint.connect_timeout),
                limits=httpx.Limits(max_connections=None, keepalive_expiry=connections.LIMITS.keepalive_expiry),
                verify=connections.tls(),
                # A proxy from the environment must never see what is said to this machine itself.
                trust_env=urlsplit(endpoint.url).hostname not in LOCAL,
            )
        return self._clients[loop]

    async def _window(self, model: str, request: ChatRequest) -> int:
        """The window to ask for; the model's own limit is learnt once."""
        fixed = self._settings.context
        if fixed is None and model not in self._windows:
            self._windows[model] = None
            # A server that does not tell has no limit that we know of.
            with contextlib.suppress(ValueError):
                self._windows[model] = _context_length(await self._client().show(model))
        return window_for(request, fixed or self._windows[model], fixed=fixed is not None)

    @contextlib.contextmanager
    def _translated(self, model: str, reader: _Reader) -> Iterator[None]:
        """Turn what Ollama's client raises into a `BackendError`."""
        import httpx
        import ollama

        try:
            yield
        except ollama.ResponseError as error:
            raise self._refusal(error, model, spoke=reader.spoke) from error
        except (httpx.HTTPError, httpx.InvalidURL, ConnectionError) as error:
            raise self._broken_connection(error, spoke=reader.spoke) from error
        except (ValueError, TypeError, AttributeError) as error:  # what the client raises for other JSON, or none
            if reader.spoke:
                raise _cut_off("it sent a line that is no chat item") from error
            where = self._endpoint.place
            raise Unreachable(
                f"{where} answered, but not as Ollama does.", "Check the url in the catalogue."
            ) from error

    def _refusal(self, error: ollama.ResponseError, model: str, *, spoke: bool) -> BackendError:
        # Something else that answers at this address may put an object there, against the type.
        text = error.error if isinstance(error.error, str) else json.dumps(error.error)
        if spoke:
            return _cut_off(f"the server reports “{self._endpoint.redact(text)[:300]}”")
        if error.status_code == 404 and "model" in text:
            return Rejected(
                f"{self._endpoint.place} has no model {model!r}.",
                f"Fetch it: ollama pull {model}, or python -m backends pull with this target's name.",
                status=404,
            )
        # An error after the headers have been sent has no status of its own: -1.
        status = error.status_code if error.status_code > 0 else 500
        return http.refusal(self._endpoint, status, {}, text.encode())

    def _broken_connection(self, error: Exception, *, spoke: bool) -> BackendError:
        import httpx

        if spoke and not isinstance(error, httpx.TimeoutException):
            return _cut_off(str(error) or type(error).__name__)
        # httpx2 has the errors of httpx under the same names, and http.py the words for them.
        kind = getattr(httpx2, type(error).__name__, httpx2.ConnectError)
        told = http.translate(self._endpoint, kind(str(error)))
        if isinstance(error, (httpx.ConnectError, ConnectionError)):
            where = self._endpoint.place
            return Unreachable(f"{where} is not answering.", "Start it: ollama serve, or correct the url.")
        return told


class _Reader:
    """Reads the items of one answer: deltas out, and the last item kept for its figures."""

    def __init__(self) -> None:
        self.spoke = False
        self._last: ollama.ChatResponse | None = None
        self._split = ThoughtSplitter()

    def read(self, part: ollama.ChatResponse) -> list[Delta]:
        deltas: list[Delta] = []
        if part.message.thinking:
            deltas.append(Delta(part.message.thinking, "thought"))
        if part.message.content:
            deltas += self._split.feed(part.message.content)
        if part.done:
            self._last = part
        self.spoke = self.spoke or bool(deltas)
        return deltas

    def finish(self) -> list[Delta]:
        """Give what was held back; an unannounced end is an error."""
        if self._last is None:
            what = "it closed the stream before the answer was complete"
            if self.spoke:
                raise _cut_off(what)
            raise Unreachable(f"The server gave no answer: {what}.", "Look at the server's log, then ask again.")
        return self._split.flush()

    @property
    def done(self) -> Done:
        last = self._last
        if last is None or last.prompt_eval_count is None or last.eval_count is None:
            return Done(last.done_reason if last else None, None)
        return Done(last.done_reason, Usage(last.prompt_eval_count, last.eval_count))


def _cut_off(what: str) -> Interrupted:
    return Interrupted(f"The answer was cut off: {what}.", "Ask again; the text so far is kept.")


def window_for(request: ChatRequest, limit: int | None, *, fixed: bool = False) -> int:
    """The window in tokens that holds the request and its answer; `Rejected` if `limit` is too small.

    Ollama forgets the beginning of what does not fit and says nothing. It loads the model anew for each
    other window, so windows are powers of two.
    """
    prompt = sum(estimated_tokens(message.content) + 8 for message in request.messages)
    needed = prompt + request.max_tokens
    if limit is not None and needed > limit:
        raise Rejected(
            f"The request does not fit: about {prompt} tokens of text and {request.max_tokens} for the answer, "
            f"in a window of {limit}.",
            "Send less text, lower max_tokens, or choose a model with a longer context.",
            status=400,
        )
    if fixed and limit is not None:
        return limit
    window = max(SMALLEST_WINDOW, 1 << (needed - 1).bit_length())
    return window if limit is None else min(window, limit)


def estimated_tokens(text: str) -> int:
    """A generous guess before any tokenizer is asked: three bytes a token, but one for each digit."""
    return (len(text.encode("utf-8", "replace")) + 2 * len(re.findall(r"\d", text))) // 3 + 1


def _options(request: ChatRequest, window: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "num_ctx": window,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _context_length(shown: ollama.ShowResponse) -> int | None:
    facts = shown.modelinfo or {}
    found = next((value for name, value in facts.items() if name.endswith(".context_length")), None)
    return found if isinstance(found, int) else None
