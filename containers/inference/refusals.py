"""What is refused before there is an answer to make: told in the format's shape, with an id, counted and logged."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backends import Rejected, SpaceportError
from inference.errors import LEFT, kind, response
from inference.metrics import Metrics

logger = logging.getLogger(__name__)

ROUTES = "POST to /v1/chat/completions, /invocations or /predict; GET /v1/models, /health, /ready, /metrics."
_ID = re.compile(r"[\w.:=-]{1,128}", re.ASCII)


def request_id(request: Request) -> str:
    """The caller's own id, so that its log and ours can be laid side by side, or a new one; the same at each call."""
    if not hasattr(request.state, "id"):
        given = request.headers.get("x-request-id", "")
        request.state.id = given if _ID.fullmatch(given) else uuid.uuid4().hex
    return str(request.state.id)


def add(app: FastAPI, metrics: Metrics, dialects: Mapping[str, str]) -> None:
    """Answer the errors that routes raise; `dialects` are those of the routes, for the figures."""

    def told(request: Request, error: SpaceportError, headers: Mapping[str, str] | None = None) -> Response:
        refused = response(error, {**(headers or {}), "x-request-id": request_id(request)})
        count(request, kind(error), refused.status_code)
        return refused

    def count(request: Request, found: str, status: int) -> None:
        metrics.requests.labels(dialects.get(request.url.path, "none"), str(status)).inc()
        metrics.errors.labels(found).inc()
        logger.info("refused", extra={"fields": {"request_id": request_id(request), "status": status, "error": found}})

    @app.exception_handler(SpaceportError)
    async def refused(request: Request, error: SpaceportError) -> Response:
        return told(request, error)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        what = f"{request.method} {request.url.path[:80]} is not served here."
        return told(request, Rejected(what, ROUTES, status=error.status_code), error.headers)

    @app.exception_handler(ClientDisconnect)
    async def left(request: Request, error: ClientDisconnect) -> Response:
        count(request, "left", LEFT)
        return Response(status_code=LEFT)  # nobody reads it

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        # Starlette logs the trace; the client is told nothing of the inside.
        return told(request, SpaceportError("The server failed.", "Its log says why."))
