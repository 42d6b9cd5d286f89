"""A web server on loopback that only a test takes for a public one."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpcore2

from rag.reading.web.addresses import Edge, is_public, resolve

PUBLIC, LOOPBACK, ROBOTS = "93.184.216.34", "127.0.0.1", b"User-agent: *\nDisallow: /private/\n"


class Site:
    """A server on loopback that tests reach by the names of `hosts`, whose addresses are what a resolver says."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {"/robots.txt": (200, {}, ROBOTS)}
        self.hosts = {"port.example": [PUBLIC], "other.example": [PUBLIC]}
        self.connected: list[str] = []
        self.requests: list[tuple[str | None, str]] = []
        self.pause = 0.0
        self.go = threading.Event()
        self.go.set()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append((self.headers["Host"], self.path))
                status, headers, body = site.pages.get(self.path, (404, {}, b""))
                site.go.wait(60)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                for start in range(0, len(body), 10_000):
                    self.wfile.write(body[start : start + 10_000])
                    time.sleep(site.pause)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that has seen enough
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def add(self, path: str, body: bytes, kind: str = "text/html", status: int = 200, **headers: str) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = status, {"Content-Type": kind} | names, body

    @property
    def edge(self) -> Edge:
        def resolve_name(host: str, port: int) -> list[str]:
            return self.hosts[host] if host in self.hosts else resolve(host, port)

        def connect(address: str, port: int, timeout: float | None) -> httpcore2.NetworkStream:
            self.connected.append(address)
            assert is_public(address)
            return httpcore2.SyncBackend().connect_tcp(LOOPBACK, self.server.server_port, timeout)

        return Edge(resolve_name, connect)

    def close(self) -> None:
        """Stop the server."""
        self.go.set()
        self.server.shutdown()
        self.server.server_close()
