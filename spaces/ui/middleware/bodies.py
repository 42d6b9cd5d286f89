"""ASGI middleware that refuses what is too large or too slow before the page stores or collects any of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from backends.serving.json_values import ValueCounter
from ui.access.routes import API, RouteTable
from ui.middleware.exchange import Exchange, UploadExchange, send_refusal
from ui.middleware.multipart import MultipartCheck, boundary_of
from ui.middleware.request_limits import Refused, RequestLimits, size_text
from ui.middleware.shared_room import SharedRoom

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ui.middleware.uploads import Uploads

# The paths whose bodies may be larger than a few numbers and names.
EVENTS = RouteTable(
    {
        f"{API}/queue/join": "POST",
        f"{API}/run/{{name}}": "POST",
        f"{API}/api/{{name}}": "POST",
        f"{API}/call/v2/{{name}}": "POST",
        f"{API}/call/{{name}}": "POST",
        f"{API}/mcp": "POST",
        f"{API}/mcp/{{path:path}}": "POST",
    }
)
GRADIO_UPLOADS = RouteTable({f"{API}/upload": "POST"})


@dataclass(frozen=True)
class UploadRoutes:
    """The routes that take files, as parts with the name `field` if that matters."""

    routes: RouteTable
    field: str | None


GRADIO = UploadRoutes(GRADIO_UPLOADS, "files")


class BodyLimits:
    """Answers 413, 431, 408 or 429 with a sentence that names the limit. Bytes are counted as they arrive."""

    def __init__(
        self, app: ASGIApp, limits: RequestLimits, uploads: Uploads | None = None, upload_routes: UploadRoutes = GRADIO
    ) -> None:
        """With `uploads`, the room for what was uploaded is limited, too."""
        self._app = app
        self._limits = limits
        self._uploads = uploads
        self._upload_routes = upload_routes
        self._bodies = SharedRoom(limits.bodies_per_address, limits.bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif _head_bytes(scope) > self._limits.head_bytes:
            await _refuse_head(self._limits, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._exchange(scope, receive, send).run(self._app)

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        if self._upload_routes.routes.allows(scope):
            boundary = boundary_of(Headers(scope=scope).get("content-type", ""))
            if boundary:
                check = MultipartCheck(boundary, self._limits, self._upload_routes.field)
                if self._uploads:
                    return UploadExchange(scope, receive, send, self._limits, check, self._uploads)
                return Exchange(scope, receive, send, self._limits, self._limits.upload_bytes, None, check)
        if EVENTS.allows(scope):
            return Exchange(
                scope, receive, send, self._limits, self._limits.body_bytes, self._bodies, JsonCheck(self._limits)
            )
        return Exchange(scope, receive, send, self._limits, self._limits.small_body_bytes, self._bodies)


class JsonCheck:
    """Limits the values of a JSON body, each of which is walked through many times after it has been parsed."""

    def __init__(self, limits: RequestLimits) -> None:
        self._most = limits.json_values
        self._counter = ValueCounter()

    def add(self, data: bytes) -> None:
        if self._counter.add(data) > self._most:
            raise Refused(413, f"The event has too many inputs: the limit is {self._most:,} values.")


def _head_bytes(scope: Scope) -> int:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return headers + len(scope.get("raw_path") or scope["path"]) + len(scope.get("query_string", b""))


async def _refuse_head(limits: RequestLimits, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1009})
    else:
        message = f"The headers are too large: the limit is {size_text(limits.head_bytes)}."
        await send_refusal(Refused(431, message), scope, receive, send)
