"""Connections are pooled, reused and freed; each event loop has its own."""

from __future__ import annotations

import asyncio
import socket
from contextlib import nullcontext

import pytest

from backends import Backend, Catalog, Done, Stopwatch, Unreachable
from backends.http.client import post_stream
from backends.http.connections import close_connections
from backends.http.endpoint import Endpoint
from backends.streams import closing
from tests.backends.recordings import OLLAMA, OLLAMA_SHOW, OPENAI, REQUEST
from tests.backends.wire_server import Reply, WireServer, serving

CHAT = "/v1/chat/completions"


def connect(kind: str, url: str) -> Backend:
    return Catalog({"x": {"kind": kind, "url": url, "model": "tiny"}}, source="test").connect("x")


def prepare(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on("/api/chat", Reply([OLLAMA.wire]))


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_complete_stream_leaves_its_connection_to_the_next(kind: str, server: WireServer) -> None:
    prepare(server)
    backend = connect(kind, server.url)
    for _ in range(5):
        assert isinstance([event async for event in backend.stream(REQUEST)][-1], Done)
    await backend.aclose()
    assert server.connections == 1


async def test_two_targets_of_one_server_share_its_connections(server: WireServer) -> None:
    prepare(server)
    for _ in range(3):
        backend = connect("openai", server.url)
        async for _ in backend.stream(REQUEST):
            pass
        await backend.aclose()
    assert server.connections == 1


@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_streams_at_the_same_time_do_not_wait_for_each_other(kind: str, server: WireServer) -> None:
    prepare(server)
    backend = connect(kind, server.url)
    slow = backend.stream(REQUEST)
    async with closing(slow):
        await anext(slow)
        assert isinstance([event async for event in backend.stream(REQUEST)][-1], Done)
        assert isinstance([event async for event in slow][-1], Done)
    await backend.aclose()
    assert server.connections == 2


async def test_packets_leave_at_once(server: WireServer) -> None:
    prepare(server)
    endpoint = Endpoint(server.url)
    async with post_stream(endpoint, CHAT, {}) as response:
        sock = response.extensions["network_stream"].get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_one_target_serves_several_event_loops(kind: str) -> None:
    backends: dict[int, Backend] = {}

    async def ask(port: int) -> None:
        async with serving(port) as server:
            prepare(server)
            backend = backends.setdefault(0, connect(kind, server.url))
            assert isinstance([event async for event in backend.stream(REQUEST)][-1], Done)
            await backend.aclose()
            await close_connections()

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    asyncio.run(ask(port))
    asyncio.run(ask(port))


@pytest.mark.parametrize("marking", [False, True])
async def test_a_request_on_a_closed_connection_is_sent_again(server: WireServer, marking: bool) -> None:
    """llama-server closes connections without notice, so the request is repeated on a new connection."""
    prepare(server)
    server.one_request_per_connection = True
    for _ in range(3):
        stopwatch = Stopwatch()
        with stopwatch.marking() if marking else nullcontext():
            events = [event async for event in stopwatch.record(connect("openai", server.url).stream(REQUEST))]
        assert isinstance(events[-1], Done)
    assert server.connections == 3


async def test_a_new_connection_without_an_answer_is_an_error(server: WireServer) -> None:
    server.on(CHAT, Reply(end="unanswered"))
    with pytest.raises(Unreachable, match="without sending a response"):
        async for _ in connect("openai", server.url).stream(REQUEST):
            pass
    assert len(server.requests(CHAT)) == 1
