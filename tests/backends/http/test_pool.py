"""The pool keeps few idle connections, uses the latest one first, and does as much work with many as with few."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import httpcore2
import pytest

from backends.http.pool import ConnectionPool
from backends.http.timestamps import DirectBackend
from tests.backends.wire_server import ReceivedRequest, Reply, WireServer, serving

IDLE = 3


@pytest.fixture
async def pool(server: WireServer) -> AsyncIterator[ConnectionPool]:
    server.on("/short", Reply([b"hello"]))
    server.on("/endless", Reply([b"hello"], end="hang"))
    async with new_pool() as pool:
        yield pool


def new_pool(seconds: float = 60) -> ConnectionPool:
    backend = DirectBackend(receive_times=False)
    return ConnectionPool(max_idle=IDLE, keepalive_expiry=seconds, network_backend=backend)


async def get(pool: ConnectionPool, server: WireServer, path: str = "/short") -> bytes:
    return (await pool.request("GET", server.url + path)).content


async def test_requests_at_the_same_time_leave_few_idle_connections(server: WireServer, pool: ConnectionPool) -> None:
    await asyncio.gather(*(get(pool, server) for _ in range(8)))
    assert server.connections == 8
    assert len(pool.connections) == IDLE
    await asyncio.gather(*(get(pool, server) for _ in range(IDLE)))
    assert server.connections == 8


async def test_the_connection_that_was_used_last_is_used_next(server: WireServer, pool: ConnectionPool) -> None:
    await asyncio.gather(*(get(pool, server) for _ in range(IDLE)))
    used = set()
    for _ in range(5):
        async with pool.stream("GET", f"{server.url}/short") as response:
            used.add(response.extensions["network_stream"])
            await response.aread()
    assert len(used) == 1


async def test_a_connection_is_used_for_its_own_server_only(server: WireServer, pool: ConnectionPool) -> None:
    async with serving() as other:
        other.on("/short", Reply([b"other"]))
        for _ in range(3):
            assert await get(pool, server) == b"hello"
            assert await get(pool, other) == b"other"
        assert (server.connections, other.connections) == (1, 1)
        await pool.aclose()


async def test_idle_connections_expire(server: WireServer, pool: ConnectionPool) -> None:
    async with new_pool(seconds=0.05) as brief:
        await asyncio.gather(*(get(brief, server) for _ in range(IDLE)))
        await asyncio.sleep(0.1)
        await get(brief, server)
        assert len(brief.connections) == 1
        assert server.connections == IDLE + 1


async def test_a_connection_that_its_server_closed_is_not_used() -> None:
    port = 0
    async with new_pool() as pool:
        for _ in range(2):
            async with serving(port) as server:
                server.on("/short", Reply([b"hello"]))
                await asyncio.gather(*(get(pool, server) for _ in range(IDLE)))
                assert server.connections == IDLE
                port = int(server.url.rpartition(":")[2])


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_response_that_is_left_closes_its_connection(
    server: WireServer, pool: ConnectionPool, is_cancelled: bool
) -> None:
    with anyio.CancelScope() as scope:
        async with pool.stream("GET", f"{server.url}/endless") as response:
            assert await anext(aiter(response.stream)) == b"hello"  # type: ignore[arg-type]
            if is_cancelled:
                scope.cancel()
    await asyncio.wait_for(server.client_left.wait(), 10)
    assert pool.connections == []


async def test_a_request_that_is_cancelled_closes_its_connection(server: WireServer, pool: ConnectionPool) -> None:
    received = asyncio.Event()

    def reply(_request: ReceivedRequest) -> Reply:
        received.set()
        return Reply(delay=60)

    server.on("/slow", reply)
    request = asyncio.create_task(get(pool, server, "/slow"))
    await asyncio.wait_for(received.wait(), 10)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert pool.connections == []


async def test_closing_the_pool_closes_all_connections(server: WireServer, pool: ConnectionPool) -> None:
    await get(pool, server)
    async with pool.stream("GET", f"{server.url}/endless"):
        await get(pool, server)
        assert len(pool.connections) == 2
        await pool.aclose()
        await asyncio.wait_for(server.client_left.wait(), 10)
    assert pool.connections == []
    assert await get(pool, server) == b"hello"


@pytest.mark.parametrize(
    ("url", "error"),
    [("http://127.0.0.1:1/", httpcore2.ConnectError), ("ftp://127.0.0.1/", httpcore2.UnsupportedProtocol)],
)
async def test_what_cannot_be_reached_leaves_nothing(pool: ConnectionPool, url: str, error: type[Exception]) -> None:
    for _ in range(2):
        with pytest.raises(error):
            await pool.request("GET", url)
    assert pool.connections == []


async def test_a_request_takes_as_much_work_with_many_connections_as_with_few(
    server: WireServer, pool: ConnectionPool
) -> None:
    async def calls() -> int:
        count = 0

        def note(_frame: Any, event: str, _argument: Any) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(note)
        try:
            await get(pool, server)
        finally:
            sys.setprofile(None)
        return count

    await get(pool, server)
    alone = await calls()
    async with AsyncExitStack() as stack:
        for _ in range(100):
            await stack.enter_async_context(pool.stream("GET", f"{server.url}/endless"))
        await get(pool, server)
        assert await calls() < 1.5 * alone
