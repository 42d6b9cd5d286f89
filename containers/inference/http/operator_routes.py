"""The routes of every server besides those that answer: health, readiness, metrics, the models; and the API key."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from inference.errors import Unauthorized
from inference.lifecycle import Lifecycle, Phase
from inference.metrics import CONTENT_TYPE

Authorize = Callable[[Request], Awaitable[None]]


def add_operator_routes(
    app: FastAPI, service: Lifecycle, authorize: Authorize, models: Callable[[], list[dict[str, Any]]]
) -> None:
    """Add the routes; `models` returns the cards of what a server that is ready serves."""
    _add_probes(app, service)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/v1/models", dependencies=[Depends(authorize)], name="models")
    async def list_models() -> dict[str, Any]:
        """The models that this server serves."""
        service.check_ready()
        return {"object": "list", "data": models()}


def _add_probes(app: FastAPI, service: Lifecycle) -> None:
    async def ready() -> JSONResponse:
        """200 while the model answers; 503 while it loads or doesn't answer, or while the server drains."""
        return JSONResponse({"status": service.phase.value}, 200 if service.phase is Phase.READY else 503)

    for path in dict.fromkeys(("/ready", "/ping", service.settings.health_route or "/ready")):
        app.add_api_route(path, ready, methods=["GET"], name=path.strip("/"))
        app.add_api_route(path, ready, methods=["HEAD"], include_in_schema=False)

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict[str, str]:
        """200 while the process can answer at all."""
        return {"status": "alive"}


def authorizer(key: str | None) -> Authorize:
    """Return what requires the API key if the server has one."""

    async def authorize(request: Request) -> None:
        """Require the API key if the server has one; the list of routes tells from this who may call a route."""
        if key is None:
            return
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            token = request.headers.get("x-api-key", "")  # of Anthropic's client
        if not hmac.compare_digest(token.strip().encode(), key.encode()):
            raise Unauthorized("The API key is missing or wrong.", "Send it as Authorization: Bearer KEY.", status=401)

    return authorize


def model_card(name: str) -> dict[str, Any]:
    """Return a model in the list of models."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "spaceport"}
