"""The login of a page with SPACEPORT_AUTH: names, passwords, and a limit for attempts that fail."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from backends import stopwatch

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# Failed attempts per minute. Behind one address can be an office, and one person's name can be attacked from many
# addresses: neither limit alone would do.
PER_ADDRESS = 5
PER_NAME = 20
MINUTE = 60.0
MAX_TRACKED = 10_000
_address: ContextVar[str] = ContextVar("address", default="")


class Login:
    """Gradio's `auth`: whether a name and password are an account, with HTTP 429 after too many failures.

    All accounts are compared in constant time, so that neither a name nor the start of a password shows in it.
    """

    def __init__(self, accounts: Sequence[tuple[str, str]], now: Callable[[], float] = stopwatch.now) -> None:
        self._accounts = [(_digest(name), _digest(password)) for name, password in accounts]
        self._by_address = FailureLimit(PER_ADDRESS, now)
        self._by_name = FailureLimit(PER_NAME, now)

    def __call__(self, name: str, password: str) -> bool:
        address = _address.get()
        if wait := max(self._by_address.wait(address), self._by_name.wait(name)):
            seconds = math.ceil(wait)
            detail = f"Too many failed attempts. Try again in {seconds} s."
            raise HTTPException(429, detail, headers={"Retry-After": str(seconds)})
        attempt = _digest(name), _digest(password)
        matches = [_same(attempt, account) for account in self._accounts]
        if any(matches):
            return True
        self._by_address.record(address)
        self._by_name.record(name)
        return False


class FailureLimit:
    """Counts the failures of each key in the last minute; safe across threads. `now` is a clock in seconds."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._now = now
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Return the seconds until the key may try again; 0 if it may now."""
        with self._lock:
            times = self._failures.get(key)
            if times is None or len(times) < self._per_minute:
                return 0.0
            return max(0.0, times[0] + MINUTE - self._now())

    def record(self, key: str) -> None:
        """Count a failure. Of more than `MAX_TRACKED` keys, those whose last failure is oldest are forgotten."""
        with self._lock:
            self._failures.setdefault(key, deque(maxlen=self._per_minute)).append(self._now())
            self._failures.move_to_end(key)
            if len(self._failures) > MAX_TRACKED:
                self._failures.popitem(last=False)


class ClientAddress:
    """ASGI middleware that tells `Login` who asks: Gradio passes it only a name and a password.

    Behind a proxy, uvicorn takes the address from X-Forwarded-For if FORWARDED_ALLOW_IPS has the proxy.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            _address.set((scope.get("client") or ("",))[0])
        await self._app(scope, receive, send)


def credentials() -> list[tuple[str, str]] | None:
    """Return the `name:password` pairs in SPACEPORT_AUTH, separated by white space; None means no login."""
    pairs = [entry.partition(":") for entry in os.environ.get("SPACEPORT_AUTH", "").split()]
    if any(not (name and password) for name, _, password in pairs):
        raise SystemExit("error: SPACEPORT_AUTH has an entry without a name or a password.\n  Write name:password.")
    return [(name, password) for name, _, password in pairs] or None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _same(attempt: tuple[bytes, bytes], account: tuple[bytes, bytes]) -> bool:
    name, password = (secrets.compare_digest(*pair) for pair in zip(attempt, account, strict=True))
    return name & password
