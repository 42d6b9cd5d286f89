"""Web pages by their address: which ones are fetched, how much of them, and how they are read."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.documents import Document
from rag.errors import DocumentError
from rag.reading.parse import read_document
from rag.reading.web.addresses import Edge, NotPublic, resolve
from rag.reading.web.client import WebLimits
from rag.reading.web.fetch import fetch, is_url, urls_allowed
from tests.helpers.certificates import certificate
from tests.helpers.web_site import LOOPBACK, PUBLIC, Site
from tests.rag.make_documents import pdf

PAGE = b"<html><head><title>T</title></head><body><h1>Dues</h1><p>The fee is 14 crowns.</p></body></html>"
METADATA, PRIVATE = "169.254.169.254", "192.168.1.20"


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("SPACEPORT_ALLOW_URLS", "1")
    site = Site()
    yield site
    site.close()


@pytest.fixture
def read_url(site: Site) -> Callable[..., Document]:
    """A function that fetches a page and reads it; its file is deleted."""

    def fetch_and_read(url: str, limits: WebLimits | None = None) -> Document:
        source = fetch(url, edge=site.edge, limits=limits)
        try:
            document = read_document(source.path, name=source.name)
        finally:
            source.path.unlink()
        assert document.name == source.name
        return document

    return fetch_and_read


def refusal(site: Site, url: str, limits: WebLimits | None = None) -> str:
    with pytest.raises(DocumentError) as error:
        fetch(url, edge=site.edge, limits=limits)
    assert error.value.remedy
    return error.value.message


def test_a_page_is_read_under_its_address(site: Site, read_url: Callable[..., Document]) -> None:
    site.add("/rules/dues.php?year=2024", PAGE)
    assert read_url("http://port.example/rules/dues.php?year=2024#fees").text == "# Dues\n\nThe fee is 14 crowns."
    assert site.requests == [("port.example", "/robots.txt"), ("port.example", "/rules/dues.php?year=2024")]
    source = fetch("http://port.example/rules/dues.php?year=2024#fees", edge=site.edge)
    source.path.unlink()
    assert source.full_name == "http://port.example/rules/dues.php?year=2024"


@pytest.mark.parametrize(
    ("path", "kind", "body", "text"),
    [
        ("/a", "text/html; charset=windows-1251", "<p>Плата 14</p>".encode("cp1251"), "Плата 14"),
        ("/a.csv", "text/plain; charset=utf-8", "Порт;Плата\nСкарв;14\n".encode(), "Порт: Скарв; Плата: 14"),
        ("/a.csv", "application/octet-stream", b"Port;Fee\nSkarv;14\n", "Port: Skarv; Fee: 14"),
        ("/a", "application/json", b'{"fee": 14}', '{"fee": 14}'),
        ("/a", "text/plain", b"14 crowns", "14 crowns"),
        ("/a", "application/pdf", pdf("The fee is 14."), "The fee is 14."),
        ("/", "application/xhtml+xml", b"<p>14</p>", "14"),
    ],
)
def test_the_type_chooses_the_reader(
    site: Site, read_url: Callable[..., Document], path: str, kind: str, body: bytes, text: str
) -> None:
    site.add(path, body, kind)
    assert read_url(f"http://port.example{path}").text == text


def test_a_packed_page_is_unpacked_within_the_limit(site: Site, read_url: Callable[..., Document]) -> None:
    site.add("/a", gzip.compress(PAGE), Content_Encoding="gzip")
    site.add("/bomb", gzip.compress(bytes(3_000_000)), Content_Encoding="gzip")
    site.add("/br", b"x", Content_Encoding="br")
    assert "14 crowns" in read_url("http://port.example/a").text
    assert "limit" in refusal(site, "http://port.example/bomb", WebLimits(bytes=1_000_000))
    assert "packed as br" in refusal(site, "http://port.example/br")


def test_redirects_are_followed_and_the_last_address_is_the_name(site: Site) -> None:
    site.add("/old", b"", status=301, Location="http://other.example/new")
    site.add("/new", PAGE)
    site.add("/loop", b"", status=302, Location="/loop")
    source = fetch("http://port.example/old", edge=site.edge)
    source.path.unlink()
    assert source.full_name == "http://other.example/new"
    assert "redirects more than 5 times" in refusal(site, "http://port.example/loop")


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "10.0.0.1", "192.168.1.20", "172.16.0.9", "100.64.0.1", METADATA, "0.0.0.0"),
        *("[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[64:ff9b::a00:1]"),
        *("[::127.0.0.1]", "[::10.0.0.1]", "[::ffff:0:127.0.0.1]"),
        *("[2002:7f00:1::]", "224.0.0.1", "2130706433", "0x7f.1", "017700000001", "127.1", "no-such-name.invalid"),
    ],
)
def test_other_addresses_are_never_connected(site: Site, host: str) -> None:
    assert "isn't the address of a public server" in refusal(site, f"http://{host}:{site.server.server_port}/")
    site.add("/there", b"", status=302, Location=f"http://{host}:{site.server.server_port}/secret")
    assert "isn't the address of a public server" in refusal(site, "http://port.example/there")
    assert set(site.connected) == {PUBLIC}
    assert "/secret" not in [path for _, path in site.requests]


def test_a_name_with_a_private_address_among_its_own_is_refused(site: Site) -> None:
    site.hosts["mixed.example"] = [PUBLIC, PRIVATE]
    assert "public server" in refusal(site, "http://mixed.example/")
    assert not site.connected


def test_the_address_that_was_checked_is_connected(site: Site) -> None:
    """A name whose address changes, as in DNS rebinding, gains nothing: each connection checks its own answer."""
    site.add("/a", PAGE)
    answers = [[PUBLIC], [LOOPBACK]]  # for robots.txt, and for the page
    edge = Edge(lambda host, port: answers.pop(0), site.edge.connect)
    with pytest.raises(DocumentError, match="public server"):
        fetch("http://port.example/a", edge=edge)
    assert site.connected == [PUBLIC]
    assert site.requests == [("port.example", "/robots.txt")]


@pytest.mark.parametrize("url", ["http://u:p@port.example/", "http:///a", "http://port.example:99999/", "http://[x/"])
def test_what_isnt_an_address_is_refused(site: Site, url: str) -> None:
    assert "address" in refusal(site, url)


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://port.example/a", "gopher://a.example", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(site: Site, location: str) -> None:
    site.add("/a", b"", status=302, Location=location)
    assert "isn't the address of a web page" in refusal(site, "http://port.example/a")


def test_robots_are_respected_also_behind_redirects(site: Site) -> None:
    site.add("/private/a", PAGE)
    site.add("/a", b"", status=302, Location="/private/a")
    for path in ("/private/a", "/a"):
        assert "robots.txt" in refusal(site, f"http://port.example{path}")
    assert "/private/a" not in [path for _, path in site.requests]


@pytest.mark.parametrize(("status", "is_read"), [(404, True), (403, True), (500, False), (503, False)])
def test_a_missing_robots_txt_allows_and_a_broken_one_forbids(site: Site, status: int, is_read: bool) -> None:
    site.add("/a", PAGE)
    site.add("/robots.txt", b"", status=status)
    if is_read:
        fetch("http://port.example/a", edge=site.edge).path.unlink()
    else:
        assert "robots.txt" in refusal(site, "http://port.example/a")


def test_size_and_time_are_limited(site: Site) -> None:
    site.add("/large", bytes(300_000), "text/plain")
    assert "has more than 0 MB" in refusal(site, "http://port.example/large", WebLimits(bytes=100_000))
    site.pause = 0.1
    assert "took too long" in refusal(site, "http://port.example/large", WebLimits(seconds=0.5))


def test_errors_of_the_server_and_unknown_types_are_named(site: Site) -> None:
    site.add("/video", b"x", "video/mp4")
    assert "status 404" in refusal(site, "http://port.example/nothing")
    assert "video/mp4" in refusal(site, "http://port.example/video")


def test_a_certificate_is_checked_for_the_name(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_url: Callable[..., Document]
) -> None:
    pem, key = certificate(tmp_path, "site")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    site.add("/a", PAGE)
    site.hosts["localhost"] = [PUBLIC]  # the certificate's name
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    assert "14 crowns" in read_url("https://localhost/a").text
    assert set(names) == {"localhost"}
    assert "can't be reached" in refusal(site, "https://port.example/a")


def test_without_the_setting_nothing_is_fetched(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "0", "no"):
        monkeypatch.setenv("SPACEPORT_ALLOW_URLS", value)
        assert not urls_allowed()
        assert "aren't read here" in refusal(site, "http://port.example/a")
    assert not site.requests


def test_what_is_an_address() -> None:
    assert is_url("HTTPS://port.example")
    assert not any(map(is_url, ("report.pdf", "/tmp/http://x", "ftp://port.example", "https:report")))
    with pytest.raises(NotPublic):
        resolve("no-such-name.invalid", 80)
