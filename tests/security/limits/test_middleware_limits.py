"""The limits of `ui.middleware` with short times and little room, on a real server."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.helpers.servers import serving_app, wait_until
from ui.access.client_address import network
from ui.middleware.bodies import BodyLimits
from ui.middleware.connections import limited_connections
from ui.middleware.request_limits import Refused, RequestLimits
from ui.middleware.uploads import LEAST_FILE_BYTES, Uploads

LIMITS = RequestLimits(
    head_seconds=0.3, body_seconds=0.3, connections=20, small_body_bytes=5_000, body_bytes_per_second=9
)


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def hasty(request: Request) -> PlainTextResponse:
    return PlainTextResponse("no", 403)


async def endless(request: Request) -> StreamingResponse:
    async def beats() -> AsyncIterator[bytes]:
        while True:
            yield b"beat"
            await asyncio.sleep(1)

    return StreamingResponse(beats())


async def echo_messages(socket: WebSocket) -> None:
    await socket.accept()
    async for text in socket.iter_text():
        await socket.send_text(text)


@pytest.fixture(scope="module", params=[HttpToolsProtocol, H11Protocol])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    app = Starlette(
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/hasty", hasty, methods=["POST"]),
            Route("/endless", endless),
            WebSocketRoute("/socket", echo_messages),
        ]
    )
    app.add_middleware(BodyLimits, limits=LIMITS)
    with serving_app(app, http=limited_connections(LIMITS, request.param)) as port:
        yield port


def receive(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer


def receive_echo(connection: socket.socket) -> bytes:
    """Return an answer whose body is the length of what was sent, which can come in a part of its own."""
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer or answer.endswith(b"\r\n\r\n"):
        part = connection.recv(65536)
        assert part, answer
        answer += part
    return answer


def connected(port: int, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10, source_address=(source, 0))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"POST /echo HTTP/1.1\r\nHost:", b"HTTP/1.1 408"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", b"HTTP/1.1 408"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n", b"HTTP/1.1 413"),
        (
            b"POST /echo HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000,
            b"HTTP/1.1 4",
        ),  # h11 has a limit of its own, with 400
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"HTTP/1.1 431"),
        (b"POST /hasty HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", b"HTTP/1.1 403"),
    ],
    ids=["nothing", "half a head", "half a body", "large body", "large head", "complete large head", "early answer"],
)
def test_what_is_slow_or_large_is_answered_and_closed(port: int, sent: bytes, status: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert receive(connection)[: len(status) or 1] == status


def test_an_answered_connection_can_be_used_again(port: int) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(request)
            assert receive_echo(connection).startswith(b"HTTP/1.1 200")
            time.sleep(0.4)  # longer than a head may take
        connection.sendall(b"POST /echo")
        assert receive(connection).startswith(b"HTTP/1.1 408")


def test_a_new_connection_takes_the_place_of_one_that_waits(port: int) -> None:
    waiting = [connected(port) for _ in range(60)]
    with connected(port) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab")
        assert receive(connection).endswith(b"2")
    for each in waiting:
        each.close()


ENDLESS = b"GET /endless HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize("header", [b"", b"X-Forwarded-For: 203.0.113.9\r\n"], ids=["direct", "behind a proxy"])
def test_the_open_requests_of_one_address_leave_room_for_others(port: int, header: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(3 * LIMITS.connections):
            connection = stack.enter_context(connected(port))
            connection.sendall(ENDLESS + header + b"\r\n")
        visitors = []
        for number in range(5):
            connection = stack.enter_context(connected(port, "127.0.0.1" if header else f"127.0.0.{number + 2}"))
            forwarded = b"X-Forwarded-For: 198.51.100.%d\r\n" % number if header else b""
            connection.sendall(ENDLESS + forwarded + b"\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            visitors.append(connection)
        flood = [stack.enter_context(connected(port)) for _ in range(2 * LIMITS.connections)]
        for connection in flood:
            connection.sendall(ENDLESS + header + b"\r\n")
        for connection in visitors:  # each still has its answer
            connection.settimeout(0.05)
            with pytest.raises(TimeoutError):
                while connection.recv(65536):
                    pass


UPGRADE = b"GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
UPGRADE += b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"


@pytest.mark.parametrize("header", [b"", b"X-Forwarded-For: 203.0.113.9\r\n"], ids=["direct", "behind a proxy"])
def test_web_sockets_of_one_address_leave_room_for_others(port: int, header: bytes) -> None:
    """They were in no count: with all places taken by them, every new connection was closed."""
    with ExitStack() as stack:
        for _ in range(2 * LIMITS.connections):
            socket = stack.enter_context(connected(port))
            with suppress(OSError):  # one too many
                socket.sendall(UPGRADE + header + b"\r\n")
                socket.recv(65536)
        visitor = stack.enter_context(connected(port, "127.0.0.1" if header else "127.0.0.2"))
        visitor.sendall(ENDLESS + (b"X-Forwarded-For: 198.51.100.1\r\n" if header else b"") + b"\r\n")
        assert visitor.recv(65536).startswith(b"HTTP/1.1 200")
        for _ in range(LIMITS.connections):
            stack.enter_context(connected(port)).sendall(UPGRADE + header + b"\r\n")
        visitor.settimeout(0.05)
        with pytest.raises(TimeoutError):
            while visitor.recv(65536):
                pass


@pytest.mark.parametrize(
    "behind",
    [b"GET /x HTTP/1.1\r\nX: " + b"x" * 4_000_000, b"GET /x HTTP/1.1\r\n\r\n" * 20_000],
    ids=["a head without an end", "many requests"],
)
def test_what_arrives_behind_an_open_request_is_limited(port: int, behind: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(ENDLESS + b"\r\n")
        connection.settimeout(30)
        with pytest.raises(ConnectionError):
            for start in range(0, len(behind), 65536):
                connection.sendall(behind[start : start + 65536])
            while connection.recv(65536):
                pass
            raise ConnectionAbortedError  # the server closed it


def test_a_few_requests_may_be_sent_at_once(port: int) -> None:
    request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%b\r\nab"
    with connected(port) as connection:
        connection.sendall(request % b"" * 3 + request % b"Connection: close\r\n")
        assert receive(connection).count(b"HTTP/1.1 200") == 4


def store(uploads: Uploads, folder: Path, name: str, address: str) -> Path:
    path = folder / sha256(name.encode()).hexdigest() / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    uploads.receive(address, 1)
    (stored,) = json.loads(uploads.store(address, json.dumps([str(path)]).encode()))
    uploads.end(address, 1, stored=True)
    return Path(stored)


def test_room_is_for_an_address_and_for_all(tmp_path: Path) -> None:
    limits = RequestLimits(uploads_per_address=2 * LEAST_FILE_BYTES, uploads=3 * LEAST_FILE_BYTES)
    uploads = Uploads(tmp_path, limits)
    first = store(uploads, tmp_path, "1", "a")
    store(uploads, tmp_path, "2", "a")
    with pytest.raises(Refused, match="your address"):
        uploads.receive("a", LEAST_FILE_BYTES)
    store(uploads, tmp_path, "3", "b")
    with pytest.raises(Refused, match="All uploads"):
        uploads.receive("b", LEAST_FILE_BYTES)
    first.unlink()
    uploads.clean()
    uploads.receive("b", LEAST_FILE_BYTES)


def test_old_unused_uploads_make_room(tmp_path: Path) -> None:
    now = [1_000.0]
    uploads = Uploads(tmp_path, RequestLimits(uploads_per_address=2 * LEAST_FILE_BYTES), lambda: now[0])
    used, unused = store(uploads, tmp_path, "1", "a"), store(uploads, tmp_path, "2", "a")
    uploads.use([str(used)])
    now[0] += 100
    uploads.receive("a", LEAST_FILE_BYTES)
    assert used.exists()
    assert not unused.exists()


def test_an_upload_that_no_event_uses_is_deleted(tmp_path: Path) -> None:
    now = [1_000.0]
    uploads = Uploads(tmp_path, RequestLimits(unused_upload_seconds=50), lambda: now[0])
    used, unused = store(uploads, tmp_path, "1", "a"), store(uploads, tmp_path, "2", "a")
    uploads.use([str(used)])
    uploads.clean()
    assert unused.exists()
    now[0] += 51
    uploads.clean()
    assert used.exists()
    assert not unused.exists()


async def test_uploads_that_break_off_are_refused_early_after_a_while(tmp_path: Path) -> None:
    """Anybody could send megabytes again and again: they were parsed and written, and then forgotten."""
    uploads = Uploads(tmp_path, RequestLimits(broken_uploads_per_address=10))
    for received in (6, 6):
        assert uploads.refusal("a") is None
        uploads.receive("a", received)
        uploads.end("a", received, stored=False)
    refusal = uploads.refusal("a")
    assert refusal
    assert refusal.message.startswith("Too many uploads")
    assert uploads.refusal("b") is None


def test_files_of_one_upload_stay_together(tmp_path: Path) -> None:
    """Gradio names a folder after the content; a file's name can contain that, too."""
    folder = tmp_path / sha256(b"x").hexdigest()
    folder.mkdir()
    paths = [folder / name for name in ("a.txt", "b.txt", folder.name)]
    for path in paths:
        path.write_bytes(b"x")
    answer = json.dumps([str(path) for path in (*paths, paths[0])]).encode()
    stored = Uploads(tmp_path, RequestLimits()).store("a", answer)
    assert len(stored) == len(answer)
    places = [Path(path) for path in json.loads(stored)]
    assert [place.name for place in places] == ["a.txt", "b.txt", folder.name, "a.txt"]
    assert all(place.read_bytes() == b"x" for place in places)
    assert not folder.exists()


def test_what_gradio_leaves_behind_is_deleted(tmp_path: Path) -> None:
    empty, partial, fresh, folder = tmp_path / "tmp1", tmp_path / "tmp2", tmp_path / "tmp3", tmp_path / "abc"
    for path, content, age in ((empty, b"", 100), (partial, b"x", 4000), (fresh, b"x", 100)):
        path.write_bytes(content)
        os.utime(path, (time.time() - age,) * 2)
    folder.mkdir()
    os.utime(folder, (time.time() - 100,) * 2)
    Uploads(tmp_path, RequestLimits()).clean()
    assert list(tmp_path.iterdir()) == [fresh]


async def test_what_is_left_behind_is_deleted_without_another_upload(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, RequestLimits(), clean_seconds=0.01)
    uploads.clean_later()
    (tmp_path / "tmp1").touch()
    await asyncio.sleep(0.05)
    assert (tmp_path / "tmp1").exists()
    os.utime(tmp_path / "tmp1", (time.time() - 100,) * 2)
    await asyncio.to_thread(wait_until, lambda: not (tmp_path / "tmp1").exists())


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert network("2001:db8::1") == network("2001:db8::ffff:2") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1") == "192.0.2.1"
    assert network("testclient") == "testclient"
