"""Local servers that run in a thread while a block runs, and small helpers for ports and waiting."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer
from typing import Any, TypeVar

import httpx2
import uvicorn

from scripts.local_server import free_port as free_port

JSON = {"content-type": "application/json"}
Server = TypeVar("Server", bound=BaseServer)


@contextmanager
def serving(server: Server, *, poll_seconds: float = 0.02) -> Iterator[Server]:
    """Run a server of the standard library in a thread until the block ends, which it sees after `poll_seconds`."""
    thread = threading.Thread(target=server.serve_forever, args=[poll_seconds], daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving_app(app: Any, **options: Any) -> Iterator[int]:
    """Run an ASGI app in a thread with these uvicorn options, and yield its port."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", options.pop("port", 0), log_level="warning", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(2)  # a response without end, or a client that keeps its WebSocket, goes on


def reply_with_json(handler: BaseHTTPRequestHandler, value: Any, status: int = 200) -> None:
    """Send a value as the response of a handler."""
    body = json.dumps(value).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def client() -> httpx2.AsyncClient:
    """Return a client for one request. It loads no certificates, which would take longer than the request."""
    return httpx2.AsyncClient(timeout=120, verify=False)


async def streamed(url: str, body: bytes) -> AsyncIterator[bytes]:
    """Yield the chunks of the response to a POST as they arrive."""
    async with client() as caller, caller.stream("POST", url, content=body, headers=JSON) as response:
        async for chunk in response.aiter_raw():
            yield chunk


def is_listening(port: int) -> bool:
    """Return whether a server accepts connections on a port, with a hundredth of a request's CPU time."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], seconds: float = 60, message: Callable[[], str] = lambda: "") -> None:
    """Poll a condition until it is true. The limit only guards against a test that hangs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, message()
        time.sleep(0.05)
