"""The smallest server in front of another: `python -m harness.servers.bare_hop PORT URL [--hold]`.

uvicorn and httpx2, as in Spaceport's server, but nothing is parsed or checked: the bytes pass through. With `--hold`,
nothing is sent before the first text has come: a server has to wait for it if a refusal should have its own status.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import uvicorn

Messages = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
NO_TEXT = b'"content": ""'  # in the first event of the model


class BareHop:
    """Sends each request's body to the same path of `url`, and its answer's bytes back as they arrive."""

    def __init__(self, url: str, *, hold: bool = False) -> None:
        self._url, self._hold = url, hold
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
        sent = {"content-type": "application/json"}
        async with self._client.stream("POST", self._url + scope["path"], content=body, headers=sent) as answer:
            chunks = answer.aiter_raw()
            held = [await anext(chunks)] if self._hold else []
            while held and NO_TEXT in held[-1]:
                held.append(await anext(chunks))
            headers = [(b"content-type", answer.headers["content-type"].encode())]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
            if held:
                await send({"type": "http.response.body", "body": b"".join(held), "more_body": True})
            async for data in chunks:
                await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    app = BareHop(sys.argv[2], hold="--hold" in sys.argv)
    options: dict[str, Any] = {"lifespan": "off", "access_log": False, "log_level": "warning"}
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", int(sys.argv[1]), **options))
    print("ready", flush=True)
    server.run()
