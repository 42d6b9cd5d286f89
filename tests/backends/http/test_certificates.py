"""The certificates of servers: trusted ones, and errors that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from backends import Backend, Catalog, Done, NotConfigured, Unreachable
from backends.http.certificates import tls
from backends.http.connections import close_connections
from tests.backends.recordings import OLLAMA, OLLAMA_SHOW, OPENAI, REQUEST
from tests.backends.wire_server import Reply, WireServer, serving
from tests.helpers.certificates import certificate

KINDS = ["openai", "ollama"]


@asynccontextmanager
async def serving_tls(folder: Path, **options: Any) -> AsyncIterator[tuple[WireServer, str]]:
    """A server with a certificate of its own, and the certificate's file."""
    file, key = certificate(folder, "server", **options)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file, key)
    async with serving(tls=context) as wire:
        prepare(wire)
        yield wire, str(file)
        await close_connections()


def prepare(wire: WireServer) -> None:
    wire.on("/v1/chat/completions", Reply([OPENAI.wire]))
    wire.on("/api/show", Reply.json(OLLAMA_SHOW))
    wire.on("/api/chat", Reply([OLLAMA.wire]))


def connect(kind: str, url: str, **more: Any) -> Backend:
    return Catalog({"x": {"kind": kind, "url": url, "model": "m"} | more}, source="test").connect("x")


async def answers(backend: Backend) -> bool:
    try:
        return isinstance([event async for event in backend.stream(REQUEST)][-1], Done)
    finally:
        await backend.aclose()


@pytest.mark.parametrize("kind", KINDS)
async def test_the_authority_of_a_target(kind: str, tmp_path: Path) -> None:
    async with serving_tls(tmp_path) as (wire, file):
        assert await answers(connect(kind, wire.url, ca=file))
        with pytest.raises(Unreachable, match="the authority of its certificate is unknown") as caught:
            await answers(connect(kind, wire.url))
    assert "Set ca in the catalogue" in caught.value.remedy
    assert "SSL_CERT_FILE" in caught.value.remedy


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("options", "words", "remedy"),
    [
        ({"days": -1}, "has expired", "Renew it"),
        ({"host": "other.test", "address": "192.0.2.1"}, "is for another name", "Write the url"),
    ],
)
async def test_a_certificate_that_is_wrong(
    kind: str, options: dict[str, Any], words: str, remedy: str, tmp_path: Path
) -> None:
    async with serving_tls(tmp_path, **options) as (wire, file):
        with pytest.raises(Unreachable, match=words) as caught:
            await answers(connect(kind, wire.url, ca=file))
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(("text", "reason"), [(None, "No such file"), ("no certificate", "no certificate")])
def test_an_authority_that_cannot_be_read(text: str | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if text:
        path.write_text(text)
    for kind in KINDS:
        with pytest.raises(NotConfigured, match=reason) as caught:
            connect(kind, "https://model.test", ca=str(path))
        assert "Set ca to a PEM file" in caught.value.remedy


@pytest.fixture
def unreadable_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """This machine's certificates are in a file that doesn't exist."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    tls.cache_clear()
    yield
    tls.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
async def test_certificates_that_cannot_be_read(kind: str, unreadable_certificates: None, server: WireServer) -> None:
    prepare(server)
    assert await answers(connect(kind, server.url))  # without TLS, none are needed
    with pytest.raises(NotConfigured, match=r"SSL_CERT_FILE names .* can't be read") as caught:
        await answers(connect(kind, "https://model.test"))
    assert "unset it" in caught.value.remedy
