"""A local chat server that answers on a known schedule: `python -m compare.conformance.scripted_server PORT`.

The request's `model` names the scenario. The first text follows 200 ms after the request, then one every 20 ms, 50 in
total or `max_tokens`; "slow" has one every 100 ms. `GET /stamps` returns and clears what happened to each request: when
it arrived, when the server wrote each text and ended the answer (time.perf_counter(), one clock for all processes on
Linux), its status, and the tokens that it reported. So a client is compared with the actual times.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import selectors
import socket
import sys
import time
from typing import Any

from backends.http.receive_times import ReceiveTimeSocket, with_receive_times
from compare.conformance.scenarios import PLACES, SCENARIOS, TOKENS, final_writes

REFUSED_EACH = 4  # of the requests to "flaky"
STAMPS: list[dict[str, object]] = []
_free_places = {model: asyncio.Semaphore(places) for model, places in PLACES.items()}
_FLAKY = itertools.cycle(reversed(range(REFUSED_EACH)))  # 0 is refused
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def stream(writer: asyncio.StreamWriter, request: dict[str, Any], read_time: float) -> None:
    model, write_times = request["model"], list[float]()
    tokens = min(request.get("max_tokens") or request.get("max_completion_tokens") or TOKENS, TOKENS)
    stamp = {
        "model": model,
        "read": read_time,
        "texts": write_times,
        "status": 200,
        "tokens": tokens,
        "complete": False,
    }
    STAMPS.append(stamp)
    writer.write(STREAM)
    for write in (*SCENARIOS[model](tokens), *final_writes(model, tokens)):
        if (wait := read_time + write.at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        write_times += [time.perf_counter()] * write.texts
        writer.write(b"%x\r\n%s\r\n" % (len(write.body), write.body))
    stamp["ended"] = time.perf_counter()
    stamp["complete"] = model != "error_after"
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def refuse(writer: asyncio.StreamWriter, model: str, read_time: float) -> None:
    """Answer 503 without a text."""
    STAMPS.append({"model": model, "read": read_time, "texts": [], "status": 503, "tokens": 0, "complete": False})
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")


def get_response(target: str) -> bytes:
    """The response to a GET: the times, or the list of models."""
    if target == "/stamps":
        body = json.dumps(STAMPS).encode()
        STAMPS.clear()
    else:
        body = json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in SCENARIOS]}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


class Listener(socket.socket):
    """A listening socket whose connections know when data arrived at this machine."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.bind(("127.0.0.1", port))
        self.connections: dict[int, socket.socket] = {}

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = super().accept()
        connection = with_receive_times(connection)
        self.connections[connection.fileno()] = connection
        return connection, address


class TimestampReader(asyncio.StreamReader):
    """Records when data arrives: with many concurrent requests, each waits in the event loop before it is read."""

    arrival = 0.0
    connection: socket.socket | None = None

    def feed_data(self, data: Any) -> None:
        known = self.connection.take_received_at() if isinstance(self.connection, ReceiveTimeSocket) else None
        self.arrival = time.perf_counter() if known is None else known
        super().feed_data(data)


async def handle_connection(reader: TimestampReader, writer: asyncio.StreamWriter, listener: Listener) -> None:
    """Answer the requests of one connection; asyncio sets TCP_NODELAY on it."""
    reader.connection = listener.connections.pop(writer.get_extra_info("socket").fileno(), None)
    try:
        while request := await read_request(reader):
            (method, target), body = request
            if method == "GET":
                writer.write(get_response(target))
                continue
            fields = json.loads(body)
            if fields.get("model") not in SCENARIOS:
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                continue
            if fields["model"] == "flaky" and next(_FLAKY) == 0:
                refuse(writer, "flaky", reader.arrival)
                continue
            if places := _free_places.get(fields["model"]):
                async with places:
                    await stream(writer, fields, max(reader.arrival, time.perf_counter()))
            else:
                await stream(writer, fields, reader.arrival)
            if fields["model"] == "error_after":
                break
    except ConnectionError:
        pass  # the client has disconnected
    finally:
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[list[str], bytes] | None:
    """Read one request; returns method and target, and the body, or None at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        lengths = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
        body = await reader.readexactly(sum(lengths))
    except asyncio.IncompleteReadError:
        return None
    return first.split()[:2], body


async def serve(port: int) -> None:
    listener = Listener(port)

    def connect() -> asyncio.StreamReaderProtocol:
        reader = TimestampReader()
        return asyncio.StreamReaderProtocol(reader, lambda _, writer: handle_connection(reader, writer, listener))

    server = await asyncio.get_running_loop().create_server(connect, sock=listener, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


def exact_loop() -> asyncio.AbstractEventLoop:
    """Return a loop with select: epoll rounds waits up to the next millisecond."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=exact_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
