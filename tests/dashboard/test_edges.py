"""The dashboard's limits for what a client sends or holds open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.helpers.apps import App
from tests.helpers.servers import free_port, wait_until
from tests.security.test_edges import BIG, GROWTH, blocks, chunked, connect, open_sockets, peak_growth, send

CONNECTIONS = 100
HEAD = "PUT /_stcore/upload_file/a/b HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b\n"


@pytest.fixture(scope="module")
def app(start_app: Callable[..., App]) -> App:
    port = free_port()
    return start_app(
        "--server.port", str(port), "--server.address", "127.0.0.1",
        command=[sys.executable, "spaces/dashboard/serve.py"], port=port, SPACEPORT_MAX_CONNECTIONS=str(CONNECTIONS),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("head", "body", "status"),
    [
        (f"{HEAD}Content-Length: {BIG}\n\n", lambda: blocks(BIG), b"413"),
        (f"{HEAD}Transfer-Encoding: chunked\n\n", lambda: chunked(blocks(BIG)), b"4"),
        ("GET /?", lambda: blocks(BIG), b"431"),
    ],
    ids=["length", "chunked", "query"],
)
def test_a_large_request_is_not_collected(
    app: App, head: str, body: Callable[[], Iterator[bytes]], status: bytes
) -> None:
    answers: list[bytes] = []
    assert peak_growth(app, lambda: answers.append(send(app, head, body()))) < GROWTH
    assert answers[0].startswith(b"HTTP/1.1 " + status)


def test_slow_connections_leave_room_for_others(app: App) -> None:
    with ExitStack() as connections:
        for _ in range(3 * CONNECTIONS):
            connections.enter_context(connect(app)).sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        wait_until(lambda: open_sockets(app) <= CONNECTIONS + 20, 8)
        assert b" 200 OK" in send(app, "GET /_stcore/health HTTP/1.1\nHost: x\nConnection: close\n\n")
