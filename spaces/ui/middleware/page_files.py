"""ASGI middleware for Gradio pages: it keeps the frontend's files in memory, as they go to browsers.

A page has 80 of them. Gradio reads and compresses each one again for each visitor.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDERS = ("/assets/", "/static/", "/svelte/")  # the same files for every visitor, until Gradio is updated
MAX_BYTES = 20_000_000  # the files of a page have 1 MB, all of Gradio's 50 MB
ENTRY_BYTES = 2_000  # what the messages and headers of one file take beside its content
ENCODINGS = ("br", "gzip")  # in the order in which Gradio chooses
_NEVER_ENCODED = (".woff2", ".woff", ".png")
# A request with one of these can get a part of a file, or no file.
CONDITIONS = ("range", "if-none-match", "if-modified-since")


class PageFiles:
    """Compresses a file of the frontend for its first visitor, and sends the same messages to the others."""

    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BYTES) -> None:
        from gradio.brotli_middleware import BrotliMiddleware

        # Gradio adds it too, outside of this one; there it leaves alone what is compressed.
        self._app, self._compressing_app = app, BrotliMiddleware(app)
        self._kept: dict[tuple[str, str], list[Message]] = {}
        self._max_bytes, self._bytes = max_bytes, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_whole_file(scope):
            await self._app(scope, receive, send)
        elif messages := self._kept.get(_key(scope)):
            for message in messages:
                await send(_copy(message))
        else:
            await self._send_and_keep(scope, receive, send)

    async def _send_and_keep(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def keep_and_send(message: Message) -> None:
            messages.append(_copy(message))
            await send(message)

        await self._compressing_app(scope, receive, keep_and_send)
        if messages[0]["status"] == 200:
            self._keep(_key(scope), messages)

    def _keep(self, key: tuple[str, str], messages: list[Message]) -> None:
        """Keep a file, and drop the oldest ones if there is no room; several visitors can be the first one."""
        size = _size(key, messages)
        if key in self._kept or size > self._max_bytes:
            return
        while self._bytes + size > self._max_bytes:
            oldest = next(iter(self._kept))
            self._bytes -= _size(oldest, self._kept.pop(oldest))
        self._kept[key] = messages
        self._bytes += size


def _is_whole_file(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    is_file = path.startswith(FOLDERS) and posixpath.normpath(path) == path  # /assets/./a is another name of /assets/a
    return is_file and not any(name in CONDITIONS for name in Headers(scope=scope))


def _key(scope: Scope) -> tuple[str, str]:
    """Return the path of a request, and the encoding of its answer."""
    path, accepted = scope["path"], Headers(scope=scope).get("accept-encoding", "")
    encodings = () if path.endswith(_NEVER_ENCODED) else ENCODINGS
    return path, next((each for each in encodings if each in accepted), "")


def _size(key: tuple[str, str], messages: list[Message]) -> int:
    """Return about how many bytes of memory a file takes."""
    return ENTRY_BYTES + len(key[0]) + sum(len(message.get("body", b"")) for message in messages)


def _copy(message: Message) -> Message:
    """Return a message whose headers the middleware outside can change."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else dict(message)
