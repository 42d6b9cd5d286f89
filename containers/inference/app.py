"""The HTTP routes: chat for OpenAI, SageMaker and Vertex AI clients; health, metrics and models for operators."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from backends import Rejected
from backends.chat.requests import parse_chat_request, read_stream_flags
from backends.chat.writer import ChatWriter
from backends.stopwatch import wall_clock
from inference.errors import Unauthorized
from inference.generation import CompletionRequest, Generation
from inference.http import dialects, error_handlers
from inference.http.error_handlers import request_id
from inference.http.prompt_limits import check_size
from inference.http.request_body import LARGE_BODIES, read_json
from inference.http.responses import EventStream, JSONAnswer
from inference.metrics import CONTENT_TYPE, DIALECTS
from inference.service import Phase, Service

CHAT, INVOCATIONS, PREDICT = "/v1/chat/completions", "/invocations", "/predict"


def create_app(service: Service) -> FastAPI:
    """Return the app for `service`; the caller loads and drains the service."""
    # A redirect for a trailing slash would point to http, even where TLS ends before this server.
    app = FastAPI(title="Spaceport inference", docs_url=None, redoc_url=None, redirect_slashes=False)
    settings = service.settings
    large_bodies = asyncio.Semaphore(LARGE_BODIES)
    # The order matters: on Vertex AI the predict route can be the chat route itself, which then keeps its dialect.
    routes = (CHAT, INVOCATIONS, settings.predict_route or PREDICT)
    dialect_by_route = dict(reversed(list(zip(routes, DIALECTS, strict=True))))

    async def answer(request: Request) -> Response:
        """Answer a chat completion, or Vertex AI's instances, as events or as one JSON body."""
        body = await read_json(request, int(settings.max_body_mb * 1e6), large_bodies)
        service.ready()
        return _answer(service, request, body, dialect_by_route[request.url.path])

    async def authorize(request: Request) -> None:
        """Require the API key if the server has one; the list of routes tells from this who may call a route."""
        _authorize(request, settings.api_key)

    async def ready() -> JSONResponse:
        """200 while the model answers; 503 while it loads or doesn't answer, or while the server drains."""
        return JSONResponse({"status": service.phase.value}, 200 if service.phase is Phase.READY else 503)

    for path, dialect in dialect_by_route.items():
        app.add_api_route(
            path, answer, methods=["POST"], name=dialect, dependencies=[Depends(authorize)], openapi_extra=_BODY
        )
    for path in dict.fromkeys(("/ready", "/ping", settings.health_route or "/ready")):
        app.add_api_route(path, ready, methods=["GET"], name=path.strip("/"))
        app.add_api_route(path, ready, methods=["HEAD"], include_in_schema=False)
    _add_operator_routes(app, service, authorize)
    error_handlers.install(app, service.metrics, dialect_by_route)
    return app


def _add_operator_routes(app: FastAPI, service: Service, authorize: Callable[[Request], Awaitable[None]]) -> None:
    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict[str, str]:
        """200 while the process can answer at all."""
        return {"status": "alive"}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/v1/models", dependencies=[Depends(authorize)])
    async def models() -> dict[str, Any]:
        """The one model that this server serves."""
        service.ready()
        card = {"id": service.name, "object": "model", "created": 0, "owned_by": "spaceport"}
        context = service.health.context if service.health else None
        return {"object": "list", "data": [card | ({"max_model_len": context} if context else {})]}


def _answer(service: Service, request: Request, body: Any, dialect: str) -> Response:
    bodies, format_response = dialects.parse_body(body)
    check_size(bodies, service.settings, service.health.context if service.health else None)
    shared_id = request_id(request)  # every completion of one HTTP request has the same ID
    completions = [_completion_request(service, completion, dialect, shared_id) for completion in bodies]
    if completions[0].stream:
        return EventStream(service, Generation(service, completions[0]))
    return JSONAnswer(service, [Generation(service, completion) for completion in completions], format_response)


def _completion_request(service: Service, body: dict[str, Any], dialect: str, shared_id: str) -> CompletionRequest:
    chat = parse_chat_request(body)
    if chat.model not in (None, service.name):
        message = f"There is no model {str(chat.model)[:80]!r} here."
        raise Rejected(message, f"Ask for {service.name}, or for none.", status=404)
    stream, usage = read_stream_flags(body)
    writer = ChatWriter(answer_id=f"chatcmpl-{shared_id}", model=service.name, created=int(wall_clock()))
    # The backend has its own name for the model. The client that sent a schema checks the answer.
    return CompletionRequest(replace(chat, model=None, validate=False), writer, dialect, shared_id, stream, usage)


def _authorize(request: Request, key: str | None) -> None:
    if key is None:
        return
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), key.encode()):
        raise Unauthorized("The API key is missing or wrong.", "Send it as Authorization: Bearer KEY.", status=401)


_MESSAGE = {"type": "object", "properties": {"role": {"type": "string"}, "content": {"type": "string"}}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": {"messages": {"type": "array", "items": _MESSAGE}}},
                "example": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 64, "stream": True},
            }
        },
    }
}
