"""ASGI middleware for every page: it closes all routes but the listed ones and restricts what a page may load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.access.policy import security_headers
from ui.access.routes import RouteTable, gradio_routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Guard:
    """Answers 404 for routes that aren't in the table and adds the security headers to every response."""

    def __init__(self, app: ASGIApp, routes: RouteTable | None = None) -> None:
        self._app = app
        self._routes = routes or gradio_routes()
        self._headers = security_headers()
        self._names = {name for name, _ in self._headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [header for header in message["headers"] if header[0].lower() not in self._names]
                message = {**message, "headers": [*others, *self._headers]}
            await send(message)

        if self._routes.allows(scope):
            return await self._app(scope, receive, send_with_headers)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await send_with_headers({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        return await send_with_headers({"type": "http.response.body", "body": b""})
