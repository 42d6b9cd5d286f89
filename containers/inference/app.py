"""The HTTP routes: chat for OpenAI, SageMaker and Vertex AI clients; health, metrics and models for operators."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from backends import ChatRequest, Rejected
from backends.chat.events import ChatWriter
from backends.chat.requests import parse_chat_request, read_stream_flags
from backends.stopwatch import wall_clock
from inference.errors import Unauthorized
from inference.generation import CompletionRequest, Generation
from inference.http import dialects, error_handlers
from inference.http.error_handlers import request_id
from inference.http.request_body import read_json
from inference.http.responses import EventStream, JSONAnswer
from inference.metrics import CONTENT_TYPE, DIALECTS
from inference.service import Phase, Service

CHAT, INVOCATIONS, PREDICT = "/v1/chat/completions", "/invocations", "/predict"
MAX_CHARACTERS_PER_TOKEN = 100


def create_app(service: Service) -> FastAPI:
    """Return the app for `service`; the caller loads and drains the service."""
    # A redirect for a trailing slash would point to http, even where TLS ends before this server.
    app = FastAPI(title="Spaceport inference", docs_url=None, redoc_url=None, redirect_slashes=False)
    settings = service.settings
    # The order matters: on Vertex AI the predict route can be the chat route itself, which then keeps its dialect.
    routes = (CHAT, INVOCATIONS, settings.predict_route or PREDICT)
    dialect_by_route = dict(reversed(list(zip(routes, DIALECTS, strict=True))))

    async def answer(request: Request) -> Response:
        """Answer a chat completion, or Vertex AI's instances, as events or as one JSON body."""
        _authorize(request, settings.api_key)
        body = await read_json(request, int(settings.max_body_mb * 1e6))
        service.ready()
        return _answer(service, request, body, dialect_by_route[request.url.path])

    async def ready() -> JSONResponse:
        """200 while the model answers; 503 while it loads or doesn't answer, or while the server drains."""
        return JSONResponse({"status": service.phase.value}, 200 if service.phase is Phase.READY else 503)

    for path, dialect in dialect_by_route.items():
        app.add_api_route(path, answer, methods=["POST"], name=dialect, openapi_extra=_BODY)
    for path in dict.fromkeys(("/ready", "/ping", settings.health_route or "/ready")):
        app.add_api_route(path, ready, methods=["GET", "HEAD"], name=path.strip("/"))
    _add_operator_routes(app, service)
    error_handlers.install(app, service.metrics, dialect_by_route)
    return app


def _add_operator_routes(app: FastAPI, service: Service) -> None:
    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> dict[str, str]:
        """200 while the process can answer at all."""
        return {"status": "alive"}

    @app.get("/metrics")
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        """The one model that this server serves."""
        _authorize(request, service.settings.api_key)
        service.ready()
        card = {"id": service.name, "object": "model", "created": 0, "owned_by": "spaceport"}
        context = service.health.context if service.health else None
        return {"object": "list", "data": [card | ({"max_model_len": context} if context else {})]}


def _answer(service: Service, request: Request, body: Any, dialect: str) -> Response:
    bodies, format_response = dialects.parse_body(body)
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
    _check_length(chat, service)
    stream, usage = read_stream_flags(body)
    writer = ChatWriter(answer_id=f"chatcmpl-{shared_id}", model=service.name, created=int(wall_clock()))
    # The backend has its own name for the model.
    return CompletionRequest(replace(chat, model=None), writer, dialect, shared_id, stream, usage)


def _check_length(chat: ChatRequest, service: Service) -> None:
    """Reject a prompt that can't fit before it takes a slot: counting the tokens of megabytes takes many seconds."""
    context = service.health.context if service.health else None
    characters = sum(len(message.content) for message in chat.messages)
    if context and characters > context * MAX_CHARACTERS_PER_TOKEN:
        message = f"The prompt has {characters:,} characters, far more than fit into {context:,} tokens of context."
        raise Rejected(message, "Send fewer passages or a shorter conversation.", status=400)


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
