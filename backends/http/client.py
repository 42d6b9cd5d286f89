"""HTTP requests shared by every backend kind: GET a JSON document, POST and stream the response."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from backends.errors import Unreachable
from backends.http.connections import pooled_client
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import ErrorFactory, not_an_api, response_error, translate_errors
from backends.http.new_connections import begin_request, has_opened
from backends.stopwatch import mark, record_read
from backends.telemetry.spans import request_headers

# The vectors of one request are the largest documents: 32 of 8,192 numbers have 6 MB.
MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
MAX_ERROR_BYTES = 1024 * 1024  # the error has only some words of it
_USUAL_HEADERS = {"accept": "*/*", "connection": "keep-alive", "user-agent": f"python-httpx2/{httpx2.__version__}"}
# As httpx2 writes it; `json.dumps` with these arguments would create an encoder for each call.
_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


async def get_json(endpoint: Endpoint, path: str, make_error: ErrorFactory = response_error) -> Any:
    """GET a JSON document; an error status or a broken connection raises a `BackendError`."""
    with translate_errors(endpoint):
        response = await _send(endpoint, "GET", path)
    try:
        if response.status_code >= 400:
            raise make_error(endpoint, response.status_code, response.headers, await _read_error(endpoint, response))
        content = await read_document(endpoint, response)
    finally:
        record_read(None)
        await response.aclose()
    return _parse_json(endpoint, content)


async def post_json(
    endpoint: Endpoint, path: str, body: Mapping[str, Any], make_error: ErrorFactory = response_error
) -> Any:
    """POST JSON and return the document of the response; errors as `get_json`."""
    async with post_stream(endpoint, path, body, make_error=make_error) as response:
        content = await read_document(endpoint, response)
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
            raise make_error(endpoint, response.status_code, response.headers, await _read_error(endpoint, response))
        yield response
    finally:
        record_read(None)  # bytes that nobody used must not set the timestamp of another target's next event
        await response.aclose()


async def read_document(endpoint: Endpoint, response: httpx2.Response) -> bytes:
    """Return the body of a response; `Unreachable` if it is larger than any document of a model API."""
    content = await _read(endpoint, response, MAX_DOCUMENT_BYTES)
    if len(content) > MAX_DOCUMENT_BYTES:
        message = f"{endpoint.label} answered with more than {MAX_DOCUMENT_BYTES >> 20} MiB in one document."
        raise Unreachable(message, "Check the url: it often ends in /v1.")
    return content


async def _read_error(endpoint: Endpoint, response: httpx2.Response) -> bytes:
    """Return the beginning of the body of an error response."""
    return (await _read(endpoint, response, MAX_ERROR_BYTES))[:MAX_ERROR_BYTES]


async def _read(endpoint: Endpoint, response: httpx2.Response, limit: int) -> bytes:
    """Return the body, or a little more than `limit` bytes of it; a compressed one is read in small pieces."""
    content = bytearray()
    with translate_errors(endpoint):
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > limit:
                break
    return bytes(content)


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
    more = {**request_headers(), **(headers or {})}
    while True:
        begin_request()
        try:
            client = pooled_client(endpoint.network)
            request = _request(client, method, _target(endpoint, path), body, more)
            response = await client.send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
            # llama-server closes a connection after a stream without announcing it. A request that reuses the
            # connection at that moment gets no response, so it is sent again. On a new connection it's an error.
            if has_opened():
                raise
        else:
            mark("headers")
            return response


@dataclass(frozen=True, slots=True)
class _Target:
    """What all requests of one call have in common; making it takes a third of the time that a request takes."""

    url: httpx2.URL
    headers: tuple[tuple[bytes, bytes], ...]
    extensions: Mapping[str, Any]


@functools.lru_cache(maxsize=256)
def _target(endpoint: Endpoint, path: str) -> _Target:
    url = httpx2.URL(endpoint.url_for(path))
    headers = httpx2.Headers({"host": url.netloc.decode("ascii")} | _USUAL_HEADERS)
    headers.update(endpoint.headers)
    return _Target(url, tuple(headers.raw), {"timeout": endpoint.timeout.as_dict()})


def _request(
    client: httpx2.AsyncClient,
    method: str,
    target: _Target,
    body: Mapping[str, Any] | bytes | None,
    more: Mapping[str, str],
) -> httpx2.Request:
    """Return the request with `more` headers; `build_request` of the client merges headers that never change."""
    content = b"" if body is None else body if isinstance(body, bytes) else _to_json(body).encode()
    headers = httpx2.Headers(target.headers)
    if body is not None:
        headers["content-length"] = str(len(content))
    if isinstance(body, Mapping):
        headers["content-type"] = "application/json"
    if more:
        headers.update(more)
    return httpx2.Request(
        method,
        target.url,
        headers=headers,
        cookies=client.cookies,
        stream=httpx2.ByteStream(content),
        extensions=target.extensions,
    )
