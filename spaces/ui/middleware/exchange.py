"""One request and its response, whose body is counted and checked while it arrives."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

from backends import stopwatch
from ui.access.client_address import network
from ui.middleware.multipart import MultipartCheck
from ui.middleware.request_limits import Refused, RequestLimits, size_text
from ui.middleware.shared_room import SharedRoom

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ui.middleware.uploads import Uploads

# A client that is still sending reads its answer only if the connection stays open for a while.
DRAIN_SECONDS = 2.0


class BodyCheck(Protocol):
    """Looks at a body while it arrives."""

    def add(self, data: bytes) -> None:
        """Check the next bytes; raise `Refused` if they exceed a limit."""


class Exchange:
    """One request and its response. A refusal takes the place of whatever the page answers."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: RequestLimits, most: int, room: SharedRoom | None,
        check: BodyCheck | None = None,
    ) -> None:  # fmt: skip
        self._scope, self._receive, self._send = scope, receive, send
        self._limits = limits
        self._most = most
        self._room = room
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
            await send_refusal(self._refusal, self._scope, self._receive, self._send)

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
        if not self._room:
            return
        if not (self._room.fits_address(self.address, size) and self._room.fits_total(size)):
            raise Refused(429, "Too many large requests arrive at the same time. Try again.", retry_seconds=1)
        self._room.take(self.address, size)

    def end(self) -> None:
        """Give back what `count` took."""
        if self._room:
            self._room.give_back(self.address, self.received)

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


class UploadExchange(Exchange):
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


async def send_refusal(refusal: Refused, scope: Scope, receive: Receive, send: Send) -> None:
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


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
