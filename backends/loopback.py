"""A lean way to an engine on this machine: a connection a request, parsed by httptools.

Each token of a stream wakes the reader, and what the reader then does is taken from the model that computes the next
one. So is what each request costs. This does less of both than the general client: it has no pool, keeps no marks, and
what is the same in each request is written once.
"""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import httpx2

from backends.http.endpoint import Endpoint
from backends.text import to_json

# More than this waiting to be read, and the server is made to wait.
HIGH_WATER = 1 << 20


async def ask(endpoint: Endpoint, method: str, path: str, body: Mapping[str, Any] | bytes | None) -> Response:
    """Send a request over HTTP/1.1 without TLS, and give the response with its body still to be read.

    Connecting costs nothing here, so that no connection is kept that may be stale. Raises what httpx2 raises.
    """
    content = b"" if body is None else body if isinstance(body, bytes) else to_json(body).encode()
    exchange = await _connect(endpoint)
    try:
        exchange.send(b"%s%d\r\n\r\n%s" % (_head(endpoint, method, path), len(content), content))
        await exchange.headers_came(endpoint.read_timeout)
    except BaseException:
        exchange.close()
        raise
    return Response(exchange, endpoint.read_timeout)


class Response:
    """A response as `backends.http.client` reads it; the names of its headers are in lower case."""

    def __init__(self, exchange: _Exchange, timeout: float) -> None:
        self._exchange = exchange
        self._timeout = timeout
        self.status_code = exchange.status
        self.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in exchange.headers}

    @property
    def stream(self) -> AsyncIterator[bytes]:
        """What came of the body, as it comes."""
        return self._exchange.parts(self._timeout)

    async def aread(self) -> bytes:
        """All of the body."""
        return b"".join([part async for part in self.stream])

    async def aclose(self) -> None:
        """Leave at once; the server sees it and stops."""
        self._exchange.close()


class _Exchange(asyncio.Protocol):
    """One request and its response on a connection of their own."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self._parser = httptools.HttpResponseParser(self)
        self._parts: deque[bytes] = deque()
        self._waiting = 0
        self._wake: asyncio.Future[None] | None = None
        self._since = 0.0  # when the wait began
        self._timer: asyncio.TimerHandle | None = None
        self._complete = False
        self._failure: httpx2.TransportError | None = None
        self._transport: asyncio.Transport | None = None

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx2.RemoteProtocolError(f"it does not speak HTTP: {error}"))
        self._waken()

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self.status = status
        else:  # 100 Continue and the like: the response is still to come
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)
        self._waiting += len(body)
        if self._waiting > HIGH_WATER and self._transport:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        self._complete = self._complete or self.status >= 200

    # What the transport calls.

    def send(self, data: bytes) -> None:
        if self._transport:
            self._transport.write(data)

    async def headers_came(self, timeout: float) -> None:
        """Wait for the status and the headers."""
        while not self.status:
            await self._more(timeout)

    async def parts(self, timeout: float) -> AsyncIterator[bytes]:
        """All that has come of the body, each time that some has; an end that came too early is an error."""
        while True:
            while not self._parts:
                if self._complete:
                    return
                await self._more(timeout)
            data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
            self._parts.clear()
            if self._waiting > HIGH_WATER and self._transport:
                self._transport.resume_reading()
            self._waiting = 0
            yield data

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._transport:
            self._transport.abort()

    def _more(self, timeout: float) -> asyncio.Future[None]:
        """What ends when more has come; it fails when nothing comes."""
        if self._failure:
            raise self._failure
        loop = asyncio.get_running_loop()
        self._wake = loop.create_future()
        self._since = loop.time()
        if timeout and self._timer is None:  # one for all waits: to set and cancel one for each token would cost
            self._timer = loop.call_later(timeout, self._late, timeout)
        return self._wake

    def _late(self, timeout: float) -> None:
        self._timer = None
        if not self._wake or self._wake.done():
            return
        loop = asyncio.get_running_loop()
        left = self._since + timeout - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._late, timeout)
        else:
            self._wake.set_exception(httpx2.ReadTimeout("it was silent"))

    def _waken(self) -> None:
        if self._wake and not self._wake.done():
            self._wake.set_result(None)

    def _fail(self, failure: httpx2.TransportError) -> None:
        self._failure = self._failure or failure
        self._waken()

    def _ended(self, error: Exception | None) -> None:
        """The connection has ended: rightly, if the response was whole or was to last as long as it."""
        framed = any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)
        if self.status and not framed and error is None:
            self._complete = True
        if error is not None:
            self._fail(httpx2.ReadError(str(error)))
        elif not self.status:
            self._fail(httpx2.RemoteProtocolError("Server disconnected without sending a response."))
        else:
            self._fail(httpx2.RemoteProtocolError("the connection ended before the response was complete"))


async def _connect(endpoint: Endpoint) -> _Exchange:
    parts = urlsplit(endpoint.url)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(endpoint.connect_timeout):
            _, exchange = await loop.create_connection(_Exchange, parts.hostname or "", parts.port or 80)
    except TimeoutError as error:
        raise httpx2.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpx2.ConnectError(str(error)) from error
    return exchange


@functools.lru_cache(maxsize=32)
def _head(endpoint: Endpoint, method: str, path: str) -> bytes:
    """The request line and all headers, up to the number of the body's bytes; the same for each request."""
    parts = urlsplit(endpoint.route(path))
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    headers = endpoint.headers | {
        "Host": parts.netloc.rpartition("@")[2],
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": "",
    }
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("ascii")
