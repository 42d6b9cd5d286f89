"""Connections through a proxy of the environment."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backends import BackendError, Catalog, NotConfigured, Unreachable
from backends.http.connections import close_connections
from backends.http.proxies import Proxy, environment_proxy, is_loopback
from tests.backends.recordings import REQUEST
from tests.backends.wire_server import Reply, WireServer

SOCKS_METHOD, SOCKS_CONNECTED = b"\5\0", b"\5\0\0\1\0\0\0\0\0\0"


class SilentServer:
    """A proxy and the server behind it, which closes each connection instead of answering."""

    def __init__(self, scheme: str) -> None:
        self.connections = 0
        self._scheme = scheme

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._scheme == "socks5":
            await reader.readexactly(3)
            writer.write(SOCKS_METHOD)
            head = await reader.readexactly(5)  # the last byte is the length of the host's name
            await reader.readexactly(head[-1] + 2)
            writer.write(SOCKS_CONNECTED)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()


@asynccontextmanager
async def serving(handle: SilentServer) -> AsyncIterator[int]:
    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_new_connection_without_an_answer_is_an_error(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server = SilentServer(scheme)
    async with serving(server) as port:
        monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        backend = Catalog(
            {"x": {"kind": "openai", "url": "http://model.test/v1", "model": "tiny"}}, source="test"
        ).connect("x")
        async with asyncio.timeout(30):
            with pytest.raises(Unreachable, match="without sending a response"):
                _ = [event async for event in backend.stream(REQUEST)]
    assert server.connections == 1


REMOTE = "http://model.test/v1"


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


async def failure(kind: str, url: str) -> BackendError:
    """The error of a question to a server behind a proxy."""
    backend = Catalog({"x": {"kind": kind, "url": url, "model": "tiny"}}, source="test").connect("x")
    with pytest.raises(BackendError) as caught:
        async with asyncio.timeout(30):
            _ = [event async for event in backend.stream(REQUEST)]
    await backend.aclose()
    return caught.value


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("model.localhost", True),
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("[::1]", True),
        ("::", True),
        ("::ffff:127.0.0.1", True),
        ("localhost.test", False),
        ("128.0.0.1", False),
        ("10.0.0.1", False),
        ("127.model.test", False),
    ],
)
def test_hosts_that_are_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    ("exceptions", "host", "exempt"),
    [
        ("*", "model.test", True),
        ("model.test", "model.test", True),
        ("model.test", "a.model.test", True),
        (".model.test", "a.model.test", True),
        ("*.model.test", "a.model.test", True),
        ("other.test, MODEL.test", "model.test", True),
        ("model.test:8000", "model.test", True),
        ("model.test:8001", "model.test", False),
        ("del.test", "model.test", False),
        ("", "model.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:8000", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8:8000", "10.1.2.3", True),
        ("10.0.0.0/8:8001", "10.1.2.3", False),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]:8000", "fd00::1", True),
    ],
)
def test_hosts_that_need_no_proxy(
    exceptions: str, host: str, exempt: bool, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    proxy = environment_proxy("http", host, 8000)
    assert proxy == (None if exempt else Proxy("http://proxy.test:3128", "ALL_PROXY"))


def test_a_url_without_a_port_has_that_of_its_scheme(no_proxies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "model.test:443")
    assert environment_proxy("https", "model.test") is None
    assert environment_proxy("http", "model.test") is not None


@pytest.mark.parametrize("kind", ["openai", "ollama"])
@pytest.mark.parametrize("value", ["socks://127.0.0.1:9", "socks4://ann:hunter2@127.0.0.1:9", "http://[bad"])
async def test_a_proxy_that_no_client_can_use(
    kind: str, value: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", value)
    for module in ("ollama", "ollama._client"):  # it makes a client when it is imported
        monkeypatch.delitem(sys.modules, module, raising=False)
    error = await failure(kind, REMOTE)
    assert isinstance(error, NotConfigured)
    assert "ALL_PROXY" in error.message
    assert "socks5://host:port" in error.remedy
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("kind", ["openai", "ollama"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("login", ["", "ann:hunter2@"])
async def test_a_proxy_that_wants_a_password(
    kind: str, scheme: str, login: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch, server: WireServer
) -> None:
    for path in ("/v1/chat/completions", "/api/show", "/api/chat", "/v1/api/show", "/v1/api/chat"):
        server.on(f"http://model.test{path}", Reply([b"no"], 407, "text/html"))
    server.on("model.test:443", Reply([b"no"], 407, "text/html"))
    monkeypatch.setenv(f"{scheme.upper()}_PROXY", server.url.replace("//", f"//{login}"))
    error = await failure(kind, f"{scheme}://model.test/v1")
    assert isinstance(error, Unreachable)
    assert f"the proxy at {server.url} wants a user name and a password (407" in error.message
    assert f"{scheme.upper()}_PROXY" in error.remedy
    assert ("Correct" if login else "Write them") in error.remedy
    assert "hunter2" not in str(error)


@pytest.mark.parametrize("kind", ["openai", "ollama"])
@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_not_there(
    kind: str, scheme: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"{scheme}://127.0.0.1:9")
    error = await failure(kind, REMOTE)
    assert f"the proxy at {scheme}://127.0.0.1:9 is not answering" in error.message
    assert "correct ALL_PROXY" in error.remedy


@pytest.mark.filterwarnings("ignore:unclosed")  # the library leaves the connection to the garbage collector
@pytest.mark.parametrize("kind", ["openai", "ollama"])
async def test_a_proxy_that_does_not_speak_socks(kind: str, no_proxies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as proxy:
        monkeypatch.setenv("ALL_PROXY", f"socks5://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        error = await failure(kind, REMOTE)
    assert "refused the connection" in error.message
    assert "SOCKS5" in error.message
    del error
    await close_connections()
    gc.collect()
