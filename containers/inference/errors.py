"""What goes wrong, as HTTP statuses and bodies in the shape of the OpenAI format."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from starlette.responses import JSONResponse

from backends import Interrupted, NotConfigured, Overloaded, Rejected, SpaceportError, TimedOut, Unreachable
from backends.chat.events import error_body

LEFT = 499  # nginx's number for a client that closed the request
GIVEN_UP = 424  # Failed Dependency

STATUSES: Mapping[type[SpaceportError], int] = {
    NotConfigured: 500,
    Unreachable: 502,
    Interrupted: 502,
    TimedOut: 504,
    Overloaded: 503,
}


class Full(Overloaded):
    """The queue is full: the client is asked to come again, and nothing is wrong with the server."""


class Unauthorized(Rejected):
    """The caller has not shown the server's key."""


def status(error: SpaceportError) -> int:
    """The HTTP status of an error; a refusal of the model behind keeps its own, where it is the client's fault."""
    if isinstance(error, Full):
        return 429
    if isinstance(error, Unauthorized):
        return 401
    if isinstance(error, Rejected):
        # The key of the model behind is ours: its refusal is not the client's to mend.
        return error.status if 400 <= error.status < 500 and error.status not in (401, 403) else 502
    return next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)


def kind(error: SpaceportError) -> str:
    """The error's name as a label: `timed_out`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def response(error: SpaceportError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The error as a whole response, with Retry-After where waiting helps."""
    code = status(error)
    told = dict(headers or {})
    if isinstance(error, Overloaded):
        told["retry-after"] = str(max(1, math.ceil(error.retry_after or 0)))
    if code == 401:
        told["www-authenticate"] = "Bearer"
    return JSONResponse(error_body(error, code), code, told)
