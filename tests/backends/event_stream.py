"""AWS's event stream, as SageMaker writes it: lengths, headers and payload, each with its checksum."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import AsyncIterator
from typing import Any

PART = 97  # bytes


def payload_part(data: bytes) -> bytes:
    """A frame with a piece of the container's answer."""
    return frame(data, message_type="event", event_type="PayloadPart", content_type="application/octet-stream")


async def framed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """An answer in frames as SageMaker cuts it: where it likes, also inside a line."""
    async for chunk in chunks:
        for at in range(0, len(chunk), PART):
            yield payload_part(chunk[at : at + PART])


def exception(kind: str, **fields: Any) -> bytes:
    """A frame that says that the stream failed, as SageMaker's service model has it."""
    body = json.dumps(fields).encode()
    return frame(body, message_type="exception", exception_type=kind, content_type="application/json")


def frame(payload: bytes, **told: str) -> bytes:
    headers = b"".join(
        struct.pack("!B", len(name) + 1)
        + f":{name.replace('_', '-')}".encode()
        + struct.pack("!BH", 7, len(value))
        + value.encode()
        for name, value in told.items()
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))
