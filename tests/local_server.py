"""An ASGI app on a port of this machine for as long as a block runs, and the way from it to the server behind it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import uvicorn

JSON = {"content-type": "application/json"}


@contextlib.contextmanager
def serving(app: Any, **options: Any) -> Iterator[int]:
    """Serve `app` in a thread, with uvicorn's options, and give its port."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning", **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


def client() -> httpx2.AsyncClient:
    """A client for one request; without certificates, which take longer to load than it takes to answer."""
    return httpx2.AsyncClient(timeout=120, verify=False)


async def streamed(url: str, body: bytes) -> AsyncIterator[bytes]:
    """What a server answers to a POST, as it comes."""
    async with client() as caller, caller.stream("POST", url, content=body, headers=JSON) as response:
        async for chunk in response.aiter_raw():
            yield chunk
