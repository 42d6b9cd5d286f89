"""HTTP requests shared by every backend kind: GET a JSON document, POST and stream the response."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from backends.http.connections import pooled_client
from backends.http.endpoint import Endpoint
from backends.http.errors import ErrorFactory, not_an_api, response_error, translate_errors
from backends.stopwatch import mark, record_read
from backends.telemetry.spans import request_headers


async def get_json(endpoint: Endpoint, path: str, make_error: ErrorFactory = response_error) -> Any:
    """GET a JSON document; an error status or a broken connection raises a `BackendError`."""
    with translate_errors(endpoint):
        response = await _send(endpoint, "GET", path)
        content = await response.aread()
    record_read(None)
    if response.status_code >= 400:
        raise make_error(endpoint, response.status_code, response.headers, content)
    return _parse_json(endpoint, content)


async def post_json(
    endpoint: Endpoint, path: str, body: Mapping[str, Any], make_error: ErrorFactory = response_error
) -> Any:
    """POST JSON and return the document of the response; errors as `get_json`."""
    async with post_stream(endpoint, path, body, make_error=make_error) as response:
        with translate_errors(endpoint):
            content = await response.aread()
    return _parse_json(endpoint, content)


@asynccontextmanager
async def post_stream(
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any] | bytes,
    headers: Mapping[str, str] | None = None,
    make_error: ErrorFactory = response_error,
) -> AsyncIterator[httpx2.Response]:
    """POST JSON or raw bytes and give the response once its status is 2xx; leaving the block closes the connection.

    `make_error` makes the exception for any other status.
    """
    with translate_errors(endpoint):
        response = await _send(endpoint, "POST", path, body, headers)
    try:
        if response.status_code >= 300:
            with translate_errors(endpoint):
                content = await response.aread()
            raise make_error(endpoint, response.status_code, response.headers, content)
        yield response
    finally:
        record_read(None)  # bytes that nobody used must not set the timestamp of another target's next event
        await response.aclose()


def _parse_json(endpoint: Endpoint, content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise not_an_api(endpoint, content.decode("utf-8", "replace")) from error


async def _send(
    endpoint: Endpoint,
    method: str,
    path: str,
    body: Mapping[str, Any] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send a request and return the response with its body unread."""
    while True:
        trace = _Trace()
        content = "content" if isinstance(body, bytes) else "json"
        options: dict[str, Any] = {
            content: body,
            "headers": {**endpoint.headers, **request_headers(), **(headers or {})},
        }
        extensions = {"trace": trace, "timeout": endpoint.timeout.as_dict()}
        try:
            client = pooled_client(endpoint.network)
            request = client.build_request(method, endpoint.url_for(path), extensions=extensions, **options)
            return await client.send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            # llama-server closes a connection after a stream without announcing it. A request that reuses the
            # connection at that moment gets no response, so it is sent again. On a new connection it's an error.
            if trace.new_connection:
                raise


class _Trace:
    """httpcore's trace callback: notes a new connection and the arrival of the response headers."""

    def __init__(self) -> None:
        self.new_connection = False

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self.new_connection = True
            mark("connected")
        elif event.endswith(".receive_response_headers.complete"):
            mark("headers")
