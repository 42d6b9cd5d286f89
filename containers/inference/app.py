"""The HTTP routes: chat and embeddings for clients of several APIs; health, metrics and models for operators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from backends import ChatRequest, Rejected
from backends.chat.requests import parse_chat_request, read_stream_flags
from inference.answers.generation import CompletionRequest, Embedding, Generation
from inference.formats import cloud_platforms, embeddings
from inference.formats.models import model_card
from inference.formats.table import FORMATS
from inference.http.answer_routes import add_answer_routes
from inference.http.answer_streams import EventStream, JSONAnswer
from inference.http.error_handlers import request_id
from inference.http.keys import authorizer
from inference.http.prompt_limits import check_size
from inference.http.request_body import LARGE_BODIES, read_json
from inference.http.server_app import add_server_routes, dialects_of, new_app
from inference.metrics import DIALECTS
from inference.service import Service

CHAT, INVOCATIONS, PREDICT = "/v1/chat/completions", "/invocations", "/predict"
RESPONSES, MESSAGES, EMBEDDINGS = "/v1/responses", "/v1/messages", "/v1/embeddings"


def create_app(service: Service) -> FastAPI:
    """Return the app for `service`; the caller loads and drains the service."""
    app, settings = new_app("Spaceport inference"), service.settings
    large_bodies = asyncio.Semaphore(LARGE_BODIES)
    routes = (CHAT, INVOCATIONS, settings.predict_route or PREDICT, RESPONSES, MESSAGES, EMBEDDINGS)
    dialect_by_route = dialects_of(routes, DIALECTS)

    async def answer(request: Request) -> Response:
        """Answer a request for chat as events or as one JSON body, or one for embeddings."""
        body = await read_json(request, int(settings.max_body_mb * 1e6), large_bodies)
        service.ready()
        dialect = dialect_by_route[request.scope["path"]]
        return (_embed if dialect == "embeddings" else _answer)(service, request, body, dialect)

    authorize = authorizer(settings.api_key)
    add_answer_routes(app, dialect_by_route, answer, authorize)
    add_server_routes(app, service, dialect_by_route, health_route=settings.health_route)
    _add_models_route(app, service, authorize)
    return app


def _add_models_route(app: FastAPI, service: Service, authorize: Any) -> None:
    @app.get("/v1/models", dependencies=[Depends(authorize)])
    async def models() -> dict[str, Any]:
        """The model that this server serves, and the one for embeddings."""
        service.ready()
        context = service.health.context if service.health else None
        cards = [model_card(service.name) | ({"max_model_len": context} if context else {})]
        if service.embeddings:
            cards.append(model_card(service.embeddings[0]))
        return {"object": "list", "data": cards}


def _answer(service: Service, request: Request, body: Any, dialect: str) -> Response:
    form = FORMATS[dialect]
    format_response: cloud_platforms.FormatResponse
    if form.to_chat_completion:
        bodies, format_response = [form.to_chat_completion(body)], cloud_platforms.only_answer
    else:
        bodies, format_response = cloud_platforms.parse_body(body)
    check_size(bodies, service.settings, service.health.context if service.health else None)
    shared_id = request_id(request)  # every completion of one HTTP request has the same ID
    completions = []
    for completion in bodies:
        with form.translate_errors():
            chat = _chat_request(service, completion)
            stream, _ = read_stream_flags(completion)
        writer = form.make_writer(body, completion, shared_id, service.name)
        completions.append(CompletionRequest(chat, writer, dialect, shared_id, stream))
    if completions[0].stream:
        generation = Generation(service, service, completions[0])
        return EventStream(service, generation, silence_seconds=service.settings.silence_seconds)
    work = [Generation(service, service, completion) for completion in completions]
    return JSONAnswer(service, work, format_response, concurrency=service.queue.slots)


def _chat_request(service: Service, completion: dict[str, Any]) -> ChatRequest:
    chat = parse_chat_request(completion)
    _check_model(chat.model, service.name)
    # The backend has its own name for the model. The client that sent a schema checks the answer.
    return replace(chat, model=None, validate=False)


def _embed(service: Service, request: Request, body: Any, dialect: str) -> Response:
    name, _ = service.embedding_model()
    texts = embeddings.read_texts(body, service.settings)
    _check_model(embeddings.read_model(body), name)
    write = partial(embeddings.write_embeddings, model=name, encoding=body.get("encoding_format"))
    work = Embedding(service, service, texts, write, request_id=request_id(request), dialect=dialect)
    return JSONAnswer(service, [work], cloud_platforms.only_answer)


def _check_model(model: str | None, name: str) -> None:
    if model not in (None, name):
        message = f"There is no model {str(model)[:80]!r} here."
        raise Rejected(message, f"Ask for {name}, or for none.", status=404)
