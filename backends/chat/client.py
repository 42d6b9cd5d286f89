"""Streams a chat answer over HTTP, for every backend kind whose server speaks the OpenAI chat format."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from backends.chat.events import DONE, ChatReader
from backends.chat.sse import BadEvent, LinesDecoder, SSEDecoder
from backends.http.client import post_stream
from backends.http.endpoint import Endpoint
from backends.http.errors import ErrorFactory, not_an_api, response_error, transport_error
from backends.stopwatch import mark
from backends.types import Delta, Event

Unwrap = Callable[[AsyncIterator[bytes], ChatReader], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One HTTP call: where it goes, what it sends, and how this kind of server differs from the format.

    `make_error` makes the exception for an error status. `unwrap` extracts the body from the frames of another
    protocol. `type_header` names the header with the body's media type.
    """

    endpoint: Endpoint
    path: str
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    make_error: ErrorFactory = response_error
    unwrap: Unwrap | None = None
    type_header: str = "content-type"


async def stream_chat(prepare: Callable[[], Awaitable[ChatCall]]) -> AsyncIterator[Event]:
    """Make the call and yield the answer as it arrives: server-sent events, lines of JSON or one document."""
    call = await prepare()
    reader = ChatReader(call.endpoint.quote)
    async with post_stream(call.endpoint, call.path, call.body, call.headers, call.make_error) as response:
        # The response's own iterators cost more CPU for each token than everything else in this function.
        raw = chunks = aiter(cast(httpx2.AsyncByteStream, response.stream))
        if call.unwrap:
            chunks = call.unwrap(raw, reader)
        media_type = response.headers.get(call.type_header, "").lower()
        try:
            if _is_document(media_type):
                for delta in _document_deltas(call.endpoint, reader, await _read_all(chunks)):
                    yield delta
                yield reader.done
                return
            decoder = LinesDecoder() if "json" in media_type else SSEDecoder()
            async for chunk in chunks:
                for payload in decoder.feed(chunk):
                    deltas = reader.read(payload)
                    if not deltas:
                        mark(reader.last_event)
                    for delta in deltas:
                        yield delta
                if reader.complete:
                    break
            for delta in reader.finish(decoder.flush()):
                yield delta
        except httpx2.TimeoutException as error:
            raise transport_error(call.endpoint, error) from error
        except (httpx2.TransportError, BadEvent) as error:
            raise reader.stream_error(call.endpoint.quote(str(error)) or type(error).__name__) from error
        yield reader.done
        await _drain(raw)


def _is_document(media_type: str) -> bool:
    lines = "lines" in media_type or "ndjson" in media_type
    return "html" in media_type or ("json" in media_type and not lines)


def _document_deltas(endpoint: Endpoint, reader: ChatReader, content: bytes) -> list[Delta]:
    """The deltas of a server that answers in one document although the request asked for a stream."""
    text = content.decode("utf-8", "replace")
    if '"choices"' not in text and '"error"' not in text:
        raise not_an_api(endpoint, text)
    return reader.read(text) + reader.finish([DONE])


async def _read_all(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read a finished response to its end, so that the connection can serve the next request."""
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(0.1):
            async for _ in chunks:
                pass
