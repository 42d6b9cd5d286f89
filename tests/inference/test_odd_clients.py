"""Clients that speak HTTP in unusual ways, or only pretend to."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.inference.servers import Server, question, until

BODY = json.dumps(question(tokens=2)).encode()
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield connection


def read_until(connection: socket.socket, mark: bytes, times: int = 1) -> bytes:
    found = b""
    while found.count(mark) < times and (part := connection.recv(65536)):
        found += part
    return found


def test_a_body_that_comes_byte_by_byte(server: Server) -> None:
    with connected(server) as connection:
        for at in range(len(REQUEST)):
            connection.sendall(REQUEST[at : at + 1])
        assert b"total_tokens" in read_until(connection, b"}}")


def test_a_body_in_chunks(server: Server) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:11], BODY[11:]))
    with connected(server) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert b" 200 OK" in read_until(connection, b"}}")


def test_a_client_that_waits_to_be_told_to_go_on(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert b" 100 " in read_until(connection, b"\r\n\r\n")
        connection.sendall(BODY)
        assert b" 200 OK" in read_until(connection, b"}}")


def test_requests_that_do_not_wait_for_answers(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REQUEST * 3)
        assert read_until(connection, b"total_tokens", 3).count(b" 200 OK") == 3


def test_the_first_version_of_the_protocol_whole(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = read_until(connection, b"nothing has this")  # it is closed at the end
        assert b" 200 OK" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["usage"]


def test_what_is_no_http_is_refused(server: Server) -> None:
    for nonsense in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50,
        b"GET /\r\n\r\n\r\n",
        HEAD + b"Content-Length: ten\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        with connected(server) as connection:
            try:
                connection.sendall(nonsense)
                assert b" 200 OK" not in connection.recv(65536)
            except OSError:
                continue
    assert server.get("/ready").status_code == 200


def test_a_host_that_is_none(server: Server) -> None:
    for host in (b"x/y", b"[", b"a b", b""):
        with connected(server) as connection:
            connection.sendall(REQUEST.replace(b"Host: x", b"Host: " + host))
            assert b" 500 " not in read_until(connection, b"}}")


async def test_hundreds_that_leave_at_any_moment_take_nothing_with_them(server: Server) -> None:
    def free() -> bool:
        found = server.metrics()
        return found["spaceport_requests_in_flight"] == found["spaceport_queue_length"] == 0

    before = server.metrics()["process_open_fds"]
    for _ in range(20):
        writers = [(await asyncio.open_connection("127.0.0.1", server.port))[1] for _ in range(20)]
        for number, writer in enumerate(writers):
            writer.write(REQUEST[: len(REQUEST) * number // 19])
            if number % 3:
                await writer.drain()
            if number % 2:
                writer.transport.abort()
            writer.close()
    await asyncio.to_thread(until, free)
    await asyncio.to_thread(until, lambda: server.metrics()["process_open_fds"] <= before + 5)
    answer = await asyncio.to_thread(server.post, "/invocations", question(tokens=1))
    assert answer.status_code == 200


def test_a_head_without_an_end_is_not_read_for_ever(server: Server) -> None:
    with connected(server) as connection:
        connection.settimeout(5)
        closed = False
        try:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5_000_000)
            closed = b" 200 " not in connection.recv(65536)
        except TimeoutError:
            pass
        except ConnectionError:
            closed = True
    assert closed
