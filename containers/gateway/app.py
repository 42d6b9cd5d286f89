"""The HTTP routes of the gateway: text, embeddings, labels and pictures with a key; health, metrics, the targets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from backends import SpaceportError, telemetry
from backends.telemetry.asgi import RequestSpans
from gateway.request_path import Call
from gateway.routes import classify, draw, text
from gateway.routes.models import add_model_routes
from gateway.service import Gateway, Phase
from inference.http import error_handlers
from inference.http.answer_routes import add_answer_routes
from inference.http.keys import sent_key
from inference.http.operator_routes import add_operator_routes
from inference.http.request_body import LARGE_BODIES, read_json
from inference.http.server_app import new_app

TEXT_DIALECTS = {
    "/v1/chat/completions": "openai",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/embeddings": "embeddings",
}
PICTURE_DIALECTS = {"/v1/classify": "classify", draw.PATH: "images"}
DIALECTS = TEXT_DIALECTS | PICTURE_DIALECTS
# What answers a dialect; the others are text.
ANSWERS: dict[str, Callable[[Gateway, Call, Request, Any, str], Response]] = {
    "embeddings": text.embed,
    "classify": classify.answer,
    "images": draw.answer,
}
ROUTES = f"POST to {', '.join(DIALECTS)}; DELETE {draw.PATH}/ID; GET /v1/models, /health, /ready, /metrics."


def create_app(gateway: Gateway) -> FastAPI:
    """Return the app for `gateway`; the caller runs and drains it."""
    app = new_app("Spaceport gateway")
    limit = int(gateway.settings.max_body_mb * 1e6)
    large_bodies = asyncio.Semaphore(LARGE_BODIES)

    async def authorize(request: Request) -> None:
        """Require a key; the list of routes tells from this who may call a route."""
        request.state.key = gateway.ready().keys.find(sent_key(request))

    async def answer(request: Request) -> Response:
        """Answer a request in its dialect, as events or as one JSON body."""
        dialect = DIALECTS[request.scope["path"]]
        parts = gateway.ready()
        parts.ledger.check_room()
        call = Call(parts, request.state.key, dialect=dialect)
        try:
            read = classify.read if dialect == "classify" else read_json
            body = await read(request, limit, large_bodies)
            gateway.ready()
            return ANSWERS.get(dialect, text.answer)(gateway, call, request, body, dialect)
        except SpaceportError as error:
            call.refuse(error)
            raise

    def state() -> tuple[bool, dict[str, str]]:
        # Without Redis the gateway is ready, with limits of its own.
        alone = {"limits": f"of this gateway alone: {failure}"} if (failure := gateway.redis_failure) else {}
        return gateway.phase is Phase.READY, {"status": gateway.phase.value, **alone}

    add_answer_routes(app, TEXT_DIALECTS, answer, authorize)
    for path, openapi in zip(PICTURE_DIALECTS, (classify.BODY, draw.BODY), strict=True):
        app.add_api_route(path, answer, methods=["POST"], dependencies=[Depends(authorize)], openapi_extra=openapi)
    draw.add_cancel_route(app, gateway, authorize)
    add_model_routes(app, gateway, authorize)
    add_operator_routes(app, gateway.metrics, state)
    error_handlers.install(app, gateway.metrics, DIALECTS, ROUTES)
    if telemetry.is_on():
        app.add_middleware(RequestSpans, paths=frozenset(DIALECTS))
    return app
