"""Server-sent events and JSON lines: bytes to payloads and back; pure functions of bytes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from backends.text import to_json

MAX_EVENT_BYTES = 8 * 1024 * 1024
DONE = "[DONE]"
_BOM = b"\xef\xbb\xbf"
_UNREADABLE = {
    b"\x1f\x8b": "it sent a compressed answer without the header content-encoding",
    b"\xff\xfe": "it sent an answer in UTF-16",
    b"\xfe\xff": "it sent an answer in UTF-16",
}
_DATA = b"data:"
_FIELDS = (_DATA, b"event:", b"id:", b"retry:", b":")


class BadEvent(ValueError):
    """The bytes are not a server-sent event; the text says why."""


class SSEDecoder:
    """Chunks of bytes in, cut anywhere; the data of complete events out.

    Lines may end in LF, CRLF or CR. Comments and fields other than `data` and `event` are ignored. Several `data` lines
    of one event are joined by LF, as the HTML standard says, unless the first is a complete document: some servers
    leave out the blank lines. An event with the name `error` becomes `{"error": …}`. A line of JSON is an event, too.
    `unread` is the text of all other lines, such as an error message.
    """

    def __init__(self) -> None:
        self._rest = bytearray()  # grows without a copy, in however small pieces a long line arrives
        self._begun = False
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""
        self._unread: list[bytes] = []
        self._unread_size = 0
        self._has_events = False

    @property
    def unread(self) -> str:
        return b"\n".join(self._unread).decode("utf-8", "replace")

    def feed(self, chunk: bytes) -> list[str]:
        """Return the data of each event that `chunk` completes."""
        if self._rest:
            self._rest += chunk
            if self._begun and b"\n" not in chunk and b"\r" not in self._rest[-len(chunk) - 1 :]:
                self._check_size()
                return []
            chunk = bytes(self._rest)
        buffer = chunk
        if not self._begun:
            if len(buffer) < len(_BOM) and _BOM.startswith(buffer):
                self._rest = bytearray(buffer)
                return []
            if buffer.startswith(tuple(_UNREADABLE)):
                raise BadEvent(next(reason for begin, reason in _UNREADABLE.items() if buffer.startswith(begin)))
            self._begun, buffer = True, buffer.removeprefix(_BOM)
        tail = b""
        if b"\r" in buffer:
            if buffer.endswith(b"\r"):  # its LF may still follow
                buffer, tail = buffer[:-1], b"\r"
            buffer = buffer.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = buffer.split(b"\n")
        self._rest = bytearray(lines.pop() + tail)
        self._check_size()
        events: list[str] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(self._dispatch())
                self._name = b""
            else:
                events += self._read_line(line)
        return events

    def flush(self) -> list[str]:
        """Return the last event if the stream ended without its blank line."""
        self._begun = True
        events = self.feed(b"\n")
        if self._data:
            try:
                b"\n".join(self._data).decode()
            except UnicodeDecodeError as error:
                raise BadEvent("it ended inside a character") from error
            events.append(self._dispatch())
        if not events and not self._has_events and (documents := _documents(b"\n".join(self._unread))):
            events, self._unread = documents, []
        return events

    def _check_size(self) -> None:
        if len(self._rest) + self._size > MAX_EVENT_BYTES:
            raise BadEvent(f"it sent an event of more than {MAX_EVENT_BYTES >> 20} MiB")

    def _dispatch(self) -> str:
        data, self._data, self._size, self._has_events = self._data, [], 0, True
        text = (data[0] if len(data) == 1 else b"\n".join(data)).decode("utf-8", "replace")
        while text.startswith("data:"):  # a gateway has wrapped each event once more
            text = text[len("data:") :].lstrip()
        return _error_payload(text) if self._name.lower() == b"error" else text

    def _read_line(self, line: bytes) -> list[str]:
        """Read a line; return the event that it ends, or is."""
        if not line.startswith(_DATA):
            return self._read_other(line)
        ended = [self._dispatch()] if len(self._data) == 1 and _is_document(self._data[0]) else []
        self._data.append(line[6:] if line[5:6] == b" " else line[5:])
        self._size += len(line)
        return ended

    def _read_other(self, line: bytes) -> list[str]:
        """Read a line that isn't data; return its event if it has one."""
        if line.startswith(_BOM):  # of a stream that a gateway joined to another
            return self._read_line(line.removeprefix(_BOM))
        if line.startswith(b"event:"):
            self._name = line[6:].strip()
        elif line.startswith(b"error:"):  # older versions of llama-server
            return [_error_payload(line[6:].decode("utf-8", "replace").strip())]
        elif _is_document(bare := _bare(line)) or (self._has_events and bare.startswith(b"{")):
            self._has_events = True
            return [bare.decode("utf-8", "replace")]
        elif not line.startswith(_FIELDS) and self._unread_size + len(line) < MAX_EVENT_BYTES:
            self._unread.append(line)
            self._unread_size += len(line)
        return []


def _bare(line: bytes) -> bytes:
    """A line of a list of objects without the punctuation of the list."""
    text = line.strip().removeprefix(b"[").lstrip()
    return text.removesuffix(b"]").rstrip().removesuffix(b",") if text.startswith(b"{") else line


def _documents(data: bytes) -> list[str]:
    """The JSON objects of a body without events: one, or a list of them."""
    if _is_document(data):
        return [data.decode("utf-8", "replace")]
    if not data.lstrip().startswith(b"["):
        return []
    with contextlib.suppress(ValueError, RecursionError):
        documents = json.loads(data)
        if all(isinstance(each, dict) for each in documents):
            return [to_json(each) for each in documents]
    return []


def begins_event(head: bytes) -> bool:
    """Return whether a body that begins with `head` has events, whatever its media type says."""
    return head.removeprefix(_BOM).lstrip().startswith(_FIELDS)


def encode_event(data: Mapping[str, Any] | str, name: str = "") -> bytes:
    """One server-sent event, with a name if the format has names; a mapping becomes compact JSON."""
    text = data if isinstance(data, str) else to_json(data)
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + text.replace("\n", "\ndata: ").encode() + b"\n\n"


def _is_document(data: bytes) -> bool:
    """Return whether the bytes are a JSON object or the end marker."""
    text = data.strip()
    if text == DONE.encode():
        return True
    if not (text.startswith(b"{") and text.endswith(b"}")):
        return False
    try:
        json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _error_payload(text: str) -> str:
    try:
        error = json.loads(text)
    except (ValueError, RecursionError):
        error = text
    return to_json(error if isinstance(error, dict) and error.get("error") else {"error": error})
