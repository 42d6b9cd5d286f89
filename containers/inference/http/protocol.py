"""Uvicorn's HTTP protocol with a limit on request heads, which httptools collects without one."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class LimitedHeadProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers exceed `MAX_HEAD_BYTES`."""

    _head_bytes: int | None = 0  # size of the unfinished head; None inside a body

    _message_complete = False  # the current data ended a message, so it wasn't part of a head

    def data_received(self, data: bytes) -> None:
        self._message_complete = False
        super().data_received(data)
        if self._head_bytes is not None and not self._message_complete:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(HEAD_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        self._head_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head_bytes, self._message_complete = 0, True
