"""The HTTP routes of the gateway: chat and embeddings with a key; health, metrics and the list of targets."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from backends import Rejected, SpaceportError, telemetry
from backends.chat.checks import bad_request, describe
from backends.chat.requests import parse_chat_request, read_stream_flags
from backends.telemetry.asgi import RequestSpans
from gateway.billing import bills
from gateway.request_path import Call
from gateway.service import Gateway, Phase
from gateway.targets import GatewayTarget
from inference.answers.generation import CompletionRequest, Embedding, Generation
from inference.formats import cloud_platforms, embeddings
from inference.formats.models import model_card
from inference.formats.table import FORMATS
from inference.http import error_handlers
from inference.http.answer_routes import add_answer_routes
from inference.http.answer_streams import EventStream, JSONAnswer
from inference.http.error_handlers import request_id
from inference.http.keys import sent_key
from inference.http.operator_routes import add_operator_routes
from inference.http.prompt_limits import check_size
from inference.http.request_body import LARGE_BODIES, read_json
from inference.http.server_app import new_app

DIALECTS = {
    "/v1/chat/completions": "openai",
    "/v1/responses": "responses",
    "/v1/messages": "messages",
    "/v1/embeddings": "embeddings",
}
_NO_CACHE = re.compile(r"\bno-(cache|store)\b", re.IGNORECASE)
ROUTES = f"POST to {', '.join(DIALECTS)}; GET /v1/models, /health, /ready, /metrics."


def create_app(gateway: Gateway) -> FastAPI:
    """Return the app for `gateway`; the caller runs and drains it."""
    app = new_app("Spaceport gateway")
    limit = int(gateway.settings.max_body_mb * 1e6)
    large_bodies = asyncio.Semaphore(LARGE_BODIES)

    async def authorize(request: Request) -> None:
        """Require a key; the list of routes tells from this who may call a route."""
        request.state.key = gateway.ready().keys.find(sent_key(request))

    async def answer(request: Request) -> Response:
        """Answer a request for chat as events or as one JSON body, or one for embeddings."""
        dialect = DIALECTS[request.scope["path"]]
        parts = gateway.ready()
        parts.ledger.check_room()
        call = Call(parts, request.state.key, dialect=dialect)
        try:
            body = await read_json(request, limit, large_bodies)
            gateway.ready()
            return (_embed if dialect == "embeddings" else _answer)(gateway, call, request, body, dialect)
        except SpaceportError as error:
            call.refuse(error)
            raise

    def state() -> tuple[bool, dict[str, str]]:
        # Without Redis the gateway is ready, with limits of its own.
        alone = {"limits": f"of this gateway alone: {failure}"} if (failure := gateway.redis_failure) else {}
        return gateway.phase is Phase.READY, {"status": gateway.phase.value, **alone}

    add_answer_routes(app, DIALECTS, answer, authorize)
    _add_model_routes(app, gateway, authorize)
    add_operator_routes(app, gateway.metrics, state)
    error_handlers.install(app, gateway.metrics, DIALECTS, ROUTES)
    if telemetry.is_on():
        app.add_middleware(RequestSpans, paths=frozenset(DIALECTS))
    return app


def _add_model_routes(app: FastAPI, gateway: Gateway, authorize: Any) -> None:
    @app.get("/v1/models", dependencies=[Depends(authorize)])
    async def models(request: Request) -> dict[str, Any]:
        """The targets that the key may use, each with its state; this asks no target."""
        key, targets = request.state.key, gateway.ready().targets.by_name.values()
        return {"object": "list", "data": [_card(target) for target in targets if key.may_use(target.name)]}

    @app.get("/v1/models/{name:path}", dependencies=[Depends(authorize)])
    async def model(request: Request, name: str) -> dict[str, Any]:
        """One target."""
        return _card(gateway.ready().target_of(request.state.key, name))


def _answer(gateway: Gateway, call: Call, request: Request, body: Any, dialect: str) -> Response:
    form, shared_id = FORMATS[dialect], request_id(request)
    completion = form.to_chat_completion(body) if form.to_chat_completion else body
    if not isinstance(completion, Mapping):
        raise bad_request(f"it is {describe(completion)}, not an object")
    check_size([completion], gateway.settings, None)
    with form.translate_errors():
        chat = parse_chat_request(completion)
        call.is_stream, _ = read_stream_flags(completion)
    target = call.choose(_required(chat.model))
    target.chatter()
    call.size = bills.chat_size(chat)
    # The target has its own name for the model. The client that sent a schema checks the answer.
    call.chat = chat = replace(chat, model=None, validate=False)
    call.user = _user(body)
    call.may_cache = not _NO_CACHE.search(request.headers.get("cache-control", ""))
    writer = form.make_writer(body, completion, shared_id, target.name)
    generation = Generation(gateway, call, CompletionRequest(chat, writer, dialect, shared_id, call.is_stream))
    call.work = generation
    if call.is_stream:
        return EventStream(gateway, generation, silence_seconds=gateway.settings.silence_seconds)
    return JSONAnswer(gateway, [generation], cloud_platforms.only_answer)


def _embed(gateway: Gateway, call: Call, request: Request, body: Any, dialect: str) -> Response:
    texts = embeddings.read_texts(body, gateway.settings)
    target = call.choose(_required(embeddings.read_model(body)))
    target.embedder()
    call.size = bills.texts_size(texts)
    write = partial(embeddings.write_embeddings, model=target.name, encoding=body.get("encoding_format"))
    call.work = Embedding(gateway, call, texts, write, request_id=request_id(request), dialect=dialect)
    return JSONAnswer(gateway, [call.work], cloud_platforms.only_answer)


def _user(body: Mapping[str, Any]) -> str:
    """Return the user that a request names, in OpenAI's or in Anthropic's field, "" for none."""
    metadata = body.get("metadata")
    names = (body.get("safety_identifier"), body.get("user"), isinstance(metadata, Mapping) and metadata.get("user_id"))
    return next((name for name in names if isinstance(name, str) and name), "")


def _required(model: str | None) -> str:
    if not model:
        raise Rejected("The request names no model.", "Set model to a name that GET /v1/models lists.", status=400)
    return model


def _card(target: GatewayTarget) -> dict[str, Any]:
    """Return a target's entry in the list of models."""
    price = target.price
    return {
        **model_card(target.name),
        "task": target.task,
        "state": "unavailable" if target.unavailable else "configured",
        "reason": str(target.unavailable or ""),
        "usd_per_million_tokens": {"input": price.usd_input, "output": price.usd_output} if price else None,
    }
