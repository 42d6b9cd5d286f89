"""Hostile guests who misuse connections. Each function is one action, which its guest repeats."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from harness.pages.page_client import API
from harness.siege.guest import Guest

MB = 1_000_000
CONNECTIONS = 20
JSON = f"POST /{API}/queue/join HTTP/1.1\nHost: x\nContent-Type: application/json\n"
UPLOAD = f"POST /{API}/upload HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b\n"
PART = b'--b\r\nContent-Disposition: form-data; name="files"%b\r\n\r\n'
FIELD, FILE = PART % b"", PART % b'; filename="x.txt"'
LARGE = ("chunked JSON", "JSON", "nested JSON", "field", "header", "query")


async def large_bodies(guest: Guest) -> None:
    """Sends 64 MB where a page takes less: as JSON, a form's field, a header or a query, and JSON of 8 MB."""
    block = b"x" * MB
    kind = random.choice(LARGE)
    if kind == "chunked JSON":
        chunk = b"%x\r\n%b\r\n" % (MB, block)
        await _send(guest, f"{JSON}Transfer-Encoding: chunked\n\n", [chunk] * 64)
    elif kind == "JSON":
        await _send(guest, f"{JSON}Content-Length: {64 * MB}\n\n", [block] * 64)
    elif kind == "nested JSON":
        await _send(guest, f"{JSON}Content-Length: {7 * MB}\n\n", [b'{"data":' + b"[" * (7 * MB - 8)])
    elif kind == "field":
        await _send(guest, f"{UPLOAD}Content-Length: {64 * MB}\n\n", [FIELD, *[block] * 64])
    elif kind == "header":
        await _send(guest, "GET / HTTP/1.1\nHost: x\nX-Long: ", [block] * 64)
    else:
        await _send(guest, "GET /?", [block] * 64)


async def broken_uploads(guest: Guest) -> None:
    """Begins an upload of 40 MB and hangs up after 10 MB."""
    async with _connection(guest) as (_, writer):
        writer.write(_head(f"{UPLOAD}Content-Length: {40 * MB}\n\n") + FILE)
        for _ in range(10):
            writer.write(b"x" * MB)
            await writer.drain()


async def slow_heads(guest: Guest) -> None:
    """Sends the heads of requests with a byte per second, over many connections."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(_connection(guest)) for _ in range(CONNECTIONS)]
        for _, writer in connections:
            writer.write(_head("GET / HTTP/1.1\nHost: x\nX-Slow: "))
        while open_writers := [writer for reader, writer in connections if _is_open(reader, writer)]:
            for writer in open_writers:
                writer.write(b"x")
            await asyncio.sleep(1)


async def slow_readers(guest: Guest) -> None:
    """Asks for a long answer and a large file, and reads neither."""
    guest.renew()
    await guest.ask("How many visitors does the viewing deck hold?", tokens=2000)
    async with AsyncExitStack() as stack:
        for path in (f"/{API}/queue/data?session_hash={guest.session}", "/config", "/"):
            _, writer = await stack.enter_async_context(_connection(guest, receive_buffer=4096))
            writer.write(_head(f"GET {path} HTTP/1.1\nHost: x\n\n"))
        await asyncio.sleep(20)


async def idle_connections(guest: Guest) -> None:
    """Opens many connections, sends nothing, and opens them again when the page has closed them."""
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(_connection(guest)) for _ in range(CONNECTIONS)]
        await asyncio.gather(*(reader.read() for reader, _ in connections))


async def _send(guest: Guest, head: str, parts: Iterable[bytes]) -> None:
    """Send a request until the page answers or closes the connection."""
    async with _connection(guest) as (reader, writer):
        writer.write(_head(head))
        for part in parts:
            if not _is_open(reader, writer):
                break
            writer.write(part)
            await writer.drain()
        await reader.read()


@asynccontextmanager
async def _connection(
    guest: Guest, receive_buffer: int = 0
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection from the guest's address. With a small buffer, nothing is read from it."""
    parts = urlsplit(guest.page.url)
    with socket.socket() as client:
        client.setblocking(False)
        client.bind((guest.address, 0))
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await asyncio.get_running_loop().sock_connect(client, (parts.hostname, parts.port))
        reader, writer = await asyncio.open_connection(sock=client, limit=4096)
        if receive_buffer:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


def _is_open(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    return not (reader.at_eof() or writer.is_closing())


def _head(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


KINDS = (large_bodies, broken_uploads, slow_heads, slow_readers, idle_connections)
