"""Reads JSON request bodies up to a size limit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request

from backends import Rejected
from backends.text import one_line

TIMEOUT_SECONDS = 60
# The server reads and discards a body that is too large, up to this size: a client that can't finish writing sees a
# broken connection instead of the reason.
MAX_DISCARDED_BYTES = 256 * 1024 * 1024


async def read_json(request: Request, limit: int) -> Any:
    """Parse the request body as JSON.

    Raises `Rejected` with status 413 for more than `limit` bytes, 408 after a time-out, 400 for invalid JSON.
    """
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limit:
                    body += chunk
                elif size > MAX_DISCARDED_BYTES:
                    break
    except TimeoutError as error:
        raise Rejected(
            f"The body did not arrive within {TIMEOUT_SECONDS} s.", "Send it without pauses.", status=408
        ) from error
    if size > limit:
        raise Rejected(
            f"The body is larger than {limit / 1e6:g} MB.", "Send less, or raise SPACEPORT_MAX_BODY_MB.", status=413
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = one_line(getattr(error, "msg", "") or "it is nested too deeply or not valid text")
        raise Rejected(f"The body is not JSON: {reason}.", "Send an object with messages.", status=400) from error
