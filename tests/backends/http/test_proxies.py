"""Connections through a proxy of the environment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backends import Catalog, Unreachable
from tests.backends.recordings import REQUEST

SOCKS_METHOD, SOCKS_CONNECTED = b"\5\0", b"\5\0\0\1\0\0\0\0\0\0"


class SilentServer:
    """A proxy and the server behind it, which closes each connection instead of answering."""

    def __init__(self, scheme: str) -> None:
        self.connections = 0
        self._scheme = scheme

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._scheme == "socks5":
            await reader.readexactly(3)
            writer.write(SOCKS_METHOD)
            head = await reader.readexactly(5)  # the last byte is the length of the host's name
            await reader.readexactly(head[-1] + 2)
            writer.write(SOCKS_CONNECTED)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()


@asynccontextmanager
async def serving(handle: SilentServer) -> AsyncIterator[int]:
    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_new_connection_without_an_answer_is_an_error(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = SilentServer(scheme)
    async with serving(server) as port:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        backend = Catalog(
            {"x": {"kind": "openai", "url": "http://model.test/v1", "model": "tiny"}}, source="test"
        ).connect("x")
        async with asyncio.timeout(5):
            with pytest.raises(Unreachable, match="without sending a response"):
                _ = [event async for event in backend.stream(REQUEST)]
    assert server.connections == 1
