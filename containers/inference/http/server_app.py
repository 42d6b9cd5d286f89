"""What the apps of all servers of a model share: the routes of operators, the errors, and the model's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Depends, FastAPI

from backends import telemetry
from backends.telemetry.asgi import RequestSpans
from inference.formats.models import model_card
from inference.http import error_handlers
from inference.http.answer_routes import Authorize
from inference.http.operator_routes import add_operator_routes
from inference.lifecycle import Lifecycle, Phase


def new_app(title: str) -> FastAPI:
    """Return an app without pages of documentation."""
    # A redirect for a trailing slash would point to http, even where TLS ends before this server.
    return FastAPI(title=title, docs_url=None, redoc_url=None, redirect_slashes=False)


def dialects_of(routes: Sequence[str], dialects: Sequence[str]) -> dict[str, str]:
    """Return the dialect of each route; one that stands twice has the first of its dialects.

    On Vertex AI the predict route can be the main route itself, which then keeps its dialect.
    """
    return dict(reversed(list(zip(routes, dialects, strict=True))))


def add_server_routes(
    app: FastAPI,
    service: Lifecycle,
    dialects: Mapping[str, str],
    *,
    health_route: str | None,
    routes: str = error_handlers.ROUTES,
) -> None:
    """Add health, readiness and metrics, the answers to errors, and the spans of requests if they are on.

    `dialects` are those of the routes that answer; `routes` are all routes in words, for the errors. `health_route` is
    the platform's own route for readiness, if it has one.
    """

    def state() -> tuple[bool, dict[str, str]]:
        return service.phase is Phase.READY, {"status": service.phase.value}

    ready_routes = ("/ready", "/ping", health_route or "/ready")
    add_operator_routes(app, service.metrics, state, ready_routes=ready_routes)
    error_handlers.install(app, service.metrics, dialects, routes)
    if telemetry.is_on():
        app.add_middleware(RequestSpans, paths=frozenset(dialects))


def add_model_route(app: FastAPI, service: Lifecycle, authorize: Authorize) -> None:
    """Add the route with the model of a server that has one."""

    @app.get("/v1/models", dependencies=[Depends(authorize)])
    async def models() -> dict[str, Any]:
        """The model that this server serves."""
        service.check_ready()
        return {"object": "list", "data": [model_card(service.name)]}
