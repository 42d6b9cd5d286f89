"""AWS's event stream as SageMaker writes it: lengths, headers and payload, each with its checksum."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

from tests.backends.wire_server import Reply

PART_BYTES = 97
SSE = {"x-amzn-sagemaker-content-type": "text/event-stream"}


def payload_part(data: bytes) -> bytes:
    """A frame with a piece of the container's response."""
    return frame(data, message_type="event", event_type="PayloadPart", content_type="application/octet-stream")


def frames(data: bytes, size: int = PART_BYTES) -> bytes:
    """A container's response in frames, cut anywhere as SageMaker does, also inside a line or a character."""
    return b"".join(payload_part(data[at : at + size]) for at in range(0, len(data), size))


async def framed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks of a response in frames, cut anywhere as SageMaker does."""
    async for chunk in chunks:
        for at in range(0, len(chunk), PART_BYTES):
            yield payload_part(chunk[at : at + PART_BYTES])


def exception(kind: str, **fields: Any) -> bytes:
    """An exception frame, as SageMaker's service model defines it."""
    body = json.dumps(fields).encode()
    return frame(body, message_type="exception", exception_type=kind, content_type="application/json")


def frame(payload: bytes, **headers: str) -> bytes:
    fields = b"".join(
        struct.pack("!B", len(name) + 1)
        + f":{name.replace('_', '-')}".encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(fields) + len(payload), len(fields))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + fields + payload
    return message + struct.pack("!I", zlib.crc32(message))


def event_reply(*parts: bytes, **options: Any) -> Reply:
    """A response of SageMaker's stream route whose container sends server-sent events."""
    return Reply(parts, type="application/vnd.amazon.eventstream", headers=SSE, **options)


def aws_error(status: int, code: str, message: str, **fields: Any) -> Reply:
    """An error response of AWS."""
    body = json.dumps({"Message": message, **fields}).encode()
    return Reply([body], status, "application/json", {"x-amzn-errortype": f"{code}:http://internal/"})
