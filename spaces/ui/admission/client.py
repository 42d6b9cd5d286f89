"""Who asks: the address behind trusted proxies, and the visitor."""

from __future__ import annotations

import math
import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from ui.access.client_address import network
from ui.access.tickets import is_key
from ui.admission.fair_queue import Caller
from ui.admission.rate_limit import RateLimit
from ui.admission.strings import EVENT_FLOOD, try_again
from ui.admission.work_limits import Limits
from ui.middleware.direct_calls import run_direct_call
from ui.sign_in import session

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

address: ContextVar[str] = ContextVar("address", default="")
# Requests that make the page work, or leave something behind. All else is cheap, or isn't answered at all.
EVENTS = (
    "/gradio_api/run/", "/gradio_api/api/", "/gradio_api/queue/", "/gradio_api/call/", "/gradio_api/heartbeat/",
    "/gradio_api/upload",
)  # fmt: skip
DIRECT_CALLS = EVENTS[:2]
WINDOW_SECONDS = 10.0
# A Space can be reached through the Hub's proxies only, which are in private networks and append the client's address
# to X-Forwarded-For. uvicorn takes the last address that isn't a proxy's, so a forged header changes nothing.
HUB_PROXIES = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"


def caller_of(request: Any, key: object = "") -> Caller:
    """Return who sends an event: `request` is a `gr.Request`; without a key it's a program of that address.

    An account counts as one visitor, whatever keys its browsers have.
    """
    where = network(client.host if (client := getattr(request, "client", None)) else "")
    account = account_of(request)
    return Caller(where, f"account {account}" if account else f"key {key}" if is_key(key) else f"programs of {where}")


def account_of(request: Any) -> str | None:
    """Return what identifies the account that is signed in, or None; `request` is a `gr.Request`."""
    return session.account(request) or getattr(request, "username", None)


def trust_hub_proxies() -> None:
    """On a Space, believe the Hub's proxies unless FORWARDED_ALLOW_IPS names others; uvicorn reads the variable."""
    if os.environ.get("SPACE_ID"):
        os.environ.setdefault("FORWARDED_ALLOW_IPS", HUB_PROXIES)


class ClientAddress:
    """ASGI middleware that knows who asks: it limits the events of an address and ends calls that nobody reads.

    Behind a proxy, uvicorn takes the address from X-Forwarded-For if FORWARDED_ALLOW_IPS has the proxy. The header is
    then replaced by that address, because Gradio's MCP server calls the page itself with the headers of its caller.
    """

    def __init__(self, app: ASGIApp, limits: Limits | None = None) -> None:
        self._app = app
        per_second = (limits or Limits.from_environment()).events_per_second
        self._events = RateLimit(int(per_second * WINDOW_SECONDS), WINDOW_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        host = (scope.get("client") or ("",))[0]
        address.set(host)
        headers = [(name, value) for name, value in scope["headers"] if name != b"x-forwarded-for"]
        scope = {**scope, "headers": [*headers, (b"x-forwarded-for", host.encode())]}
        path = _path(scope)
        if path.startswith(EVENTS) and (wait := self._events.take(network(host))):
            return await _too_many_events(math.ceil(wait))(scope, receive, send)
        if path.startswith(DIRECT_CALLS):
            return await run_direct_call(self._app, scope, receive, send)
        return await self._app(scope, receive, send)


def _too_many_events(seconds: int) -> JSONResponse:
    return JSONResponse({"detail": f"{EVENT_FLOOD} {try_again(seconds)}"}, 429, {"retry-after": str(seconds)})


def _path(scope: Scope) -> str:
    """The path of a request without the prefix under which the page is served."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))
