"""The one HTTP client; its errors become ours here, and only here."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import httpx2

from backends.connections import DialFailed, Network, client
from backends.connections import aclose as aclose  # whoever asked closes
from backends.errors import BackendError, NotConfigured, Overloaded, Rejected, TimedOut, Unreachable
from backends.stopwatch import mark, marked, read_at, wall_clock
from backends.wire import one_line

# Makes the error for a response that is no success: of whom, its status, headers and body.
Refuse = Callable[["Endpoint", int, Mapping[str, str], bytes], BackendError]
# A value of a URL's query this short is a version or a flag, no secret.
SHORT = 5
PLAIN_PATHS = ("", "/", "/v1", "/api")  # any other may hold a key


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server to talk to: its base URL without a slash at the end, its secret, its time-outs in seconds.

    `read_timeout` is the longest silence, before the first token or between two.
    """

    url: str
    api_key: str | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 120.0
    what: str = "The server"
    inside: bool = False  # in this process: its address says nothing to anybody
    plain_path: bool = False  # its path is known to hold no key
    network: Network | None = None  # how it is reached, if not like any other
    if_down: str = "Start it, or correct the url in the catalogue."

    def __post_init__(self) -> None:
        # A key that was pasted with its line end is the same key; one that no header can hold would come back
        # in the HTTP library's error, in full.
        key = (self.api_key or "").strip()
        if not (key.isascii() and key.isprintable()):
            raise NotConfigured("The API key holds characters that no key has.", "Copy it again, without line breaks.")
        object.__setattr__(self, "api_key", key or None)

    @property
    def headers(self) -> dict[str, str]:
        # Compressed events would arrive late, in lumps.
        headers = {"Accept-Encoding": "identity"}
        return headers | ({"Authorization": f"Bearer {self.api_key}"} if self.api_key else {})

    @property
    def timeout(self) -> httpx2.Timeout:
        return httpx2.Timeout(self.read_timeout, connect=self.connect_timeout)

    @property
    def shown(self) -> str:
        """The URL for people: without user name, password or query, and without a path that may hold a key."""
        parts = urlsplit(self.url)
        path = parts.path if self.plain_path or parts.path in PLAIN_PATHS else "/…"
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))

    @property
    def place(self) -> str:
        """What it is and where, to begin a sentence with."""
        return self.what if self.inside else f"{self.what} at {self.shown}"

    def route(self, path: str) -> str:
        """The URL of `path` below the base; a query of the base, such as an API version, stays at the end."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(path=parts.path + path))

    def redact(self, text: str) -> str:
        """`text` without the key and what the URL holds of secrets, for servers that repeat them in their errors."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def quoted(self, text: str) -> str:
        """The server's own words for an error message: redacted, in one line of at most 300 characters."""
        return one_line(self.redact(text[:20_000]))

    @property
    def _secrets(self) -> list[str]:
        """The key, a password (also as a header spells it) and the values of the query, the longest first."""
        parts = urlsplit(self.url)
        found = {self.api_key or "", *(value for _, value in parse_qsl(parts.query) if len(value) > SHORT)}
        if not self.plain_path and parts.path not in PLAIN_PATHS:  # some gateways want a key there
            found |= {parts.path, *(part for part in parts.path.split("/") if len(part) > SHORT)}
        if parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password)
            found |= {parts.password, password, b64encode(f"{user}:{password}".encode()).decode()}
        return sorted(filter(None, found), key=len, reverse=True)


async def get_json(endpoint: Endpoint, path: str, refuse: Refuse | None = None) -> Any:
    """GET a JSON document; a refusal or a broken connection raises a `BackendError`."""
    with translated(endpoint):
        response = await _send(endpoint, "GET", path)
        await response.aread()
    read_at(None)
    if response.status_code >= 400:
        raise (refuse or refusal)(endpoint, response.status_code, response.headers, response.content)
    try:
        return response.json()
    except ValueError as error:
        raise not_an_api(endpoint, response.text) from error


@asynccontextmanager
async def post_stream(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any] | bytes,
    headers: Mapping[str, str] | None = None,
    refuse: Refuse | None = None,
) -> AsyncIterator[httpx2.Response]:
    """POST JSON, or bytes as they are, and give the response once its status is good; leaving closes the connection.

    `refuse` makes the error of a status that is not; it is `refusal` if nobody says.
    """
    with translated(endpoint):
        response = await _send(endpoint, "POST", path, body, headers)
    try:
        if response.status_code >= 300:
            with translated(endpoint):
                content = await response.aread()
            raise (refuse or refusal)(endpoint, response.status_code, response.headers, content)
        yield response
    finally:
        read_at(None)  # what was read and not used must not stamp what another target says next
        await response.aclose()


async def _send(
    endpoint: Endpoint,
    method: str,
    path: str,
    body: Mapping[str, Any] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send a request and give the response with its body still to be read."""
    lean = None if marked() or not endpoint.inside else _lean_transport()
    while True:
        trace = _Trace()
        content = "content" if isinstance(body, bytes) else "json"
        options: dict[str, Any] = {content: body, "headers": {**endpoint.headers, **(headers or {})}}
        extensions = {"trace": trace, "timeout": endpoint.timeout.as_dict()}
        try:
            if lean:
                request = httpx2.Request(method, endpoint.route(path), extensions=extensions, **options)
                return await lean.handle_async_request(request)
            pool = client(endpoint.network)
            request = pool.build_request(method, endpoint.route(path), extensions=extensions, **options)
            return await pool.send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError) as error:
            # llama-server closes a connection after a stream without announcing it: whoever reuses it at that
            # moment gets no answer, and asks again. On a new connection no answer is an error.
            unanswered = not isinstance(error, httpx2.RemoteProtocolError) or "without sending a response" in str(error)
            if trace.connected or not unanswered:
                raise


@functools.cache
def _lean_transport() -> httpx2.AsyncBaseTransport | None:
    """The lean way to an engine of this process or its child, where httptools is installed."""
    if importlib.util.find_spec("httptools") is None:
        return None
    from backends.loopback import LoopbackTransport

    return LoopbackTransport()


class _Trace:
    """What httpcore tells of a request: whether a connection was made for it, and when its answer began."""

    def __init__(self) -> None:
        self.connected = False

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.connected = True
            mark("connected")
        elif event.endswith(".receive_response_headers.complete"):
            mark("headers")


@contextlib.contextmanager
def translated(endpoint: Endpoint) -> Iterator[None]:
    """Turn what httpx2 raises into a `BackendError`."""
    try:
        yield
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise translate(endpoint, error) from error


def translate(endpoint: Endpoint, error: Exception) -> BackendError:
    """The `BackendError` for what httpx2 raised while a connection was made or read."""
    where = endpoint.place
    if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
        return NotConfigured(f"{endpoint.shown} is not a URL that can be called.", "Write it like http://host:8000/v1.")
    if isinstance(error.__cause__, DialFailed):
        return error.__cause__.reason
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return Unreachable(
            f"{where} did not take the connection within {endpoint.connect_timeout:g} s.",
            "Check the address, the firewall and that the server runs.",
        )
    if isinstance(error, httpx2.TimeoutException):
        return TimedOut(
            f"{where} was silent for {endpoint.read_timeout:g} s.",
            "Ask again, or raise read_timeout in the catalogue if the model is that slow.",
        )
    reason = endpoint.quoted(str(error)) or type(error).__name__
    return Unreachable(f"{where} is not answering ({reason}).", endpoint.if_down)


def refusal(endpoint: Endpoint, status: int, headers: Mapping[str, str], content: bytes) -> BackendError:
    """The error for a response that is no success, with the server's own words where it has some."""
    said = _server_words(endpoint, content)
    where = endpoint.place
    if status in (401, 403):
        remedy = "Check the API key of this target." if endpoint.api_key else "Set api_key in the catalogue."
        return Rejected(f"{where} refused the key ({status}){said}", remedy, status=status)
    if status == 404:
        remedy = "Check the model's name (`python -m backends check NAME`) and the path in the url."
        return Rejected(f"{where} does not have what was asked for (404){said}", remedy, status=status)
    if status in (429, 503, 529):
        wait = _retry_after(headers.get("retry-after"))
        remedy = f"Try again in {wait:g} s." if wait is not None else "Wait a moment, then try again."
        return Overloaded(f"{where} is busy ({status}){said}", remedy, retry_after=wait)
    if status >= 500:
        return Rejected(f"{where} failed ({status}){said}", "Look at the server's log.", status=status)
    if status < 400:
        remedy = f"Use the address it points to: {headers.get('location', 'unknown')}."
        return Rejected(f"{where} sends elsewhere ({status}){said}", remedy, status=status)
    too_long = "context" in said.lower()
    remedy = "Send less: fewer passages, a shorter conversation." if too_long else "Change the request as it says."
    return Rejected(f"{where} refused the request ({status}){said}", remedy, status=status)


def not_an_api(endpoint: Endpoint, text: str) -> Unreachable:
    """The error for a server that answers with something else than the API."""
    said = _server_words(endpoint, text.encode())
    return Unreachable(
        f"{endpoint.place} answered, but not as a model API{said}",
        "Check the url: it often ends in /v1.",
    )


def _server_words(endpoint: Endpoint, content: bytes) -> str:
    """What the server says of the error, in one short line that starts with a colon; or a full stop."""
    text = endpoint.redact(content.decode("utf-8", "replace")).strip()[:20_000]
    try:
        found = json.loads(text)
        while isinstance(found, dict):
            found = found.get("error") or found.get("message") or found.get("detail") or ""
        text = str(found)
    except ValueError:
        if title := re.search(r"<title[^>]*>(.*?)</title>", text, re.S | re.I):
            text = title[1]
        text = re.sub(r"<[^>]*>", " ", text)
    text = one_line(text)
    return f": “{text}”." if text else "."


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from a Retry-After header in either of its two forms."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        with contextlib.suppress(ValueError):
            return max(0.0, parsedate_to_datetime(value).timestamp() - wall_clock())
        return None
