"""Reads request bodies up to a size limit, and rejects JSON that two readers could understand differently."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request

from backends import Rejected
from backends.chat.parts.checks import replace_surrogates
from backends.serving.json_values import ValueCounter
from backends.text import one_line

TIMEOUT_SECONDS = 60
# The server reads and discards a body that is too large, up to this size: a client that can't finish writing sees a
# broken connection instead of the reason.
MAX_DISCARDED_BYTES = 256 * 1024 * 1024
# How many bodies above a size are received at once; the others wait, so that slow uploads don't fill the memory.
LARGE_BODIES, LARGE_BODY_BYTES = 16, 256 * 1024
# Parsing 10 MB of empty lists would stop all answers for seconds.
MAX_VALUES = 100_000
# Half of a character, as JSON's escape or in the bytes; with a NUL, the encoding is another one than UTF-8.
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]|\0")


async def read_json(request: Request, limit: int, large_bodies: asyncio.Semaphore) -> Any:
    """Parse the request body as JSON; a body above `LARGE_BODY_BYTES` holds `large_bodies` while it arrives.

    Raises `Rejected`: 413 for more than `limit` bytes or MAX_VALUES, 408 after a time-out, 400 for invalid JSON.
    """
    counter = ValueCounter()
    body = await read_body(request, limit, large_bodies, lambda chunk: counter.add(chunk) <= MAX_VALUES)
    if counter.count > MAX_VALUES:
        raise Rejected(f"The body has more than {MAX_VALUES:,} values.", "Send fewer messages and options.", status=413)
    return parse_json(body)


async def read_body(
    request: Request,
    limit: int,
    large_bodies: asyncio.Semaphore,
    keep: Callable[[bytes], bool] = lambda chunk: True,
) -> bytearray:
    """Return the request body; one above `LARGE_BODY_BYTES` holds `large_bodies` while it arrives.

    Raises `Rejected`: 413 for more than `limit` bytes, 408 after a time-out. A chunk that `keep` refuses isn't kept.
    """
    body, size = bytearray(), 0
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), AsyncExitStack() as stack:
            async for chunk in request.stream():
                if size <= LARGE_BODY_BYTES < size + len(chunk):
                    await stack.enter_async_context(large_bodies)
                size += len(chunk)
                if size <= limit and keep(chunk):
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
    return body


def parse_json(body: bytes | bytearray) -> Any:
    """Parse JSON; raises `Rejected` with status 400 and the reason, also for an object with two equal names.

    Halves of characters are joined or replaced: no text with one can be sent to the model.
    """
    try:
        value = _parse(body.decode(json.detect_encoding(body), "surrogatepass"))
        if not _HALF_CHARACTER.search(body):
            return value
        return json.loads(replace_surrogates(json.dumps(value, ensure_ascii=False)))
    except (ValueError, RecursionError) as error:
        message = f"The body is not JSON: {one_line(_reason(error))}."
        raise Rejected(message, "Send an object with messages.", status=400) from error


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    if isinstance(error, UnicodeDecodeError):
        return "it is not valid text"
    # Otherwise a repeated name, or an integer with thousands of digits.
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object, or reject it: a proxy that checks requests might read the other value of a repeated name."""
    result = dict(pairs)
    if len(result) == len(pairs):
        return result
    counts = Counter(name for name, _ in pairs)
    raise ValueError(f"an object has the name {counts.most_common(1)[0][0][:40]!r} twice")


_parse = json.JSONDecoder(object_pairs_hook=_object).decode  # `json.loads` would create a decoder for each body
