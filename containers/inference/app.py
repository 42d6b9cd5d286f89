"""The routes: OpenAI's, SageMaker's, Vertex AI's, and those for whoever looks after the server."""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from backends import ChatRequest, Rejected
from backends.chat.events import ChatWriter
from backends.chat.requests import read_body, wants_stream
from backends.stopwatch import wall_clock
from inference import dialects, refusals
from inference.answers import Events, Whole
from inference.bodies import read_json
from inference.errors import Unauthorized
from inference.metrics import CONTENT_TYPE, DIALECTS
from inference.refusals import request_id
from inference.run import Call, Run
from inference.service import Phase, Service

CHAT, INVOCATIONS, PREDICT = "/v1/chat/completions", "/invocations", "/predict"
MOST_CHARACTERS_A_TOKEN = 100


def create_app(service: Service) -> FastAPI:
    """The server's routes over `service`, which is loaded and ended by whoever runs it."""
    # A redirect of a route with a slash too many would name http, also where TLS ends before this server.
    app = FastAPI(title="Spaceport inference", docs_url=None, redoc_url=None, redirect_slashes=False)
    settings = service.settings
    # In this order: on Vertex the route of predict may be the chat's own.
    routes = (CHAT, INVOCATIONS, settings.predict_route or PREDICT)
    dialect_of = dict(reversed(list(zip(routes, DIALECTS, strict=True))))

    async def answer(request: Request) -> Response:
        """Answer a chat completion, or Vertex's instances, as events or in one piece."""
        _authorize(request, settings.api_key)
        body = await read_json(request, int(settings.max_body_mb * 1e6))
        service.ready()
        return _answer(service, request, body, dialect_of[request.url.path])

    async def ready() -> JSONResponse:
        """200 while the model answers, 503 while it is loaded, is away or the server drains."""
        good = service.phase is Phase.READY
        return JSONResponse({"status": service.phase.value}, 200 if good else 503)

    for path, dialect in dialect_of.items():
        app.add_api_route(path, answer, methods=["POST"], name=dialect, openapi_extra=_BODY)
    for path in dict.fromkeys(("/ready", "/ping", settings.health_route or "/ready")):
        app.add_api_route(path, ready, methods=["GET", "HEAD"], name=path.strip("/"))
    _add_looks(app, service)
    refusals.add(app, service.metrics, dialect_of)
    return app


def _add_looks(app: FastAPI, service: Service) -> None:
    @app.api_route("/health", methods=["GET", "HEAD"])
    async def health() -> dict[str, str]:
        """200 for as long as the process can answer at all."""
        return {"status": "alive"}

    @app.get("/metrics")
    async def metrics() -> Response:
        """The figures for Prometheus."""
        return Response(service.metrics.render(), media_type=CONTENT_TYPE)

    @app.get("/v1/models")
    async def models(request: Request) -> dict[str, Any]:
        """The one model that is served."""
        _authorize(request, service.settings.api_key)
        service.ready()
        card = {"id": service.name, "object": "model", "created": 0, "owned_by": "spaceport"}
        context = service.health.context if service.health else None
        return {"object": "list", "data": [card | ({"max_model_len": context} if context else {})]}


def _answer(service: Service, request: Request, body: Any, dialect: str) -> Response:
    asked, shape = dialects.bodies(body)
    one_id = request_id(request)  # of all that one request asks for
    calls = [_call(service, each, dialect, one_id) for each in asked]
    if calls[0].stream:
        return Events(service, Run(service, calls[0]))
    return Whole(service, [Run(service, call) for call in calls], shape)


def _call(service: Service, body: dict[str, Any], dialect: str, one_id: str) -> Call:
    chat = read_body(body)
    if chat.model not in (None, service.name):
        what = f"There is no model {str(chat.model)[:80]!r} here."
        raise Rejected(what, f"Ask for {service.name}, or for none.", status=404)
    _refuse_hopeless(chat, service)
    stream, usage = wants_stream(body)
    writer = ChatWriter(answer_id=f"chatcmpl-{one_id}", model=service.name, created=int(wall_clock()))
    # What the backend calls its model is its own affair.
    return Call(replace(chat, model=None), writer, dialect, one_id, stream, usage)


def _refuse_hopeless(chat: ChatRequest, service: Service) -> None:
    """Refuse what can never fit before it takes a slot: to count the tokens of megabytes takes many seconds."""
    context = service.health.context if service.health else None
    characters = sum(len(message.content) for message in chat.messages)
    if context and characters > context * MOST_CHARACTERS_A_TOKEN:
        what = f"The prompt has {characters:,} characters, far more than {context:,} tokens of context can hold."
        raise Rejected(what, "Send less: fewer passages, a shorter conversation.", status=400)


def _authorize(request: Request, key: str | None) -> None:
    if key is None:
        return
    scheme, _, given = request.headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
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
