"""The key that a client sends."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request

from inference.errors import Unauthorized


def sent_key(request: Request) -> str:
    """Return the key of a request, "" without one."""
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer":
        token = request.headers.get("x-api-key", "")  # of Anthropic's client
    return token.strip()


def wrong_key() -> Unauthorized:
    """The error for a request whose key is missing or wrong; it doesn't say which."""
    return Unauthorized("The API key is missing or wrong.", "Send it as Authorization: Bearer KEY.", status=401)


def authorizer(key: str | None) -> Callable[[Request], Awaitable[None]]:
    """Return the check of a server with one key, or with none."""

    async def authorize(request: Request) -> None:
        """Require the API key if the server has one; the list of routes tells from this who may call a route."""
        if key is not None and not hmac.compare_digest(sent_key(request).encode(), key.encode()):
            raise wrong_key()

    return authorize
