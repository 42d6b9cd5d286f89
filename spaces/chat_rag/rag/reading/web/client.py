"""A small HTTP client for the public web: GET with limits for size, time and redirects, and robots.txt."""

from __future__ import annotations

import os
import ssl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from urllib.robotparser import RobotFileParser

import httpcore2
import httpx2

from backends.stopwatch import now
from rag.errors import DocumentError, FileError, FileProblem
from rag.reading.web.addresses import Edge, NotPublic, PublicBackend

AGENT = "Spaceport"
_HEADERS = (("User-Agent", f"{AGENT}/1 (reads a page that its user names)"), ("Accept-Encoding", "identity"))
_REDIRECTS = (301, 302, 303, 307, 308)
_CHUNK = 1 << 16
_LONGEST_URL = 2_000
_UPLOAD = "Open it in a browser, save it, and upload that file."


@dataclass(frozen=True, slots=True)
class WebLimits:
    """Limits for one page: its bytes, the seconds for everything, and how often it may redirect."""

    bytes: int = 50_000_000
    seconds: float = 30.0
    redirects: int = 5
    robots_bytes: int = 500_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server sent; `url` is the address after all redirects."""

    url: httpx2.URL
    status: int
    content_type: str
    content: bytes


class WebClient:
    """Fetches one page; everything that it does has one deadline."""

    def __init__(self, edge: Edge, limits: WebLimits) -> None:
        self._limits = limits
        backend = PublicBackend(edge, now() + limits.seconds)
        tls = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        self._pool = httpcore2.ConnectionPool(ssl_context=tls, network_backend=backend)
        self._robots: dict[str, RobotFileParser] = {}

    def __enter__(self) -> WebClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def get_page(self, url: str) -> Reply:
        """Return a page. Raises `DocumentError` if it can't be fetched, or robots.txt forbids it."""
        with _translated(url):
            reply = self._get(_parsed(url), self._limits.bytes, with_robots=True)
        if reply.status != 200:
            raise FileError(FileProblem.HTTP_STATUS, address=url, status=reply.status)
        return reply

    def _get(self, url: httpx2.URL, most: int, *, with_robots: bool) -> Reply:
        for _ in range(self._limits.redirects + 1):
            if with_robots and not self._may_fetch(url):
                raise FileError(FileProblem.FORBIDDEN_PAGE, host=url.host, address=str(url))
            with self._pool.stream("GET", str(url).encode("ascii"), headers=_HEADERS) as response:
                headers = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status in _REDIRECTS and "location" in headers:
                    url = _parsed(str(url.join(headers["location"])))
                    continue
                content = _content(response, headers, str(url), most) if response.status == 200 else b""
                return Reply(url, response.status, headers.get("content-type", ""), content)
        raise DocumentError(f"“{url}” redirects more than {self._limits.redirects} times.", _UPLOAD)

    def _may_fetch(self, url: httpx2.URL) -> bool:
        """Return whether the robots.txt of a page's server allows it, as RFC 9309 says."""
        origin = str(url.copy_with(raw_path=b"/robots.txt", fragment=None))
        if origin not in self._robots:
            self._robots[origin] = rules = RobotFileParser()
            reply = self._get(httpx2.URL(origin), self._limits.robots_bytes, with_robots=False)
            if reply.status == 200:
                rules.parse(reply.content.decode("utf-8", "replace").splitlines())
            elif reply.status >= 500:
                rules.parse(["User-agent: *", "Disallow: /"])
            else:
                rules.parse([])
        return self._robots[origin].can_fetch(AGENT, str(url))


@cache
def _tls(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return the certificates that are trusted, which take a tenth of a second to load; the variables name others."""
    return httpx2.create_ssl_context()


def _parsed(text: str) -> httpx2.URL:
    """Return an address that can be fetched: a web page, without a name and password in it."""
    url = httpx2.URL(text).copy_with(fragment=None)
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or len(str(url)) > _LONGEST_URL:
        raise FileError(FileProblem.INVALID_ADDRESS, address=text[:200])
    return url


def _content(response: httpcore2.Response, headers: dict[str, str], url: str, most: int) -> bytes:
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip", "deflate", ""):
        raise DocumentError(f"“{url}” is packed as {encoding[:20]}, which isn't supported.", _UPLOAD)
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32) if encoding in ("gzip", "deflate") else None
    content = bytearray()
    for chunk in response.iter_stream():
        content += unpacker.decompress(chunk, most + 1 - len(content)) if unpacker else chunk
        if len(content) > most:
            raise FileError(FileProblem.LARGE_PAGE, address=url, limit=most / 1e6)
    return bytes(content)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turn errors of the network into a `DocumentError`.

    A name that doesn't exist and one with a private address look alike: the page must not tell which names exist.
    """
    try:
        yield
    except (NotPublic, httpx2.InvalidURL, ValueError) as error:
        raise FileError(FileProblem.NOT_PUBLIC, address=url[:200]) from error
    except httpcore2.TimeoutException as error:
        raise FileError(FileProblem.SLOW_SERVER, address=url) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, zlib.error) as error:
        raise FileError(FileProblem.UNREACHABLE, address=url, reason=type(error).__name__) from error
