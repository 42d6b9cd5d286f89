"""The routes of every server besides those that answer: health, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response

from inference.metrics import CONTENT_TYPE, ServerMetrics


def add_operator_routes(
    app: FastAPI,
    metrics: ServerMetrics,
    state: Callable[[], tuple[bool, Mapping[str, str]]],
    *,
    ready_routes: Iterable[str] = ("/ready",),
) -> None:
    """Add the routes; `state` returns whether the server is ready, and what `ready_routes` say about it."""

    async def ready() -> JSONResponse:
        """200 while the server answers; 503 while it loads, can't answer or drains."""
        is_ready, content = state()
        return JSONResponse(content, 200 if is_ready else 503)

    # The first route of a path answers: on Vertex AI the health route can be /health itself.
    for path in dict.fromkeys(ready_routes):
        app.add_api_route(path, ready, methods=["GET"], name=path.strip("/"))
        app.add_api_route(path, ready, methods=["HEAD"], include_in_schema=False)

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict[str, str]:
        """200 while the process can answer at all."""
        return {"status": "alive"}

    @app.get("/metrics", name="metrics")
    async def render_metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(metrics.render(), media_type=CONTENT_TYPE)
