"""Reads request bodies up to a limit."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request

from backends import Rejected
from backends.text import one_line

SECONDS = 60
# What is over the limit is still read, and thrown away, up to this: a client that cannot finish writing sees a
# broken connection instead of the reason.
DISCARDED = 256 * 1024 * 1024


async def read_json(request: Request, most: int) -> Any:
    """The JSON value of the body; `Rejected` with 413 above `most` bytes, with 400 if it is none."""
    kept, size = bytearray(), 0
    try:
        async with asyncio.timeout(SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= most:
                    kept += chunk
                elif size > DISCARDED:
                    break
    except TimeoutError as error:
        raise Rejected(f"The body did not come within {SECONDS} s.", "Send it in one go.", status=408) from error
    if size > most:
        raise Rejected(
            f"The body is larger than {most / 1e6:g} MB.", "Send less, or raise SPACEPORT_MAX_BODY_MB.", status=413
        )
    try:
        return json.loads(kept)
    except (ValueError, RecursionError) as error:
        reason = one_line(getattr(error, "msg", "") or "it is nested too deeply or no text")
        raise Rejected(f"The body is no JSON: {reason}.", "Send an object with messages.", status=400) from error
