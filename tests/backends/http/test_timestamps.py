"""Sockets with timestamps: the same streams, with the times at which bytes left and arrived."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore2
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from backends import Backend, BackendError, Catalog, Delta, Done, Interrupted, Stopwatch, Unreachable
from backends.http.certificates import tls
from backends.http.connections import close_connections
from backends.http.receive_times import SO_TIMESTAMPNS
from backends.http.routes import LIMITS
from backends.http.sockets import MOST_UNSENT, DirectStream
from backends.http.timestamps import DirectTransport, connect_to_first
from backends.stopwatch import now
from backends.streams import closing
from tests.backends.recordings import OPENAI, REQUEST
from tests.backends.wire_server import Reply, WireServer, cuts

CHAT = "/v1/chat/completions"
SILENT = "127.0.0.9"


def connect(server: WireServer, read_timeout: float = 60.0) -> Backend:
    entry = {"kind": "openai", "url": server.url, "model": "tiny", "read_timeout": read_timeout}
    return Catalog({"x": entry}, source="test").connect("x")


async def ask(backend: Backend) -> tuple[list[object], Stopwatch]:
    stopwatch = Stopwatch()
    with stopwatch.marking():
        return [event async for event in stopwatch.record(backend.stream(REQUEST))], stopwatch


async def test_the_same_events_however_the_wire_is_cut(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    expected = [event async for event in connect(server).stream(REQUEST)]
    for parts in cuts(OPENAI.wire, 7):
        server.on(CHAT, Reply(parts))
        events, _ = await ask(connect(server))
        assert "".join(event.text for event in events if isinstance(event, Delta)) == "".join(
            event.text for event in expected if isinstance(event, Delta)
        )
        assert events[-1] == expected[-1]


async def test_an_arrival_is_when_the_socket_was_read_not_when_it_was_handled(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    stopwatch = Stopwatch()
    with stopwatch.marking():
        stream = stopwatch.record(connect(server).stream(REQUEST))
        async with closing(stream):
            first = await anext(stream)
            assert isinstance(first, Delta)
            handled = now()
            await asyncio.sleep(0.05)  # the rest has arrived and waits
            async for _ in stream:
                pass
    assert stopwatch.started_at is not None
    assert all(arrival.seconds + stopwatch.started_at <= handled for arrival in stopwatch.arrivals)


async def test_the_request_is_sent_after_connecting_and_before_the_response(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire], delay=0.05))
    _, stopwatch = await ask(connect(server))
    assert stopwatch.sent_at is not None
    assert stopwatch.started_at is not None
    marks = {mark.what: mark.seconds + stopwatch.started_at for mark in stopwatch.marks}
    assert marks["connected"] <= stopwatch.sent_at < marks["headers"]
    assert stopwatch.arrivals[0].seconds + stopwatch.started_at - stopwatch.sent_at >= 0.05


async def test_without_marking_there_are_no_timestamps(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    stopwatch = Stopwatch()
    async for _ in stopwatch.record(connect(server).stream(REQUEST)):
        pass
    assert stopwatch.arrivals
    assert (stopwatch.sent_at, stopwatch.marks) == (None, [])


async def test_connections_are_reused(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    for turn in range(4):
        _, stopwatch = await ask(connect(server))
        assert ("connected" in {mark.what for mark in stopwatch.marks}) == (turn == 0)
    assert server.connections == 1


async def test_a_timestamp_does_not_reach_the_next_stream(server: WireServer) -> None:
    class InProcess:
        local = True

        async def stream(self, request: object) -> AsyncIterator[object]:
            yield Delta("late")
            yield Done("stop", None)

    server.on(CHAT, Reply([OPENAI.wire]))
    stopwatch = Stopwatch()
    with stopwatch.marking():
        async for _ in stopwatch.record(connect(server).stream(REQUEST)):
            pass
        await asyncio.sleep(0.02)
        before = now()
        async for _ in stopwatch.record(InProcess().stream(REQUEST)):  # type: ignore[arg-type]
            pass
    assert stopwatch.started_at is not None
    assert stopwatch.arrivals[-1].seconds + stopwatch.started_at >= before


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply([OPENAI.wire[:400]], end="drop"), Interrupted),
        (Reply([], end="drop"), Unreachable),
        (Reply([OPENAI.wire[:400]], end="hang"), BackendError),
    ],
)
async def test_a_broken_stream_raises_the_same_error_with_timestamps(
    server: WireServer, reply: Reply, error: type[BackendError]
) -> None:
    server.on(CHAT, reply)
    with pytest.raises(error) as plain:
        async for _ in connect(server, 0.5).stream(REQUEST):
            pass
    with pytest.raises(error) as marked:
        await ask(connect(server, 0.5))
    assert type(marked.value) is type(plain.value)
    assert marked.value.remedy == plain.value.remedy


async def test_nothing_listening() -> None:
    backend = Catalog({"x": {"kind": "openai", "url": "http://127.0.0.1:9", "model": "m"}}, source="test").connect("x")
    with pytest.raises(Unreachable, match="is not answering"):
        await ask(backend)
    await close_connections()


class TwoAddresses(asyncio.SelectorEventLoop):
    """Resolves each name to an address that never answers, and then to the server's."""

    async def getaddrinfo(self, host: Any, port: Any, **more: Any) -> list[Any]:  # type: ignore[override]
        resolve = super().getaddrinfo
        return [*await resolve(SILENT, port, **more), *await resolve("127.0.0.1", port, **more)]


@pytest.mark.parametrize("timestamps", [False, True])
async def test_an_address_that_never_answers_does_not_keep_the_next_one_waiting(
    server: WireServer, timestamps: bool
) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    url = server.url.replace("127.0.0.1", "two.example")
    entry = {"kind": "openai", "url": url, "model": "tiny", "connect_timeout": 20.0}

    async def answer() -> object:
        backend = Catalog({"x": entry}, source="test").connect("x")
        try:
            if timestamps:
                return (await ask(backend))[0][-1]
            return [event async for event in backend.stream(REQUEST)][-1]
        finally:
            await close_connections()

    def run() -> object:
        with asyncio.Runner(loop_factory=TwoAddresses) as runner:
            return runner.run(asyncio.wait_for(answer(), 10))

    with silent_listener(httpx2.URL(server.url).port or 0):
        assert isinstance(await asyncio.to_thread(run), Done)


async def test_sockets_have_timestamps_on_uvloop_too(server: WireServer) -> None:
    """Uvicorn runs its apps on uvloop where that is installed."""
    uvloop = pytest.importorskip("uvloop")
    server.on(CHAT, Reply([OPENAI.wire]))

    async def answer() -> tuple[list[object], Stopwatch]:
        try:
            return await ask(connect(server))
        finally:
            await close_connections()

    def run() -> tuple[list[object], Stopwatch]:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(answer())

    events, stopwatch = await asyncio.to_thread(run)
    assert isinstance(events[-1], Done)
    assert stopwatch.arrivals


@contextmanager
def silent_listener(port: int) -> Iterator[None]:
    """Listen at `SILENT` with a full queue: the system drops whatever asks for another connection."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((SILENT, port))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex((SILENT, port))
        yield


async def test_closing_frees_the_connection(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire[:600]], end="repeat"))
    stopwatch = Stopwatch()
    with stopwatch.marking():
        stream = stopwatch.record(connect(server).stream(REQUEST))
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
    await asyncio.wait_for(server.client_left.wait(), 60)


async def test_a_body_of_many_megabytes_is_complete(server: WireServer) -> None:
    body = bytes(range(256)) * 40_000
    server.on("/big", Reply([body[start : start + 1_000_000] for start in range(0, len(body), 1_000_000)]))
    transport = DirectTransport(verify=tls(), limits=LIMITS)
    async with httpx2.AsyncClient(transport=transport) as client, client.stream("GET", f"{server.url}/big") as response:
        await asyncio.sleep(0.2)  # more has arrived than the buffer holds
        assert b"".join([part async for part in response.aiter_raw()]) == body


async def test_over_tls(tmp_path: Path) -> None:
    async with tls_server(tmp_path) as (url, trusted):
        transport = DirectTransport(verify=trusted, limits=LIMITS)
        stopwatch = Stopwatch(started_at=now())
        async with httpx2.AsyncClient(transport=transport) as client:
            with stopwatch.marking():
                response = await client.get(url)
        assert response.text == "hello"
        assert stopwatch.sent_at is not None


async def test_an_untrusted_certificate_is_refused(tmp_path: Path) -> None:
    async with tls_server(tmp_path) as (url, _):
        transport = DirectTransport(verify=tls(), limits=LIMITS)
        async with httpx2.AsyncClient(transport=transport) as client:
            with pytest.raises(httpx2.ConnectError, match="certificate"):
                await client.get(url)


def tls_contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the context of a server with its own certificate, and one that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(pem))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*files)
    return context, ssl.create_default_context(cafile=str(files[0]))


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """A server with its own certificate, and a context that trusts it."""
    context, trusted = tls_contexts(folder)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/", trusted
    finally:
        server.close()


@pytest.mark.skipif(sys.platform != "linux", reason="this system doesn't say when bytes arrived")
@pytest.mark.parametrize("secure", [False, True])
async def test_an_arrival_is_when_the_machine_received_it_even_if_the_loop_is_late(
    tmp_path: Path, secure: bool
) -> None:
    server_context, client_context = tls_contexts(tmp_path) if secure else (None, tls())
    sent: list[float] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.settimeout(10)
        with server_context.wrap_socket(connection, server_side=True) if server_context else connection as stream:
            stream.recv(65536)
            time.sleep(0.1)
            sent.append(now())
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
            sent.append(now())
            time.sleep(0.5)

    stopwatch = Stopwatch(started_at=now())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = asyncio.get_running_loop().run_in_executor(None, serve, listener)
        url = f"{'https' if secure else 'http'}://127.0.0.1:{listener.getsockname()[1]}/"
        transport = DirectTransport(verify=client_context, limits=LIMITS)
        async with httpx2.AsyncClient(transport=transport) as client:
            with stopwatch.marking():
                request = asyncio.ensure_future(client.get(url))
                async with asyncio.timeout(10):
                    while stopwatch.sent_at is None:  # noqa: ASYNC110  # nothing tells it
                        await asyncio.sleep(0.01)
                time.sleep(0.3)  # noqa: ASYNC251  # the loop is busy, as with hundreds of streams
                assert (await request).content == b"hello"
        await served
    assert stopwatch.sent_at < sent[0]
    assert stopwatch.last_read_at is not None
    assert sent[0] - 0.05 < stopwatch.last_read_at < sent[1] + 0.05


class Wire(asyncio.Transport):
    """A connection that keeps what is written to it, and answers nothing."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__({"socket": sock})
        self.writes: list[bytes] = []

    def writelines(self, parts: Iterable[Any]) -> None:
        self.writes.append(b"".join(parts))

    def resume_reading(self) -> None:
        """Do nothing: the test decides when bytes arrive."""


async def test_a_request_leaves_in_one_packet() -> None:
    """A head alone would wake the server, which then takes the processor that the body needs."""
    one, other = socket.socketpair()
    with one, other:
        stream, wire = DirectStream(), Wire(one)
        stream.connection_made(wire)
        await stream.write(b"head ")
        await stream.write(b"body")
        assert wire.writes == []
        stream.data_received(b"answer")
        assert await stream.read(100) == b"answer"
        assert wire.writes == [b"head body"]


async def test_a_large_request_is_sent_as_it_comes() -> None:
    one, other = socket.socketpair()
    with one, other:
        stream, wire = DirectStream(), Wire(one)
        stream.connection_made(wire)
        await stream.write(b"head ")
        await stream.write(bytes(MOST_UNSENT))
        assert [len(write) for write in wire.writes] == [5 + MOST_UNSENT]
        stream.connection_lost(None)
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"more")


@pytest.mark.parametrize("first", [SILENT, "127.0.0.8"])  # never answers; refuses
async def test_the_next_address_is_tried_where_the_loop_would_wait_for_the_first(first: str) -> None:
    """As on uvloop."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        addresses = [(socket.AF_INET, (address, port)) for address in (first, "127.0.0.1")]
        with silent_listener(port):
            async with asyncio.timeout(10):
                sock = await connect_to_first(addresses, None)
        with sock:
            assert sock.getpeername() == ("127.0.0.1", port)


async def test_if_no_address_answers_the_error_is_that_of_the_first() -> None:
    with pytest.raises(ConnectionRefusedError):
        await connect_to_first([(socket.AF_INET, (address, 9)) for address in ("127.0.0.1", "127.0.0.8")], None)


@pytest.mark.parametrize("receive_times", [False, True])
async def test_a_socket_that_was_dialled_has_the_same_options_as_others(
    server: WireServer, receive_times: bool
) -> None:
    """asyncio doesn't send small packets at once on a socket that doesn't name its protocol."""
    server.on(CHAT, Reply([OPENAI.wire]))
    address = ("127.0.0.1", httpx2.URL(server.url).port or 0)

    def dial() -> socket.socket:
        sock = socket.socket()
        sock.connect(address)
        return sock

    transport = DirectTransport(verify=tls(), limits=LIMITS, dial=dial, receive_times=receive_times)
    async with (
        httpx2.AsyncClient(transport=transport) as client,
        client.stream("POST", f"{server.url}/chat/completions", json={}) as response,
    ):
        sock = response.extensions["network_stream"].get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        if sys.platform == "linux":
            assert bool(sock.getsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS)) == receive_times
