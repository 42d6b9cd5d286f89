"""A local chat server that answers on a known schedule: `python benchmarks/harness/scripted_server.py PORT`.

The request's `model` names the scenario. First text 200 ms after the request was read, then one every 20 ms, 50 in
all (`max_tokens` caps them). `GET /stamps` gives, and forgets, when each request was read and each text was written
(time.perf_counter(), one clock for all processes on Linux): a client is held against what was sent, not what was due.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FIRST, GAP, TOKENS = 0.200, 0.020, 50
THOUGHTS, BROKEN_AFTER = 10, 10
PING = b": ping\n\n"


@dataclass(frozen=True)
class Write:
    """One write to the socket: seconds after the request was read, the bytes, the texts that are whole with it."""

    at: float
    body: bytes
    texts: int = 0


def event(fields: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def chunk(**fields: object) -> bytes:
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted", **fields})


def delta(**fields: str) -> bytes:
    return chunk(choices=[{"index": 0, "delta": fields, "finish_reason": None}])


# One word is one token to the usual tokenizers too, for tools that count with their own.
WORD = delta(content="word ")


def due(index: int) -> float:
    return FIRST + index * GAP


def plain(tokens: int) -> Iterator[Write]:
    """One text a write."""
    return (Write(due(index), WORD, 1) for index in range(tokens))


def role_first(tokens: int) -> Iterator[Write]:
    """A chunk with the role and no text, 100 ms before the first text."""
    yield Write(FIRST - 0.1, delta(role="assistant", content=""))
    yield from plain(tokens)


def between(tokens: int, body: bytes) -> Iterator[Write]:
    for index in range(tokens):
        if index:
            yield Write(due(index) - GAP / 2, body)
        yield Write(due(index), WORD, 1)


def empty_chunks(tokens: int) -> Iterator[Write]:
    """A chunk with empty content half-way between two texts."""
    return between(tokens, delta(content=""))


def keep_alive(tokens: int) -> Iterator[Write]:
    """Comment lines, 50 ms after the start and half-way between two texts."""
    yield Write(0.05, PING)
    yield from between(tokens, PING)


def coalesced(tokens: int) -> Iterator[Write]:
    """Two texts in one write, every 40 ms."""
    for index in range(0, tokens, 2):
        texts = min(2, tokens - index)
        yield Write(due(index), WORD * texts, texts)


def split(tokens: int) -> Iterator[Write]:
    """Each text in two writes, 5 ms apart: it is there with the second."""
    half = len(WORD) // 2
    for index in range(tokens):
        yield Write(due(index) - 0.005, WORD[:half])
        yield Write(due(index), WORD[half:], 1)


def reasoning(tokens: int) -> Iterator[Write]:
    """The first texts are thoughts, the rest is the answer."""
    thought = delta(reasoning_content="word ")
    return (Write(due(index), thought if index < THOUGHTS else WORD, 1) for index in range(tokens))


def error_after(tokens: int) -> Iterator[Write]:
    """Some texts, an error in the stream, and the connection is closed."""
    yield from plain(min(tokens, BROKEN_AFTER))
    yield Write(due(BROKEN_AFTER), event({"error": {"message": "the engine died", "type": "server_error"}}))


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
}


def ending(model: str, tokens: int) -> Iterator[Write]:
    if model != "error_after":
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": tokens + 8}
        last = chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        last += b"" if model == "no_usage" else chunk(choices=[], usage=usage)
        yield Write(0, last + b"data: [DONE]\n\n")


STAMPS: list[dict[str, object]] = []
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def stream(writer: asyncio.StreamWriter, request: dict, read: float) -> None:
    model, written = request["model"], list[float]()
    asked = request.get("max_tokens") or request.get("max_completion_tokens") or TOKENS
    tokens = min(asked, TOKENS)
    STAMPS.append({"model": model, "read": read, "texts": written})
    writer.write(STREAM)
    for write in (*SCENARIOS[model](tokens), *ending(model, tokens)):
        if (wait := read + write.at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        written += [time.perf_counter()] * write.texts
        writer.write(b"%x\r\n%s\r\n" % (len(write.body), write.body))
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def page(target: str) -> bytes:
    """The stamps, or the list of models."""
    if target == "/stamps":
        body = json.dumps(STAMPS).encode()
        STAMPS.clear()
    else:
        body = json.dumps({"object": "list", "data": [{"id": name, "object": "model"} for name in SCENARIOS]}).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % len(body) + body


class StampedReader(asyncio.StreamReader):
    """Stamps what came when it came: with many requests at once, each waits for its turn to be answered."""

    came = 0.0

    def feed_data(self, data: bytes) -> None:
        self.came = time.perf_counter()
        super().feed_data(data)


async def converse(reader: StampedReader, writer: asyncio.StreamWriter) -> None:
    """The requests of one connection; asyncio has set TCP_NODELAY on it."""
    try:
        while request := await read_request(reader):
            (verb, target), body = request
            if verb == "GET":
                writer.write(page(target))
                continue
            fields = json.loads(body)
            if fields.get("model") not in SCENARIOS:
                writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                continue
            await stream(writer, fields, reader.came)
            if fields["model"] == "error_after":
                break
    except ConnectionError:
        pass  # the client has gone: so has its answer
    finally:
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[list[str], bytes] | None:
    """Verb and target, and the body."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        lengths = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
        body = await reader.readexactly(sum(lengths))
    except asyncio.IncompleteReadError:
        return None
    return first.split()[:2], body


async def serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: asyncio.StreamReaderProtocol(StampedReader(), converse), "127.0.0.1", port
    )
    print("ready", flush=True)
    await server.serve_forever()


def exact_loop() -> asyncio.AbstractEventLoop:
    """epoll rounds a wait up to the next millisecond, select does not."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=exact_loop) as runner:
        runner.run(serve(int(sys.argv[1])))
