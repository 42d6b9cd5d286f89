"""How long a server asks a client to wait: in headers, in its words, or in the fields of its error."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

from backends.stopwatch import wall_clock

_LONGEST = 31 * 86_400.0  # seconds; nobody means a longer wait
_FIRST_EPOCH = 1e9  # seconds; some servers name the time instead of the wait
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_STEP = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(ms|[smhd])(?:[a-z]{2,8})? ?")
_WORDS = re.compile(r"(?:try again|retry) (?:in|after) ((?:\d{1,9}(?:\.\d{1,9})? ?[a-z]{1,8} ?){1,4})", re.IGNORECASE)
_FIELD = re.compile(r'"(?:retryDelay|retry_after|retry_after_seconds|estimated_time)": ?"?(\d{1,9}(?:\.\d{1,9})?)')


def requested_wait(headers: Mapping[str, str], text: str) -> float | None:
    """Return the seconds to wait before the next request, or None if the server doesn't say; `text` is its body."""
    milliseconds = headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms")
    value = headers.get("retry-after")
    waits = [_number(milliseconds, 0.001), _number(value), _duration(value), _date(value)]
    if words := _WORDS.search(text):
        waits.append(_duration(words[1]))
    if field := _FIELD.search(text):
        waits.append(_number(field[1]))
    return next((wait for wait in waits if wait is not None), None)


def describe_wait(seconds: float) -> str:
    """A wait for people: in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _number(value: str | None, unit: float = 1.0) -> float | None:
    with contextlib.suppress(ValueError):
        if value:
            return _valid(float(value) * unit)
    return None


def _duration(value: str | None) -> float | None:
    """Read `1.5s`, `1m30s` or `20 seconds`."""
    text, total = (value or "").strip().lower(), 0.0
    if not text:
        return None
    while match := _STEP.match(text):
        total, text = total + float(match[1]) * _UNITS[match[2]], text[match.end() :]
    return None if text else _valid(total)


def _date(value: str | None) -> float | None:
    with contextlib.suppress(ValueError, TypeError):
        return _valid(parsedate_to_datetime(value or "").timestamp())
    return None


def _valid(seconds: float) -> float | None:
    if not isfinite(seconds):
        return None
    wait = seconds - wall_clock() if seconds > _FIRST_EPOCH else seconds
    return max(0.0, wait) if wait <= _LONGEST else None
