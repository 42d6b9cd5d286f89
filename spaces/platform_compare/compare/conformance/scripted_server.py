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
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from backends.http.receive_times import ReceiveTimeSocket, with_receive_times

FIRST, GAP, TOKENS = 0.200, 0.020, 50
SLOW_GAP = 0.1
THOUGHTS, BROKEN_AFTER = 10, 10
REFUSED_EACH = 4  # of the requests to "flaky"
PING = b": ping\n\n"


@dataclass(frozen=True)
class Write:
    """One write to the socket: seconds after the request, the bytes, and how many texts it completes."""

    at: float
    body: bytes
    texts: int = 0


def event(fields: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(**fields: object) -> bytes:
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **fields})


def delta(**fields: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": fields, "finish_reason": None}])


# One word is also one token for common tokenizers, for tools that count with their own.
WORD = delta(content="word ")


def due(index: int) -> float:
    return FIRST + index * GAP


def plain(tokens: int) -> Iterator[Write]:
    """One text per write."""
    return (Write(due(index), WORD, 1) for index in range(tokens))


def role_first(tokens: int) -> Iterator[Write]:
    """A chunk with only the role, 100 ms before the first text."""
    yield Write(FIRST - 0.1, delta(role="assistant", content=""))
    yield from plain(tokens)


def with_fillers(tokens: int, body: bytes) -> Iterator[Write]:
    for index in range(tokens):
        if index:
            yield Write(due(index) - GAP / 2, body)
        yield Write(due(index), WORD, 1)


def empty_chunks(tokens: int) -> Iterator[Write]:
    """A chunk with empty content halfway between two texts."""
    return with_fillers(tokens, delta(content=""))


def keep_alive(tokens: int) -> Iterator[Write]:
    """Comment lines, 50 ms after the request and halfway between two texts."""
    yield Write(0.05, PING)
    yield from with_fillers(tokens, PING)


def coalesced(tokens: int) -> Iterator[Write]:
    """Two texts in one write, every 40 ms."""
    for index in range(0, tokens, 2):
        texts = min(2, tokens - index)
        yield Write(due(index), WORD * texts, texts)


def split(tokens: int) -> Iterator[Write]:
    """Each text in two writes, 5 ms apart; the second one completes it."""
    half = len(WORD) // 2
    for index in range(tokens):
        yield Write(due(index) - 0.005, WORD[:half])
        yield Write(due(index), WORD[half:], 1)


def slow(tokens: int) -> Iterator[Write]:
    """One text per write, ten a second: 256 such answers at once are as many writes as one core can make in time."""
    return (Write(FIRST + index * SLOW_GAP, WORD, 1) for index in range(tokens))


def reasoning(tokens: int) -> Iterator[Write]:
    """Thoughts first, then the answer."""
    thought = delta(reasoning_content="word ")
    return (Write(due(index), thought if index < THOUGHTS else WORD, 1) for index in range(tokens))


def error_after(tokens: int) -> Iterator[Write]:
    """Some texts, then an error in the stream and a closed connection."""
    yield from plain(min(tokens, BROKEN_AFTER))
    yield Write(due(BROKEN_AFTER), event({"error": {"message": "the engine died", "type": "server_error"}}))


# So many requests at once; more of them wait in a queue.
PLACES = {"places_8": 8}

SCENARIOS: dict[str, Callable[[int], Iterator[Write]]] = {
    "plain": plain,
    "role_first": role_first,
    "empty_chunks": empty_chunks,
    "coalesced": coalesced,
    "split": split,
    "reasoning": reasoning,
    "no_usage": plain,
    "keep_alive": keep_alive,
    "error_after": error_after,
    **dict.fromkeys(PLACES, plain),
    "flaky": plain,
    "slow": slow,
}
_free_places = {model: asyncio.Semaphore(places) for model, places in PLACES.items()}


def final_writes(model: str, tokens: int) -> Iterator[Write]:
    if model != "error_after":
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": tokens + 8}
        last = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        last += b"" if model == "no_usage" else chunk(choices=[], usage=usage)
        yield Write(0, last + b"data: [DONE]\n\n")


STAMPS: list[dict[str, object]] = []
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
