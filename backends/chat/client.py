"""How a chat answer is fetched over HTTP and read, for every kind whose server speaks the chat format somewhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2

from backends.chat import events as wire
from backends.chat import sse
from backends.http import client as http
from backends.stopwatch import mark
from backends.types import Delta, Event

Unwrap = Callable[[AsyncIterator[bytes], wire.ChatReader], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent and where, and what is particular about the answer.

    `refuse` makes the error of a response that is no success, `unwrap` takes the body out of another protocol's frames,
    `type_header` names the header that tells the body's type.
    """

    endpoint: http.Endpoint
    path: str
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    refuse: http.Refuse = http.refusal
    unwrap: Unwrap | None = None
    type_header: str = "content-type"


async def answer(prepare: Callable[[], Awaitable[Call]]) -> AsyncIterator[Event]:
    """Make the call, and give the answer as it comes: server-sent events, lines of JSON, or all in one piece."""
    call = await prepare()
    reader = wire.ChatReader(call.endpoint.quoted)
    async with http.post_stream(call.endpoint, call.path, call.body, call.headers, call.refuse) as response:
        # The response's own iterators would do more for each token than the rest of the way.
        raw = chunks = aiter(cast(httpx2.AsyncByteStream, response.stream))
        if call.unwrap:
            chunks = call.unwrap(raw, reader)
        kind = response.headers.get(call.type_header, "").lower()
        try:
            if "html" in kind or ("json" in kind and "lines" not in kind and "ndjson" not in kind):
                for delta in _whole(call.endpoint, reader, await _all(chunks)):
                    yield delta
                yield reader.done
                return
            decoder = sse.LinesDecoder() if "json" in kind else sse.SSEDecoder()
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
            raise http.translate(call.endpoint, error) from error
        except (httpx2.TransportError, sse.BadEvent) as error:
            raise reader.broken(call.endpoint.quoted(str(error)) or type(error).__name__) from error
        yield reader.done
        await _drain(raw)


def _whole(endpoint: http.Endpoint, reader: wire.ChatReader, content: bytes) -> list[Delta]:
    """Deltas of a server that answers in one piece although a stream was asked for."""
    text = content.decode("utf-8", "replace")
    if '"choices"' not in text and '"error"' not in text:
        raise http.not_an_api(endpoint, text)
    return reader.read(text) + reader.finish([wire.DONE])


async def _all(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read to the end of a finished response, so that its connection can serve the next request."""
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(0.1):
            async for _ in chunks:
                pass
