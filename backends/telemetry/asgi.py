"""A span for each request of an ASGI app, inside the trace that the client's headers name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from backends.telemetry.spans import context_of, span

Scope = MutableMapping[str, Any]
Call = Callable[..., Awaitable[Any]]


class RequestSpans:
    """ASGI middleware; only the paths in `paths` have spans, so that health checks have none."""

    def __init__(self, app: Call, paths: frozenset[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Call, send: Call) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        attributes = {"http.request.method": scope["method"], "http.route": scope["path"]}
        name = f"{scope['method']} {scope['path']}"
        with span(name, attributes, kind="server", parent=context_of(headers)) as current:

            async def send_status(message: Scope) -> None:
                if message["type"] == "http.response.start":
                    current.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, send_status)
