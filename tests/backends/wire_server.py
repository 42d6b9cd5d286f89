"""An HTTP server on loopback that replays recorded bytes, in the pieces that a test chooses.

It records requests, counts connections, and notes when a client disconnects before the response is complete.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Reply:
    """One response: each of `parts` becomes one HTTP chunk, so a client receives them as they are cut.

    `end`: "complete" closes the body; "drop" closes the connection instead; "hang" sends no more and waits for the
    client to disconnect; "repeat" sends the last part again and again until the client disconnects; "unanswered"
    closes the connection without a response.
    """

    parts: Sequence[bytes] = ()
    status: int = 200
    type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    end: Literal["complete", "drop", "hang", "repeat", "unanswered"] = "complete"
    delay: float = 0.0  # seconds before the headers
    go: asyncio.Event | None = None  # the headers wait until it's set

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> Reply:
        return cls([json.dumps(value).encode()], status, "application/json", headers)


@dataclass(frozen=True)
class ReceivedRequest:
    """One request as the server received it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


AnyReply = Reply | Callable[[ReceivedRequest], Reply]


class WireServer:
    """Answers each path with its replies in turn; the last reply repeats."""

    def __init__(self) -> None:
        self.url = ""
        self.connections = 0
        self.one_request_per_connection = False  # closes a connection at its second request
        self.received_requests: list[ReceivedRequest] = []
        self.client_left = asyncio.Event()
        self.hang_started = asyncio.Event()
        self._replies: dict[str, list[AnyReply]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, path: str, *replies: AnyReply) -> None:
        """Set the replies of a path; a function makes one for each request."""
        self._replies[path] = list(replies)
        self.client_left.clear()

    def requests(self, path: str) -> list[ReceivedRequest]:
        return [request for request in self.received_requests if request.path == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(reader, writer):
                    if self.one_request_per_connection:
                        await reader.readuntil(b"\r\n\r\n")
                        break
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; False ends the connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.received_requests.append(ReceivedRequest(method, path, headers, body))
        replies: list[AnyReply] = self._replies.get(path) or [Reply.json({"error": {"message": "no such route"}}, 404)]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if not isinstance(reply, Reply):
            reply = reply(self.received_requests[-1])
        return await self._send(reply, reader, writer)

    async def _send(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.go:
            await reply.go.wait()
        if reply.end == "unanswered":
            return False
        fields = {"content-type": reply.type, "transfer-encoding": "chunked", **reply.headers}
        lines = [f"HTTP/1.1 {reply.status} Any", *(f"{name}: {value}" for name, value in fields.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        for part in filter(None, reply.parts):
            writer.write(chunk(part))
        if reply.end == "complete":
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        if reply.end == "hang":
            self.hang_started.set()
            await reader.read(1)
        while reply.end == "repeat" and not (reader.at_eof() or writer.is_closing()):
            writer.write(chunk(reply.parts[-1]))
            await asyncio.sleep(0.001)
        if reply.end in ("hang", "repeat"):
            self.client_left.set()
        return reply.end == "complete"


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


@contextlib.asynccontextmanager
async def serving(port: int = 0, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[WireServer]:
    wire = WireServer()
    server = await asyncio.start_server(wire._serve, "127.0.0.1", port, ssl=tls)
    host, port = server.sockets[0].getsockname()
    wire.url = f"{'https' if tls else 'http'}://{host}:{port}"
    try:
        yield wire
    finally:
        server.close()
        for task in list(wire._tasks):
            task.cancel()
        await asyncio.gather(*wire._tasks, return_exceptions=True)


def cuts(wire: bytes, step: int = 1) -> Iterable[list[bytes]]:
    """The bytes in two parts, cut at every `step`-th position, and then each byte as a part of its own."""
    for at in range(1, len(wire), step):
        yield [wire[:at], wire[at:]]
    yield [wire[at : at + 1] for at in range(len(wire))]
