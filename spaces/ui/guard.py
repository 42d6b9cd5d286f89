"""ASGI middleware for every page: it closes all routes but the listed ones and restricts what a page may load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.routes import RouteTable, gradio_routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A remote image would tell its server what a visitor reads. The pages ship everything that they need.
POLICY = "; ".join(
    [
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
    ]
)
HEADERS = [(b"content-security-policy", POLICY.encode()), (b"referrer-policy", b"no-referrer")]


class Guard:
    """Answers 404 for routes that aren't in the table and adds the security headers to every response."""

    def __init__(self, app: ASGIApp, routes: RouteTable | None = None) -> None:
        self._app = app
        self._routes = routes or gradio_routes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *HEADERS]}
            await send(message)

        if self._routes.allows(scope):
            return await self._app(scope, receive, send_with_headers)
        if scope["type"] == "websocket":
            return await send({"type": "websocket.close", "code": 1008})
        await send_with_headers({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        return await send_with_headers({"type": "http.response.body", "body": b""})
