"""Checks of an answer against what the request asked for: JSON that matches a schema, or the call of a tool."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from backends.errors import InvalidAnswer, NotConfigured
from backends.settings import require_package
from backends.streams import closing
from backends.types import ChatRequest, Delta, Done, Event, ToolCall


def checked(stream: AsyncIterator[Event], request: ChatRequest) -> AsyncIterator[Event]:
    """The events of a stream; at its end, `InvalidAnswer` if the answer isn't what the request asked for.

    Many servers generate by the schema, and make the model call a required tool. Others ignore both, and the length
    limit can cut any answer.
    """
    schema = request.schema if request.validate else None
    return _checked(stream, request, schema) if request.must_call or schema is not None else stream


async def _checked(
    stream: AsyncIterator[Event], request: ChatRequest, schema: Mapping[str, Any] | None
) -> AsyncIterator[Event]:
    if schema is not None:
        require_package("jsonschema", extra="schemas")
        check_schema(schema)
    texts: list[str] = []
    has_called = False
    async with closing(stream):
        async for event in stream:
            if isinstance(event, Delta) and event.kind == "answer":
                texts.append(event.text)
            has_called = has_called or isinstance(event, ToolCall)
            if isinstance(event, Done) and not has_called:
                try:
                    _check_end(request, schema, "".join(texts), event.finish_reason)
                except InvalidAnswer as error:
                    error.usage = event.usage
                    raise
            yield event


def _check_end(request: ChatRequest, schema: Mapping[str, Any] | None, text: str, finish_reason: str | None) -> None:
    """Check an answer without a tool call."""
    if request.must_call:
        raise InvalidAnswer("The model called no tool.", "Choose a model and a server that support tools.", text=text)
    if schema is not None:
        check_answer(text, schema, finish_reason)


def load_schema(path: str | Path) -> Mapping[str, Any]:
    """Read the JSON schema of a file."""
    try:
        schema = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not JSON"
        raise NotConfigured(f"The schema {path} can't be read ({reason}).", "Check the file.") from error
    if not isinstance(schema, dict):
        raise NotConfigured(f"The schema {path} is not a JSON object.", "Correct it.")
    return schema


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise `NotConfigured` if this isn't a JSON schema."""
    import jsonschema

    try:
        jsonschema.validators.validator_for(schema).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise NotConfigured(f"The request's schema is not a JSON schema: {error.message}.", "Correct it.") from error


def check_answer(text: str, schema: Mapping[str, Any], finish_reason: str | None) -> None:
    """Raise `InvalidAnswer` if the text isn't JSON that matches the schema, `NotConfigured` for a `$ref` elsewhere."""
    import jsonschema
    import referencing
    import referencing.exceptions

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if finish_reason == "length":
            raise InvalidAnswer("The answer reached its length limit.", "Raise max_tokens.", text=text) from error
        remedy = "Try again; the server may not support response_format."
        raise InvalidAnswer("The answer is not JSON.", remedy, text=text) from error
    # With its own registry, jsonschema would fetch the address of a `$ref`.
    validator = jsonschema.validators.validator_for(schema)(schema, registry=referencing.Registry())
    try:
        mismatch = jsonschema.exceptions.best_match(validator.iter_errors(value))
    except referencing.exceptions.Unresolvable as error:
        message = f"The schema refers to {error.ref!r}, which isn't in it."
        raise NotConfigured(message, "Put it under $defs.") from error
    if mismatch is not None:
        message = f"The answer doesn't match the schema at {mismatch.json_path}: {mismatch.message[:200]}."
        raise InvalidAnswer(message, "Try again; the server may not support response_format.", text=text)
