"""The lean way to an engine: the promise of a stream, cut anywhere and broken anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends import ChatRequest, Delta, Event, Interrupted, Message, Overloaded, Rejected, TimedOut, Unreachable
from backends.http import client as http
from backends.openai import OpenAIBackend
from backends.streams import closing
from tests.backends.recorded import ESCAPED, OPENAI, REQUEST, part, sse
from tests.backends.test_contract import CHAT, assert_kept, assert_left, for_ever
from tests.backends.wire_server import Reply, WireServer, cuts


@pytest.fixture
async def backend(server: WireServer) -> AsyncIterator[OpenAIBackend]:
    endpoint = http.Endpoint(f"{server.url}/v1", "key", read_timeout=1, what="The engine", inside=True)
    yield OpenAIBackend(endpoint, model="tiny")
    await http.aclose()


async def collect(backend: OpenAIBackend, request: ChatRequest = REQUEST) -> list[Event]:
    return [event async for event in backend.stream(request)]


@pytest.mark.parametrize("recording", [OPENAI, ESCAPED], ids=["plain", "escaped"])
async def test_a_stream_cut_at_each_byte(recording: object, backend: OpenAIBackend, server: WireServer) -> None:
    for parts in cuts(recording.wire, step=3):  # type: ignore[attr-defined]
        server.on(CHAT, Reply(parts))
        assert_kept(await collect(backend), recording)  # type: ignore[arg-type]


async def test_what_is_sent(backend: OpenAIBackend, server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    await collect(backend, ChatRequest([Message("user", "Größe? 🙂" * 20_000)]))
    asked = server.requests(CHAT)[0]
    assert asked.json["messages"][0]["content"] == "Größe? 🙂" * 20_000
    assert asked.headers["authorization"] == "Bearer key"
    assert asked.headers["connection"] == "close"
    assert asked.headers["host"] == server.url.removeprefix("http://")


async def test_a_whole_document(backend: OpenAIBackend, server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "max_model_len": 7}]}))
    assert (await backend.check()).context == 7


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply.json({"error": {"message": "no"}}, 400), Rejected),
        (Reply.json({"error": {"message": "full"}}, 503), Overloaded),
        (Reply(end="unanswered"), Unreachable),
        (Reply(end="hang"), TimedOut),
        (Reply([sse(part(content="Hi"))], end="hang"), TimedOut),
        (Reply([sse(part(content="Hi"))], end="drop"), Interrupted),
        (Reply([b"data: {"], end="drop"), Unreachable),
    ],
    ids=["refused", "busy", "unanswered", "silent", "falls silent", "breaks off", "breaks off at once"],
)
async def test_errors(reply: Reply, error: type[Exception], backend: OpenAIBackend, server: WireServer) -> None:
    server.on(CHAT, reply)
    with pytest.raises(error, match=r"engine|answer"):
        await collect(backend)


async def test_nobody_there() -> None:
    endpoint = http.Endpoint("http://127.0.0.1:9/v1", inside=True, what="The engine")
    with pytest.raises(Unreachable, match="The engine is not answering"):
        await collect(OpenAIBackend(endpoint, model="tiny"))
    await http.aclose()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + OPENAI.wire, None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + OPENAI.wire, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + OPENAI.wire[:200], Exception),
        (b"SSH-2.0-OpenSSH\r\n", Unreachable),
        (b"HTTP/1.1 200 O", Unreachable),
    ],
    ids=["until it closes", "after a 100", "shorter than it said", "no HTTP", "half a status"],
)
async def test_other_ways_to_frame(said: bytes, error: type[Exception] | None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backend = OpenAIBackend(http.Endpoint(f"http://127.0.0.1:{port}/v1", inside=True), model="tiny")
    if error is None:
        assert_kept(await collect(backend), OPENAI)
    else:
        with pytest.raises(error):
            await collect(backend)
    await http.aclose()
    server.close()
    await server.wait_closed()


async def test_leaving_is_seen_at_once_and_others_go_on(backend: OpenAIBackend, server: WireServer) -> None:
    for_ever(server)
    other = backend.stream(REQUEST)
    async with closing(other):
        assert await anext(other) == Delta("word ")
        for by in ("closing", "cancelling"):
            for_ever(server)
            await assert_left(backend, server, by=by)
            assert await anext(other) == Delta("word ")


async def test_a_reader_that_is_slow_slows_the_server(backend: OpenAIBackend, server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="x" * 1000)) * 8000 + sse(part("stop"))]))
    characters = 0
    async for event in backend.stream(REQUEST):
        characters += len(event.text) if isinstance(event, Delta) else 0
        if characters == 1000:
            await asyncio.sleep(0.2)  # more than the high water mark comes meanwhile
    assert characters == 8_000_000


async def test_a_slow_stream_is_not_a_silent_one() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(8):  # longer than the time-out in all, with pauses that are shorter
            writer.write(sse(part(content="x")))
            await asyncio.sleep(0.25)
        writer.write(sse(part("stop"), "[DONE]"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    backend = OpenAIBackend(http.Endpoint(f"http://127.0.0.1:{port}/v1", read_timeout=1, inside=True), model="tiny")
    assert [event.text for event in await collect(backend) if isinstance(event, Delta)] == ["x"] * 8
    await http.aclose()
    server.close()
    await server.wait_closed()
