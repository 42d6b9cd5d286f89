"""The one HTTP client: how a request is sent, and its answer's body handed on as it comes."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx2

from backends.http.connections import aclose as aclose  # whoever asked closes
from backends.http.connections import client
from backends.http.endpoint import Endpoint as Endpoint
from backends.http.errors import Refuse as Refuse
from backends.http.errors import not_an_api as not_an_api
from backends.http.errors import refusal as refusal
from backends.http.errors import translate as translate
from backends.http.errors import translated as translated
from backends.stopwatch import mark, marked, read_at


class Response(Protocol):
    """What is read of a response, of httpx2 or of the lean way to an engine; `stream` is an async iterable of bytes."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def stream(self) -> object: ...

    async def aread(self) -> bytes: ...

    async def aclose(self) -> None: ...


async def get_json(endpoint: Endpoint, path: str, refuse: Refuse | None = None) -> Any:
    """GET a JSON document; a refusal or a broken connection raises a `BackendError`."""
    with translated(endpoint):
        response = await _send(endpoint, "GET", path)
        content = await response.aread()
    read_at(None)
    if response.status_code >= 400:
        raise (refuse or refusal)(endpoint, response.status_code, response.headers, content)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise not_an_api(endpoint, content.decode("utf-8", "replace")) from error


@asynccontextmanager
async def post_stream(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any] | bytes,
    headers: Mapping[str, str] | None = None,
    refuse: Refuse | None = None,
) -> AsyncIterator[Response]:
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
) -> Response:
    """Send a request and give the response with its body still to be read."""
    if endpoint.inside and not headers and not marked() and (ask := _lean_way()):
        return await ask(endpoint, method, path, body)
    while True:
        trace = _Trace()
        content = "content" if isinstance(body, bytes) else "json"
        options: dict[str, Any] = {content: body, "headers": {**endpoint.headers, **(headers or {})}}
        extensions = {"trace": trace, "timeout": endpoint.timeout.as_dict()}
        try:
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
def _lean_way() -> Callable[..., Coroutine[Any, Any, Response]] | None:
    """The lean way to an engine of this process or its child, where httptools is installed."""
    if importlib.util.find_spec("httptools") is None:
        return None
    from backends.loopback import ask

    return ask


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
