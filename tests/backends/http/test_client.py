"""HTTP responses in every form that a server may send, and servers that don't speak HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backends import BackendError, Delta, Event, Unreachable
from backends.http.client import post_stream
from backends.http.connections import close_connections
from backends.http.endpoint import Endpoint
from backends.kinds.openai import OpenAIBackend
from tests.backends.recordings import OPENAI, REQUEST, part, sse
from tests.backends.test_contract import assert_matches, collect
from tests.backends.wire_server import Reply, WireServer

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def connected(answer: Answer) -> AsyncIterator[OpenAIBackend]:
    """A backend in this process whose server reads one request and lets `answer` write the response."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await answer(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    endpoint = Endpoint(f"http://127.0.0.1:{port}/v1", read_timeout=1, name="The engine", in_process=True)
    try:
        yield OpenAIBackend(endpoint, model="tiny")
    finally:
        await close_connections()
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + OPENAI.wire, None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + OPENAI.wire, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + OPENAI.wire[:200], BackendError),
        (b"SSH-2.0-OpenSSH\r\n", Unreachable),
        (b"HTTP/1.1 200 O", Unreachable),
    ],
    ids=["until it closes", "after a 100", "shorter than its length", "not HTTP", "half a status"],
)
async def test_forms_of_a_response(response: bytes, error: type[BackendError] | None) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(response)
        await writer.drain()

    async with connected(answer) as backend:
        if error is None:
            assert_matches(await collect(backend), OPENAI)
        else:
            with pytest.raises(error):
                await collect(backend)


async def test_a_slow_stream_is_not_a_silent_one() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(8):  # longer than the time-out in total, with shorter pauses
            writer.write(sse(part(content="x")))
            await asyncio.sleep(0.25)
        writer.write(sse(part("stop"), "[DONE]"))

    async with connected(answer) as backend:
        assert [event.text for event in await collect(backend) if isinstance(event, Delta)] == ["x"] * 8


async def test_a_slow_reader_gets_the_complete_answer(server: WireServer) -> None:
    server.on("/v1/chat/completions", Reply([sse(part(content="x" * 1000)) * 8000 + sse(part("stop"))]))
    characters = 0
    backend = OpenAIBackend(Endpoint(f"{server.url}/v1"), model="tiny")
    event: Event
    async for event in backend.stream(REQUEST):
        characters += len(event.text) if isinstance(event, Delta) else 0
        if characters == 1000:
            await asyncio.sleep(0.2)  # the server sends more than the buffers hold meanwhile
    assert characters == 8_000_000


async def test_an_unreachable_engine_has_no_address_in_its_error() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", in_process=True, name="The engine")
    with pytest.raises(Unreachable, match=r"The engine is not answering \(connection refused\)"):
        await collect(OpenAIBackend(endpoint, model="tiny"))
    await close_connections()


@pytest.mark.parametrize(
    ("body", "headers", "expected"),
    [
        ({"text": "zażółć"}, {}, ["content-length: 21", "content-type: application/json"]),
        (b"abc", {"Content-Type": "text/plain"}, ["content-length: 3", "content-type: text/plain"]),
        ({}, {"content-type": "application/x-own", "ACCEPT": "text/own"}, ["content-length: 2", "accept: text/own"]),
    ],
)
async def test_a_request_has_each_header_once(body: Any, headers: dict[str, str], expected: list[str]) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with post_stream(Endpoint(f"http://127.0.0.1:{port}/v1", "key"), "/chat", body, headers):
            pass
        await close_connections()
    first, *lines = heads[0].decode().lower().rstrip().split("\r\n")
    assert first == "post /v1/chat http/1.1"
    assert len({line.partition(":")[0] for line in lines}) == len(lines) == 8
    assert {*expected, f"host: 127.0.0.1:{port}", "authorization: bearer key", "accept-encoding: identity"} <= {*lines}
