"""Maps errors to HTTP statuses, and to bodies in the format of the route."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from starlette.responses import JSONResponse

from backends import Interrupted, NotConfigured, Overloaded, Rejected, SpaceportError, TimedOut, Unreachable
from backends.chat.writer import error_body
from inference.formats import messages_writer

CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that disconnected
FAILED_DEPENDENCY = 424  # for an answer that was cancelled because another one of the same request failed

STATUSES: Mapping[type[SpaceportError], int] = {
    NotConfigured: 500,
    Unreachable: 502,
    Interrupted: 502,
    TimedOut: 504,
    Overloaded: 503,
}


class Full(Overloaded):
    """The queue is full: the client should retry, and the server is fine."""


class ShuttingDown(Overloaded):
    """The server ends an answer that ran; another one may give it."""


class Refused(Rejected):
    """This server refuses the request, not the model's: the status is about the client."""


class Unauthorized(Refused):
    """The request lacks the server's API key."""


def status(error: SpaceportError) -> int:
    """Return the HTTP status of an error; the model's own 4xx status passes through if the client caused it."""
    if isinstance(error, Full):
        return 429
    if isinstance(error, Refused):
        return error.status
    if isinstance(error, Rejected):
        # The server's own key for the model is wrong if the model answers 401 or 403: the client can't fix that.
        return error.status if 400 <= error.status < 500 and error.status not in (401, 403) else 502
    return next((status for error_class, status in STATUSES.items() if isinstance(error, error_class)), 500)


def kind(error: SpaceportError) -> str:
    """Return the error's class name as a metric label, such as `timed_out`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def response(error: SpaceportError, headers: Mapping[str, str] | None = None, *, dialect: str = "") -> JSONResponse:
    """Return the error as a JSON response in the dialect's shape, with Retry-After if waiting helps."""
    code = status(error)
    all_headers = dict(headers or {})
    if isinstance(error, Overloaded):
        all_headers["retry-after"] = str(max(1, math.ceil(error.retry_after or 0)))
    if code == 401:
        all_headers["www-authenticate"] = "Bearer"
    body = messages_writer.error_body if dialect == "messages" else error_body
    return JSONResponse(body(error, code), code, all_headers)
