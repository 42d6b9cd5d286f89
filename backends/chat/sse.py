"""Server-sent events and JSON lines: bytes to payloads and back; pure functions of bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.text import to_json

MAX_EVENT_BYTES = 8 * 1024 * 1024
_DATA = b"data:"


class BadEvent(ValueError):
    """The bytes are not a server-sent event; the text says why."""


class SSEDecoder:
    """Chunks of bytes in, cut anywhere; the data of complete events out.

    Lines may end in LF, CRLF or CR. Comments and fields other than `data` are ignored. Several `data` lines of one
    event are joined by LF, as the HTML standard says.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of each event that `chunk` completes."""
        buffer = self._rest + chunk if self._rest else chunk
        tail = b""
        if b"\r" in buffer:
            if buffer.endswith(b"\r"):  # its LF may still follow
                buffer, tail = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = buffer.split(b"\n")
        self._rest = lines.pop() + tail
        if len(self._rest) + self._size > MAX_EVENT_BYTES:
            raise BadEvent(f"it sent an event of more than {MAX_EVENT_BYTES >> 20} MiB")
        events: list[str] = []
        for line in lines:
            if line.startswith(_DATA):
                self._data.append(line[6:] if line[5:6] == b" " else line[5:])
                self._size += len(line)
            elif not line and self._data:
                events.append(self._dispatch())
        return events

    def flush(self) -> list[str]:
        """Return the last event if the stream ended without its blank line."""
        events = self.feed(b"\n")
        return [*events, self._dispatch()] if self._data else events

    def _dispatch(self) -> str:
        data, self._data, self._size = self._data, [], 0
        try:
            return (data[0] if len(data) == 1 else b"\n".join(data)).decode()
        except UnicodeDecodeError as error:
            raise BadEvent("it ended inside a character") from error


class LinesDecoder:
    """Like `SSEDecoder`, for JSON lines: each line is one event."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """Return each line that `chunk` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise BadEvent(f"it sent a line of more than {MAX_EVENT_BYTES >> 20} MiB")
        try:
            return [line.decode() for line in lines if line.strip()]
        except UnicodeDecodeError as error:
            raise BadEvent("it ended inside a character") from error

    def flush(self) -> list[str]:
        """Return the last line if the stream ended without a line end."""
        return self.feed(b"\n")


def encode_event(data: Mapping[str, Any] | str) -> bytes:
    """One server-sent event; a mapping becomes compact JSON."""
    text = data if isinstance(data, str) else to_json(data)
    return b"data: " + text.replace("\n", "\ndata: ").encode() + b"\n\n"
