"""Exception handlers: each rejected request gets an error body in its format, a request ID, a metric and a log line."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from backends import Rejected, SpaceportError
from inference.errors import CLIENT_CLOSED_REQUEST, kind, response
from inference.metrics import ServerMetrics

logger = logging.getLogger(__name__)

ROUTES = (
    "POST to /v1/chat/completions, /v1/responses, /v1/messages, /v1/embeddings, /invocations or /predict; "
    "GET /v1/models, /health, /ready, /metrics."
)
_ID = re.compile(r"[\w.:=-]{1,128}", re.ASCII)


def request_id(request: Request) -> str:
    """Return the client's X-Request-ID, so that both logs can be compared, or a new ID; the same on every call."""
    state = request.scope.setdefault("state", {})
    if "id" not in state:
        client_id = request.headers.get("x-request-id", "")
        state["id"] = client_id if _ID.fullmatch(client_id) else secrets.token_hex(16)
    return str(state["id"])


def install(app: FastAPI, metrics: ServerMetrics, dialects: Mapping[str, str], routes: str = ROUTES) -> None:
    """Add handlers for the errors that routes raise; `dialects` maps routes to the metric's label.

    `routes` are the routes in words, for a client that asks for another one.
    """

    def error_response(request: Request, error: SpaceportError, headers: Mapping[str, str] | None = None) -> Response:
        all_headers = {**(headers or {}), "x-request-id": request_id(request)}
        result = response(error, all_headers, dialect=dialects.get(request.url.path, ""))
        record(request, kind(error), result.status_code)
        return result

    def record(request: Request, label: str, status: int) -> None:
        metrics.requests.labels(dialects.get(request.url.path, "none"), str(status)).inc()
        metrics.errors.labels(label).inc()
        logger.info(
            "request rejected", extra={"fields": {"request_id": request_id(request), "status": status, "error": label}}
        )

    @app.exception_handler(SpaceportError)
    async def spaceport_error(request: Request, error: SpaceportError) -> Response:
        return error_response(request, error)

    @app.exception_handler(HTTPException)
    async def no_route(request: Request, error: HTTPException) -> Response:
        message = f"{request.method} {request.url.path[:80]} is not served here."
        return error_response(request, Rejected(message, routes, status=error.status_code), error.headers)

    @app.exception_handler(ClientDisconnect)
    async def client_disconnected(request: Request, error: ClientDisconnect) -> Response:
        record(request, "left", CLIENT_CLOSED_REQUEST)
        return Response(status_code=CLIENT_CLOSED_REQUEST)  # no one reads it

    @app.exception_handler(Exception)
    async def unexpected_error(request: Request, error: Exception) -> Response:
        # Starlette logs the traceback; the client gets no internals.
        return error_response(request, SpaceportError("The server failed.", "See its log."))
