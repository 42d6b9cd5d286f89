"""The smallest server in front of another: `python -m harness.servers.bare_hop PORT URL`.

uvicorn and httpx2, as in Spaceport's server, but nothing is parsed or checked: the bytes pass through.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import uvicorn

Messages = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class BareHop:
    """Sends each request's body to the same path of `url`, and its answer's bytes back as they arrive."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx2.AsyncClient(timeout=60, trust_env=False)

    async def __call__(self, scope: Any, receive: Messages, send: Send) -> None:
        if scope["type"] != "http":  # the server's start and end
            return
        if scope["method"] == "GET":  # is it there?
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        body, message = b"", {"more_body": True}
        while message.get("more_body"):
            message = await receive()
            body += message.get("body", b"")
        headers = {"content-type": "application/json"}
        async with self._client.stream("POST", self._url + scope["path"], content=body, headers=headers) as answer:
            content_type = answer.headers["content-type"].encode()
            await send(
                {
                    "type": "http.response.start",
                    "status": answer.status_code,
                    "headers": [(b"content-type", content_type)],
                }
            )
            async for data in answer.aiter_raw():
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    config = uvicorn.Config(
        BareHop(sys.argv[2]), "127.0.0.1", int(sys.argv[1]), lifespan="off", access_log=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    print("ready", flush=True)
    server.run()
