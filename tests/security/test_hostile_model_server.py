"""Attacks by a model server on its client: what it answers must not take the page's memory or processor."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest

from backends import BackendError, Unreachable
from backends.chat.reader import ChatReader
from backends.chat.sse import SSEDecoder
from backends.chat.thoughts.reasoning import ThoughtSplitter
from backends.http.client import MAX_DOCUMENT_BYTES, MAX_ERROR_BYTES
from backends.http.endpoint import Endpoint
from backends.kinds.kubernetes.errors import read_status
from backends.kinds.vertex.errors import google_error
from backends.types import Delta
from tests.backends.http.test_client import connected
from tests.backends.test_contract import collect
from tests.security.linear_time import assert_linear

MB = 1_000_000
# What the sockets hold on both sides.
IN_FLIGHT = 20 * MB


def head(status: int, media_type: str, **more: str) -> bytes:
    fields = {"content-type": media_type, "connection": "close", **more}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Any\r\n{lines}\r\n".encode()


class Endless:
    """Answers with a head and then with the same block again and again, until the client leaves or `limit` bytes."""

    def __init__(self, start: bytes, block: bytes, limit: int = 400 * MB) -> None:
        self._start, self._block, self._limit = start, block, limit
        self.sent = 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        writer.write(self._start)
        try:
            while self.sent < self._limit and not writer.is_closing():
                writer.write(self._block)
                self.sent += len(self._block)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            pass


@pytest.mark.parametrize(
    ("status", "media_type", "block", "limit"),
    [
        (200, "application/json", b" " * 65536, MAX_DOCUMENT_BYTES),
        (200, "application/json", b'{"choices": "' + b"x" * 65536, MAX_DOCUMENT_BYTES),
        (200, "text/event-stream", b"x" * 65536, MAX_DOCUMENT_BYTES),
        (500, "text/plain", b"x" * 65536, MAX_ERROR_BYTES),
        (429, "application/json", b"[" * 65536, MAX_ERROR_BYTES),
    ],
    ids=["blanks", "document", "line", "error", "error in JSON"],
)
async def test_an_answer_without_an_end_is_not_collected(
    status: int, media_type: str, block: bytes, limit: int
) -> None:
    server = Endless(head(status, media_type), block)
    async with connected(server) as backend:
        with pytest.raises(BackendError):
            await collect(backend)
        assert server.sent < limit + IN_FLIGHT


@pytest.mark.parametrize("status", [200, 500])
async def test_a_list_of_models_without_an_end_is_not_collected(status: int) -> None:
    server = Endless(head(status, "application/json"), b"x" * 65536)
    async with connected(server) as backend:
        with pytest.raises(BackendError):
            await backend.check()
        assert server.sent < MAX_DOCUMENT_BYTES + IN_FLIGHT


@pytest.mark.parametrize("ask", ["check", "stream"])
@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_unpacks_to_gigabytes_is_not_unpacked(ask: str, status: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(b"x" * MB) for _ in range(300)) + packer.flush()

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, "application/json", content_encoding="gzip") + body)
        await writer.drain()

    async with connected(answer) as backend:
        tracemalloc.start()
        try:
            with pytest.raises(BackendError):
                await (backend.check() if ask == "check" else collect(backend))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 5 * MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("ask", ["check", "stream"])
@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_says_it_is_packed_and_is_not_is_an_error(ask: str, status: int) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, "application/json", content_encoding="gzip") + b"not packed")
        await writer.drain()

    async with connected(answer) as backend:
        with pytest.raises(BackendError):
            await (backend.check() if ask == "check" else collect(backend))


NESTED = "[" * 100_000


@pytest.mark.parametrize(
    ("status", "media_type", "body"),
    [
        (200, "text/event-stream", f'data: {{"choices": {NESTED}\n\n'),
        (200, "text/event-stream", f"event: error\ndata: {NESTED}\n\n"),
        (200, "application/json", f'{{"choices": {NESTED}'),
        (500, "application/json", f'{{"error": {NESTED}'),
        (429, "application/json", NESTED),
    ],
    ids=["event", "error event", "document", "error", "busy"],
)
async def test_a_value_that_is_nested_deeply_is_an_error_of_the_server(status: int, media_type: str, body: str) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, media_type) + body.encode())
        await writer.drain()

    async with connected(answer) as backend:
        with pytest.raises(BackendError):
            await collect(backend)


def test_a_nested_error_of_a_cloud_is_read() -> None:
    endpoint = Endpoint("https://example.com", name="The endpoint")
    content = f'{{"error": {NESTED}'.encode()
    assert google_error(endpoint, 500, {}, content).message.startswith("The endpoint")
    assert read_status(content) is None


async def test_headers_without_an_end_are_not_collected() -> None:
    server = Endless(b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 65536 + b"\r\n")
    async with connected(server) as backend:
        with pytest.raises(Unreachable):
            await collect(backend)
        assert server.sent < IN_FLIGHT


async def test_an_answer_without_a_word_has_an_end() -> None:
    """Its events are calls of a tool that nobody offered, so no limit of text ends it."""
    arguments = "x" * 1_000_000
    event = {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]}}]}
    server = Endless(head(200, "text/event-stream"), f"data: {json.dumps(event)}\n\n".encode(), limit=1000 * MB)
    async with connected(server) as backend:
        with pytest.raises(BackendError, match="256 MiB"):
            await collect(backend)


def one_line(size: int) -> None:
    decoder = SSEDecoder()
    decoder.feed(b"data: ")
    for _ in range(size):
        decoder.feed(b"a")


def one_call(size: int) -> None:
    reader = ChatReader()
    for _ in range(size):
        reader.read('{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"xxxxxxxxxxxxxxxx"}}]}}]}')


def one_refusal(size: int) -> None:
    reader = ChatReader()
    for _ in range(size):
        reader.read('{"choices":[{"delta":{"refusal":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}}]}')


def one_blank(size: int) -> None:
    splitter = ThoughtSplitter()
    for _ in range(size):
        splitter.feed(" " * 16)


def one_header(size: int) -> None:
    splitter = ThoughtSplitter()
    splitter.feed("<|channel|>")
    for _ in range(size):
        splitter.feed("x" * 16)


@pytest.mark.parametrize(
    ("read", "size"),
    [(one_line, 400_000), (one_call, 50_000), (one_refusal, 50_000), (one_blank, 50_000), (one_header, 50_000)],
)
def test_small_pieces_of_something_long_are_read_in_linear_time(read: Callable[[int], None], size: int) -> None:
    assert_linear(read, sizes=(size // 10, size))


def test_blanks_before_an_answer_stay_and_so_do_those_before_a_thought() -> None:
    def texts(parts: Iterator[str]) -> list[tuple[str, str]]:
        splitter, deltas = ThoughtSplitter(), list[Delta]()
        for part in parts:
            deltas += splitter.feed(part)
        return [(delta.kind, delta.text) for delta in [*deltas, *splitter.flush()]]

    many = " " * 2000
    assert "".join(text for _, text in texts(iter([*many, "a"]))) == f"{many}a"
    assert texts(iter([*" \n" * 100, "<think>", "b</think>", "a"])) == [("thought", "b"), ("answer", "a")]
