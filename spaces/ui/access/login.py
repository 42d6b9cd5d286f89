"""The login of a page with SPACEPORT_AUTH: names, passwords, and a limit for attempts that fail."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
from collections.abc import Callable, Sequence

from starlette.exceptions import HTTPException

from backends import stopwatch
from ui.access.client_address import network
from ui.admission import client
from ui.admission.rate_limit import RateLimit

# Failed attempts per minute. Behind one address can be an office, and one person's name can be attacked from many
# addresses: neither limit alone would do.
PER_ADDRESS = 5
PER_NAME = 20


class Login:
    """Gradio's `auth`: whether a name and password are an account, with HTTP 429 after too many failures.

    All accounts are compared in constant time, so that neither a name nor the start of a password shows in it.
    """

    def __init__(self, accounts: Sequence[tuple[str, str]], now: Callable[[], float] = stopwatch.now) -> None:
        self._accounts = [(_digest(name), _digest(password)) for name, password in accounts]
        self._by_address = RateLimit(PER_ADDRESS, now=now)
        self._by_name = RateLimit(PER_NAME, now=now)

    def __call__(self, name: str, password: str) -> bool:
        address = network(client.address.get())
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
