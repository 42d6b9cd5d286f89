"""Clients that use HTTP in unusual or invalid ways."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.helpers.servers import wait_until
from tests.inference.servers import Server, question

BODY = json.dumps(question(tokens=2)).encode()
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
REQUEST = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        yield connection


def read_until(connection: socket.socket, marker: bytes, times: int = 1) -> bytes:
    data = b""
    while data.count(marker) < times and (part := connection.recv(65536)):
        data += part
    return data


def test_body_that_arrives_byte_by_byte(server: Server) -> None:
    with connected(server) as connection:
        for position in range(len(REQUEST)):
            connection.sendall(REQUEST[position : position + 1])
        assert b"total_tokens" in read_until(connection, b"}}")


def test_chunked_body(server: Server) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:10], BODY[10:11], BODY[11:]))
    with connected(server) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
        assert b" 200 OK" in read_until(connection, b"}}")


def test_client_that_expects_100_continue(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(BODY))
        assert b" 100 " in read_until(connection, b"\r\n\r\n")
        connection.sendall(BODY)
        assert b" 200 OK" in read_until(connection, b"}}")


def test_pipelined_requests(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REQUEST * 3)
        assert read_until(connection, b"total_tokens", 3).count(b" 200 OK") == 3


def test_more_pipelined_requests_than_a_client_needs_end_the_connection(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REQUEST + b"GET /health HTTP/1.1\r\n\r\n" * 2_000)
        with suppress(ConnectionError):
            assert read_until(connection, b"alive", 2_000).count(b"alive") <= 16


def test_http_1_0(server: Server) -> None:
    with connected(server) as connection:
        connection.sendall(REQUEST.replace(b"HTTP/1.1", b"HTTP/1.0", 1))
        answer = read_until(connection, b"nothing has this")  # the server closes the connection
        assert b" 200 OK" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["usage"]


def test_invalid_http_is_refused(server: Server) -> None:
    for data in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 50,
        b"GET /\r\n\r\n\r\n",
        HEAD + b"Content-Length: ten\r\n\r\n",
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        with connected(server) as connection:
            try:
                connection.sendall(data)
                assert b" 200 OK" not in connection.recv(65536)
            except OSError:
                continue
    assert server.get("/ready").status_code == 200


def test_invalid_host_header(server: Server) -> None:
    for host in (b"x/y", b"[", b"a b", b""):
        with connected(server) as connection:
            connection.sendall(REQUEST.replace(b"Host: x", b"Host: " + host))
            assert b" 500 " not in read_until(connection, b"}}")


async def test_hundreds_of_disconnects_leak_nothing(server: Server) -> None:
    def idle() -> bool:
        metrics = server.metrics()
        return metrics["spaceport_requests_in_flight"] == metrics["spaceport_queue_length"] == 0

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
    await asyncio.to_thread(wait_until, idle)
    await asyncio.to_thread(wait_until, lambda: server.metrics()["process_open_fds"] <= before + 5)
    answer = await asyncio.to_thread(server.post, "/invocations", question(tokens=1))
    assert answer.status_code == 200


def test_endless_head_closes_the_connection(server: Server) -> None:
    with connected(server) as connection:
        connection.settimeout(30)
        closed = False
        try:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5_000_000)
            closed = b" 200 " not in connection.recv(65536)
        except TimeoutError:
            pass
        except ConnectionError:
            closed = True
    assert closed
