"""ASGI middleware that refuses what is too large or too slow before the page stores or collects any of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from backends import stopwatch
from backends.json_values import ValueCounter
from ui.access.client_address import network
from ui.access.routes import API, RouteTable
from ui.middleware.multipart import MultipartCheck, boundary_of
from ui.middleware.request_limits import Refused, RequestLimits, size_text
from ui.middleware.shared_room import SharedRoom

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
# A client that is still sending reads its answer only if the connection stays open for a while.
DRAIN_SECONDS = 2.0


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

    def _exchange(self, scope: Scope, receive: Receive, send: Send) -> _Exchange:
        if self._upload_routes.routes.allows(scope):
            boundary = boundary_of(Headers(scope=scope).get("content-type", ""))
            if boundary:
                check = MultipartCheck(boundary, self._limits, self._upload_routes.field)
                if self._uploads:
                    return _Upload(scope, receive, send, self._limits, check, self._uploads)
                return _Exchange(scope, receive, send, self._limits, self._limits.upload_bytes, None, check)
        if EVENTS.allows(scope):
            return _Exchange(
                scope, receive, send, self._limits, self._limits.body_bytes, self._bodies, JsonCheck(self._limits)
            )
        return _Exchange(scope, receive, send, self._limits, self._limits.small_body_bytes, self._bodies)


class BodyCheck(Protocol):
    """Looks at a body while it arrives."""

    def add(self, data: bytes) -> None:
        """Check the next bytes; raise `Refused` if they exceed a limit."""


class JsonCheck:
    """Limits the values of a JSON body, each of which is walked through many times after it has been parsed."""

    def __init__(self, limits: RequestLimits) -> None:
        self._most = limits.json_values
        self._counter = ValueCounter()

    def add(self, data: bytes) -> None:
        if self._counter.add(data) > self._most:
            raise Refused(413, f"The event has too many inputs: the limit is {self._most:,} values.")


class _Exchange:
    """One request and its response. A refusal takes the place of whatever the page answers."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: RequestLimits, most: int, budget: SharedRoom | None,
        check: BodyCheck | None = None,
    ) -> None:  # fmt: skip
        self._scope, self._receive, self._send = scope, receive, send
        self._limits = limits
        self._most = most
        self._budget = budget
        self._check = check
        self._started = stopwatch.now()
        self._refusal: Refused | None = None
        self._responding = False
        self._complete = False
        self.address = network((scope.get("client") or ("",))[0])
        self.received = 0

    async def run(self, app: ASGIApp) -> None:
        try:
            declared = Headers(scope=self._scope).get("content-length", "")
            if declared.isdecimal() and int(declared) > self._most:
                self._refusal = self._too_large()
            else:
                await self._run(app)
        finally:
            self.end()
        if self._refusal and not self._responding:
            await _answer(self._refusal, self._scope, self._receive, self._send)

    async def _run(self, app: ASGIApp) -> None:
        try:
            await app(self._scope, self.receive, self.send)
        except Exception:
            if self._refusal is None:
                raise

    async def receive(self) -> Message:
        """Return the next part of the body; raise `Refused` if it exceeds a limit or the client has left."""
        if self._refusal:
            raise self._refusal
        if self._complete:
            return await self._receive()
        try:
            message = await self._next()
        except Refused as refusal:
            self._refusal = refusal
            raise
        self._complete = not message.get("more_body", False)
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._patience()):
                message = await self._receive()
        except TimeoutError as error:
            slowest = size_text(self._limits.body_bytes_per_second)
            raise Refused(408, f"The body must arrive with at least {slowest} a second.") from error
        if message["type"] == "http.disconnect":
            raise Refused(400, "The client left before its request was complete.")
        body = message.get("body", b"")
        if self.received + len(body) > self._most:
            raise self._too_large()
        if body:
            self.count(len(body))
            self.received += len(body)
        if self._check:
            self._check.add(body)
        return message

    def _patience(self) -> float:
        """Return the seconds to wait for the next bytes."""
        spent = stopwatch.now() - self._started
        allowed = self._limits.body_seconds + self.received / self._limits.body_bytes_per_second
        return max(0.0, min(self._limits.body_seconds, allowed - spent))

    def count(self, size: int) -> None:
        """Count bytes that arrive; raise `Refused` if all requests together have too many."""
        if not self._budget:
            return
        if not (self._budget.fits_address(self.address, size) and self._budget.fits_total(size)):
            raise Refused(429, "Too many large requests arrive at the same time. Try again.", retry_seconds=1)
        self._budget.take(self.address, size)

    def end(self) -> None:
        """Give back what `count` took."""
        if self._budget:
            self._budget.give_back(self.address, self.received)

    async def send(self, message: Message) -> None:
        if self._refusal and not self._responding:
            return
        self._responding = True
        if not self._complete and _has_body(self._scope):  # the page answers before it has read the body
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            elif not message.get("more_body"):
                await _send_and_drain(message, self._receive, self._send)
                return
        await self._send(message)

    def _too_large(self) -> Refused:
        return Refused(413, f"The request is too large: the limit is {size_text(self._most)}.")


class _Upload(_Exchange):
    """A request that puts files into the upload folder."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: RequestLimits, check: MultipartCheck, uploads: Uploads
    ) -> None:
        # Gradio would compress the list of many files.
        plain = [header for header in scope["headers"] if header[0] != b"accept-encoding"]
        super().__init__({**scope, "headers": plain}, receive, send, limits, limits.upload_bytes, None, check)
        self._uploads = uploads
        self._stored = False

    async def _run(self, app: ASGIApp) -> None:
        self._refusal = self._uploads.refusal(self.address)
        if not self._refusal:
            await super()._run(app)

    def count(self, size: int) -> None:
        self._uploads.receive(self.address, size)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._stored = message["status"] == 200 and not self._refusal
        elif self._stored:
            message = {**message, "body": self._uploads.store(self.address, message.get("body", b""))}
        await super().send(message)

    def end(self) -> None:
        self._uploads.end(self.address, self.received, stored=self._stored)
        self._uploads.clean_later()


async def _answer(refusal: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a refusal as plain text."""
    retry = {"retry-after": str(refusal.retry_seconds)} if refusal.retry_seconds else {}
    response = PlainTextResponse(f"{refusal.message}\n", refusal.status, headers={"connection": "close", **retry})

    async def send_last(message: Message) -> None:
        if message["type"] == "http.response.body":
            await _send_and_drain(message, receive, send)
        else:
            await send(message)

    await response(scope, receive, send_last)


async def _send_and_drain(message: Message, receive: Receive, send: Send) -> None:
    """Send the last part of a response, and end it when the body has been read or the time is over."""
    await send({**message, "more_body": True})
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


def _head_bytes(scope: Scope) -> int:
    headers = sum(len(name) + len(value) for name, value in scope["headers"])
    return headers + len(scope.get("raw_path") or scope["path"]) + len(scope.get("query_string", b""))


async def _refuse_head(limits: RequestLimits, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1009})
    else:
        message = f"The headers are too large: the limit is {size_text(limits.head_bytes)}."
        await _answer(Refused(431, message), scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
