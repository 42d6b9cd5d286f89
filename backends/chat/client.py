"""Streams a chat answer over HTTP, for every backend kind whose server speaks the OpenAI chat format."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from backends.chat.reader import ChatReader
from backends.chat.sse import DONE, MAX_EVENT_BYTES, BadEvent, SSEDecoder, begins_event
from backends.chat.thoughts.opened_thoughts import OpenedThoughts
from backends.chat.thoughts.reasoning import Reasoning
from backends.errors import BackendError, Rejected
from backends.http.client import post_stream
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import ErrorFactory, not_an_api, response_error, transport_error
from backends.stopwatch import mark
from backends.types import Delta, Event

MAX_ANSWER_BYTES = 256 * 1024 * 1024  # in all events of one answer, each of which has 100 to 2,000 bytes

_UNREADABLE = ("zstd", "compress", "x-compress")

Unwrap = Callable[[AsyncIterator[bytes], ChatReader], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One HTTP call: where it goes, what it sends, and how this kind of server differs from the format.

    `make_error` makes the exception for an error status. `unwrap` extracts the body from the frames of another
    protocol. `type_header` names the header with the body's media type. `reasoning` says how thoughts are marked; if
    that is "auto", `opened` asks the server whether answers begin inside of one. `adapt` gets a refusal and returns
    whether the call should be prepared again, without what was refused.
    """

    endpoint: Endpoint
    path: str
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    make_error: ErrorFactory = response_error
    unwrap: Unwrap | None = None
    type_header: str = "content-type"
    reasoning: Reasoning = "auto"
    opened: OpenedThoughts | None = None
    adapt: Callable[[Rejected], bool] | None = None


async def stream_chat(prepare: Callable[[], Awaitable[ChatCall]]) -> AsyncIterator[Event]:
    """Make the call and yield the answer as it arrives: server-sent events, lines of JSON or one document."""
    async with contextlib.AsyncExitStack() as stack:
        call, response = await _open(prepare, stack)
        opened_tag = await _opened_tag(call, response)
        reader, decoder = ChatReader(call.endpoint.quote, call.reasoning, opened_tag), SSEDecoder()
        media_type = response.headers.get(call.type_header, "").lower()
        try:
            raw = chunks = _chunks(response)
            if call.unwrap:
                chunks = call.unwrap(raw, reader)
            head = await _read_head(chunks) if _is_document(media_type) else b""
            if _is_document(media_type) and not begins_event(head):
                for event in _document_events(call.endpoint, reader, decoder, head + await _read_all(chunks)):
                    yield event
                yield reader.done
                return
            for delta in _read_chunk(head, decoder, reader):
                yield delta
            size = 0
            async for chunk in chunks:
                if (size := size + len(chunk)) > MAX_ANSWER_BYTES:
                    raise BadEvent(f"it sent more than {MAX_ANSWER_BYTES >> 20} MiB")
                for payload in decoder.feed(chunk):
                    deltas = reader.read(payload)
                    if not deltas:
                        mark(reader.last_event)
                    for delta in deltas:
                        yield delta
                if reader.complete:
                    break
            for event in reader.finish(decoder.flush(), decoder.unread):
                yield event
        except (httpx2.TransportError, httpx2.DecodingError, BadEvent) as error:
            if reader.finish_reason is None:
                raise _broken(call.endpoint, reader, error) from error
            # The answer is whole: what is missing is the end of the response.
            for event in reader.finish():
                yield event
        yield reader.done
        await _drain(raw)


async def _open(
    prepare: Callable[[], Awaitable[ChatCall]], stack: contextlib.AsyncExitStack
) -> tuple[ChatCall, httpx2.Response]:
    """Make the call, again if the server refuses a parameter that it can do without."""
    while True:
        call = await prepare()
        response = post_stream(call.endpoint, call.path, call.body, call.headers, call.make_error)
        try:
            return call, await stack.enter_async_context(response)
        except Rejected as error:
            if not (call.adapt and call.adapt(error)):
                raise


def _broken(endpoint: Endpoint, reader: ChatReader, error: Exception) -> BackendError:
    if isinstance(error, httpx2.TimeoutException):
        return transport_error(endpoint, error)
    return reader.stream_error(endpoint.quote(str(error)) or type(error).__name__)


async def _opened_tag(call: ChatCall, response: httpx2.Response) -> str:
    if call.reasoning != "auto" or call.opened is None or isinstance(call.body, bytes):
        return ""
    return await call.opened.closing_tag(call.endpoint, call.body, response.headers)


def _chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    """Return the body as it arrives."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding in _UNREADABLE:
        raise BadEvent(f"it sent an answer compressed with {encoding}, although the request asked for none")
    if encoding != "identity":
        return response.aiter_bytes()
    # The response's own iterators cost more CPU for each token than everything else in `stream_chat`.
    return aiter(cast(httpx2.AsyncByteStream, response.stream))


def _is_document(media_type: str) -> bool:
    lines = "lines" in media_type or "ndjson" in media_type
    return "html" in media_type or ("json" in media_type and not lines)


async def _read_head(chunks: AsyncIterator[bytes]) -> bytes:
    """Return the first bytes of a body, enough to see whether it has events."""
    head, size = b"", 0
    async for chunk in chunks:
        head, size = (head + chunk).lstrip(), size + len(chunk)
        if len(head) >= len(b"event:"):
            break
        if size > MAX_EVENT_BYTES:
            raise BadEvent(_too_long("a blank answer"))
    return head


def _read_chunk(chunk: bytes, decoder: SSEDecoder, reader: ChatReader) -> list[Delta]:
    return [delta for payload in decoder.feed(chunk) for delta in reader.read(payload)]


def _document_events(endpoint: Endpoint, reader: ChatReader, decoder: SSEDecoder, content: bytes) -> Iterator[Event]:
    """Yield the events of a server that answers in one document although the request asked for a stream."""
    text = content.decode("utf-8", "replace")
    if '"choices"' not in text and '"error"' not in text:
        raise not_an_api(endpoint, text)
    if text.lstrip("\ufeff \r\n")[:1] == "[":  # not a list's lines one by one
        content = content.replace(b"\r", b" ").replace(b"\n", b" ")
    yield from _read_chunk(content, decoder, reader)
    yield from reader.finish([*decoder.flush(), DONE], decoder.unread)


async def _read_all(chunks: AsyncIterator[bytes]) -> bytes:
    content = bytearray()
    async for chunk in chunks:
        content += chunk
        if len(content) > MAX_EVENT_BYTES:
            raise BadEvent(_too_long("an answer"))
    return bytes(content)


def _too_long(what: str) -> str:
    return f"it sent {what} of more than {MAX_EVENT_BYTES >> 20} MiB"


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read a finished response to its end, so that the connection can serve the next request."""
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(0.1):
            async for _ in chunks:
                pass
