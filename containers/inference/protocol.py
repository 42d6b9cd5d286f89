"""HTTP as uvicorn speaks it, with a limit to the head of a request, which httptools would collect without end."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 * 1024
REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class Protocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers do not end."""

    _head: int | None = 0  # bytes of a head that has no end yet; None inside a body

    _ended = False  # a message ended in what is being read: it was no head

    def data_received(self, data: bytes) -> None:
        self._ended = False
        super().data_received(data)
        if self._head is not None and not self._ended:
            self._head += len(data)
            if self._head > MOST_HEAD and not self.transport.is_closing():
                self.transport.write(REFUSAL)
                self.transport.close()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head, self._ended = 0, True
