"""Answers in text and embeddings, in the formats of the inference server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from backends import Rejected
from backends.chat.parts.checks import bad_request, describe
from backends.chat.requests import parse_chat_request, read_stream_flags
from gateway.billing import bills
from gateway.request_path import Call
from gateway.routing.stream import text_stage
from gateway.service import Gateway
from gateway.task import Task, once
from inference.answers.generation import CompletionRequest, Embedding, Generation
from inference.formats import cloud_platforms, embeddings
from inference.formats.table import FORMATS
from inference.http.answer_streams import EventStream, JSONAnswer
from inference.http.error_handlers import request_id
from inference.http.prompt_limits import check_size

_NO_CACHE = re.compile(r"\bno-(cache|store)\b", re.IGNORECASE)


def answer(gateway: Gateway, call: Call, request: Request, body: Any, dialect: str) -> Response:
    """Answer a request for chat, as events or as one JSON body."""
    form, shared_id = FORMATS[dialect], request_id(request)
    completion = form.to_chat_completion(body) if form.to_chat_completion else body
    if not isinstance(completion, Mapping):
        raise bad_request(f"it is {describe(completion)}, not an object")
    check_size([completion], gateway.settings, None)
    with form.translate_errors():
        chat = parse_chat_request(completion)
        call.is_stream, _ = read_stream_flags(completion)
    size = replace(bills.chat_size(chat), seconds=gateway.settings.request_seconds)
    model = required(chat.model)
    # The target has its own name for the model. The client that sent a schema checks the answer.
    chat = replace(chat, model=None, validate=False)
    target = call.ask(model, Task("chat", size, lambda backend: backend.stream(chat), text_stage, chat))
    call.user = _user(body)
    call.may_cache = not _NO_CACHE.search(request.headers.get("cache-control", ""))
    writer = form.make_writer(body, completion, shared_id, target.name)
    generation = Generation(gateway, call, CompletionRequest(chat, writer, dialect, shared_id, call.is_stream))
    call.work = generation
    if call.is_stream:
        return EventStream(gateway, generation, silence_seconds=gateway.settings.silence_seconds)
    return JSONAnswer(gateway, [generation], cloud_platforms.only_answer)


def embed(gateway: Gateway, call: Call, request: Request, body: Any, dialect: str) -> Response:
    """Answer a request for embeddings."""
    texts = embeddings.read_texts(body, gateway.settings)
    size = replace(bills.texts_size(texts), seconds=gateway.settings.request_seconds)
    model = required(embeddings.read_model(body))
    target = call.ask(model, Task("embed", size, lambda backend: once(partial(backend.embed, texts))))
    write = partial(embeddings.write_embeddings, model=target.name, encoding=body.get("encoding_format"))
    call.work = Embedding(gateway, call, texts, write, request_id=request_id(request), dialect=dialect)
    return JSONAnswer(gateway, [call.work], cloud_platforms.only_answer)


def required(model: str | None) -> str:
    """Return the model of a request; `Rejected` if it names none."""
    if not model:
        raise Rejected("The request names no model.", "Set model to a name that GET /v1/models lists.", status=400)
    return model


def _user(body: Mapping[str, Any]) -> str:
    """Return the user that a request names, in OpenAI's or in Anthropic's field, "" for none."""
    metadata = body.get("metadata")
    names = (body.get("safety_identifier"), body.get("user"), isinstance(metadata, Mapping) and metadata.get("user_id"))
    return next((name for name in names if isinstance(name, str) and name), "")
