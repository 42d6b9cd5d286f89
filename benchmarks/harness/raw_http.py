"""A connection that sends prepared requests: no client library's time is in the figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """A response whose body has come to its end; the names of headers are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection to a server, which it keeps open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, request: bytes) -> Answer:
        """Send a request, and read the whole response."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip().split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            body = b"".join([part async for part in self._chunks()])
        else:
            body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, body)

    async def _chunks(self) -> AsyncIterator[bytes]:
        while length := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(length)
            await self._reader.readline()
        await self._reader.readline()


@asynccontextmanager
async def connect(port: int) -> AsyncIterator[Connection]:
    """Open a connection to a server on this machine."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


def post(path: str, key: str, body: dict[str, Any]) -> bytes:
    """Return the bytes of a request with a key."""
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"authorization: Bearer {key}"]
    lines += ["content-type: application/json", f"content-length: {len(data)}", "", ""]
    return "\r\n".join(lines).encode() + data
