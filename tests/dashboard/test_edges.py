"""The dashboard's limits for what a client sends or holds open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import httpx2
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect as connect_socket

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


def upload(app: App, session: str, name: str) -> int:
    """Upload a file of the largest size to a session, and return the status."""
    files = {"file": (f"{name}.jsonl", b"x" * 20_000_000)}
    with httpx2.Client(base_url=app.url, timeout=60) as browser:
        browser.get("/_stcore/health")
        headers = {"X-Xsrftoken": browser.cookies["_streamlit_xsrf"]}
        return browser.put(f"/_stcore/upload_file/{session}/{name}", files=files, headers=headers).status_code


@contextmanager
def open_session(app: App) -> Iterator[str]:
    """Keep a page's connection open; yield the name of its session."""
    rerun = BackMsg()
    rerun.rerun_script.SetInParent()
    url = f"{app.url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect_socket(url, max_size=None, max_queue=None, ping_interval=None) as connection:
        connection.send(rerun.SerializeToString())
        while not (message := ForwardMsg.FromString(connection.recv(timeout=30, decode=False))).HasField("new_session"):
            pass
        yield message.new_session.initialize.session_id


def test_uploads_have_only_so_much_memory(app: App) -> None:
    """A session keeps one file, whatever a client calls the others, and an address a few."""
    statuses: list[int] = []
    with ExitStack() as stack:
        names = [stack.enter_context(open_session(app)) for _ in range(12)]
        growth = peak_growth(app, lambda: statuses.extend(upload(app, names[0], f"file{at}") for at in range(8)))
        assert growth < 100_000_000  # 160 MB were sent
        assert set(statuses) == {204}
        statuses = [upload(app, name, "file") for name in names[1:]]
        assert (statuses[0], statuses[-1]) == (204, 429)


@pytest.mark.parametrize("data", ["text", b"\xff\xff", b"\x0a\xff"], ids=repr)
def test_what_no_page_sends_ends_the_connection_without_an_error(app: App, data: str | bytes) -> None:
    logged = len(app.log.read_bytes())
    with connect_socket(f"{app.url.replace('http', 'ws', 1)}/_stcore/stream") as connection:
        connection.send(data)
        with pytest.raises(ConnectionClosedError) as caught:
            while True:
                connection.recv(timeout=30)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1003
    with open_session(app):
        assert b"Traceback" not in app.log.read_bytes()[logged:]


def test_slow_connections_leave_room_for_others(app: App) -> None:
    others = open_sockets(app)  # those of the pages that were open, which Streamlit keeps for a while
    with ExitStack() as connections:
        for _ in range(3 * CONNECTIONS):
            connections.enter_context(connect(app)).sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        wait_until(lambda: open_sockets(app) <= others + CONNECTIONS + 20, 8)
        assert b" 200 OK" in send(app, "GET /_stcore/health HTTP/1.1\nHost: x\nConnection: close\n\n")
