"""The frames of AWS's event stream around a container's response."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from backends.chat.failures import cut_off
from backends.chat.reader import ChatReader
from backends.errors import BackendError, TimedOut, Unreachable
from backends.text import one_line


async def unwrap_frames(chunks: AsyncIterator[bytes], reader: ChatReader) -> AsyncIterator[bytes]:
    """Yield the container's bytes; an exception frame raises its error."""
    from botocore.eventstream import EventStreamBuffer, ParserError

    frames = EventStreamBuffer()
    async for chunk in chunks:
        frames.add_data(chunk)
        try:
            for frame in frames:
                headers = frame.headers
                if headers.get(":message-type") != "event":
                    raise _frame_error(headers, frame.payload, interrupted=reader.has_output)
                if headers.get(":event-type") == "PayloadPart":
                    yield frame.payload
        except ParserError as error:
            raise reader.stream_error(f"it did not send an event stream ({error})") from error


def _frame_error(headers: Mapping[str, Any], payload: bytes, *, interrupted: bool) -> BackendError:
    """The error of an exception frame, which SageMaker sends when something fails after the status."""
    kind = str(headers.get(":exception-type") or headers.get(":error-code") or "an error")
    words, code = str(headers.get(":error-message", "")), ""
    try:
        fields = json.loads(payload)
        words = str(fields.get("Message") or fields.get("message") or words)
        code = str(fields.get("ErrorCode") or "")
    except (ValueError, AttributeError, RecursionError):
        pass  # a frame without a body has everything in its headers
    reason = one_line(f"{kind}{f', {code}' if code else ''}: {words}")
    if interrupted:
        return cut_off(reason.rstrip("."))
    if code == "ModelInvocationTimeExceeded":
        return TimedOut(f"The container took too long ({reason}).", "Ask for less, or use a larger instance.")
    return Unreachable(f"SageMaker gave no answer ({reason}).", "Look at the endpoint's log, then try again.")
