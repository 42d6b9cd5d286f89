"""ASGI middleware for a page with accounts: pages of other origins can neither read nor act in a visitor's name."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from starlette.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = ("GET", "HEAD")
# A browser's words for a request of another page, also for a picture or a link, which have no origin.
OTHER_SITES = ("cross-site", "same-site")
REFUSAL = "This page has accounts and answers its own origin only. Add the other one to SPACEPORT_ORIGINS.\n"


class SameOrigin:
    """Refuses what pages of other origins send, and hides their `Origin` from Gradio, which would allow it to read.

    With `as_guest` it answers them without their cookies instead: a public Space may be part of another page. `allowed`
    are other origins that may call the page with credentials, such as `https://portal.example.com`.
    """

    def __init__(self, app: ASGIApp, allowed: Collection[str] = (), *, as_guest: bool = False) -> None:
        self._app = app
        self._allowed = allowed
        self._as_guest = as_guest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        foreign_logout = "/logout" in scope["path"] and headers.get("sec-fetch-site") in OTHER_SITES
        if self._is_own(headers) and not foreign_logout:
            return await self._app(scope, receive, send)
        if foreign_logout or not (self._as_guest or scope["method"] in SAFE_METHODS):
            return await PlainTextResponse(REFUSAL, 403)(scope, receive, send)
        hidden = b"cookie" if self._as_guest else b"origin"
        without_it = [(name, value) for name, value in headers.raw if name != hidden]
        return await self._app({**scope, "headers": without_it}, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        """Whether a request comes from this page, an allowed one, or no page at all.

        A proxy may change the host. Then the browser's word counts (`Sec-Fetch-Site`), which no script can set.
        """
        origin = headers.get("origin")
        if origin is None or origin in self._allowed or headers.get("sec-fetch-site") == "same-origin":
            return True
        host = headers.get("x-forwarded-host", headers.get("host", "")).partition(",")[0].strip()
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()


def allowed_origins() -> frozenset[str]:
    """Return the origins in SPACEPORT_ORIGINS, separated by white space."""
    return frozenset(origin.rstrip("/") for origin in os.environ.get("SPACEPORT_ORIGINS", "").split())


@asynccontextmanager
async def outermost(app: Any) -> AsyncIterator[None]:
    """Put `SameOrigin` around Gradio's own middleware when the app starts: it answers preflight requests itself."""
    app.user_middleware.sort(key=lambda each: each.cls is not SameOrigin)
    app.middleware_stack = None  # Starlette builds it again for the next request
    yield
