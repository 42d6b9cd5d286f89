"""What our client does against a server: each check returns what was seen, or raises with the reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from backends import (
    Backend,
    BackendError,
    Catalog,
    ChatRequest,
    Delta,
    Done,
    InvalidAnswer,
    Message,
    Rejected,
    Tool,
    ToolCall,
)
from backends.streams import closing
from compatibility.programs import Running

SCHEMA = {"type": "object", "properties": {"town": {"type": "string", "maxLength": 12}}, "required": ["town"]}
WEATHER = Tool("weather", "The weather of a town", {"type": "object", "properties": {"town": {"type": "string"}}})
QUESTION = ChatRequest((Message("user", "Count from one to twenty in words."),), max_tokens=24, temperature=0)
AT_ONCE = 32
Check = Callable[[Backend], Awaitable[str]]


async def check_server(server: Running) -> dict[str, str]:
    """Run every check, one after the other, and return what each saw."""
    entry = {"kind": "openai", "url": server.url, "model": server.model, "read_timeout": 300}
    backend = Catalog({"server": {**entry, "api_key": server.key}}, source="conformance").connect("server")
    results = {}
    for name, check in CHECKS.items():
        try:
            results[name] = await check(backend)
        except (BackendError, AssertionError, TimeoutError) as error:
            results[name] = f"failed: {error or 'not as expected'}"
        print(f"  {name}: {results[name]}", flush=True)
    await backend.aclose()
    return results


async def _stream(backend: Backend) -> str:
    deltas, done = await _ask(backend, QUESTION)
    assert len(deltas) > 1, "the answer came in one piece"
    return f"yes, {len(deltas)} pieces, ends with {done.finish_reason!r}"


async def _usage(backend: Backend) -> str:
    _, done = await _ask(backend, QUESTION)
    assert done.usage, "no token counts"
    return f"yes, {done.usage.input_tokens} in, {done.usage.output_tokens} out"


async def _stop(backend: Backend) -> str:
    deltas, _ = await _ask(backend, QUESTION)
    text = "".join(delta.text for delta in deltas)
    words = text.split()
    assert len(words) > 1, f"the answer is only “{text[:40]}”"
    word = words[len(words) // 2]
    deltas, _ = await _ask(backend, replace(QUESTION, stop=(word,)))
    assert word not in "".join(delta.text for delta in deltas), f"the text goes on after {word!r}"
    return "yes"


async def _close(backend: Backend) -> str:
    """Close a stream after its first piece, more often than the server has slots, and ask again."""
    for _ in range(10):
        stream = backend.stream(replace(QUESTION, max_tokens=400))
        async with closing(stream):
            await anext(stream)
    async with asyncio.timeout(60):
        await _ask(backend, QUESTION)
    return "yes, the next request is answered"


async def _tools(backend: Backend) -> str:
    request = replace(QUESTION, messages=(Message("user", "Weather in Oslo?"),), tools=(WEATHER,), max_tokens=64)
    try:
        events = [event async for event in backend.stream(replace(request, tool_choice="required"))]
    except Rejected as error:
        return f"refused: {error.message}"
    except InvalidAnswer as error:
        return f"no call, which our check reports: {error.message}"
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert calls and calls[0].name == "weather"
    return f"yes, {calls[0].name}({json.dumps(dict(calls[0].arguments))[:40]})"


async def _schema(backend: Backend) -> str:
    request = replace(QUESTION, messages=(Message("user", "Name a town."),), schema=SCHEMA, max_tokens=48)
    try:
        deltas, _ = await _ask(backend, request)
    except InvalidAnswer as error:
        return f"not followed, which our check reports: {error.message}"
    return f"yes, {''.join(delta.text for delta in deltas)}"


async def _unknown_model(backend: Backend) -> str:
    try:
        await _ask(backend, replace(QUESTION, model="no-such-model"))
    except BackendError as error:
        return f"{type(error).__name__}: {error.message}"
    return "answers all the same"


async def _too_long(backend: Backend) -> str:
    try:
        await _ask(backend, replace(QUESTION, messages=(Message("user", "word " * 20_000),)))
    except BackendError as error:
        return f"{type(error).__name__}: {error.message}"
    return "answers all the same"


async def _at_once(backend: Backend) -> str:
    requests = [replace(QUESTION, max_tokens=8, messages=(Message("user", f"Say {n}."),)) for n in range(AT_ONCE)]
    answers = await asyncio.gather(*(_ask(backend, request) for request in requests), return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    assert not errors, f"{len(errors)} of {AT_ONCE} failed: {errors[0]}"
    return f"yes, {AT_ONCE} answers"


async def _ask(backend: Backend, request: ChatRequest) -> tuple[list[Delta], Done]:
    deltas, done = [], Done(None, None)
    stream = backend.stream(request)
    async with closing(stream):
        async for event in stream:
            if isinstance(event, Delta):
                deltas.append(event)
            elif isinstance(event, Done):
                done = event
    return deltas, done


CHECKS: dict[str, Check] = {
    "stream": _stream,
    "usage": _usage,
    "stop": _stop,
    "close": _close,
    "tools": _tools,
    "JSON schema": _schema,
    "unknown model": _unknown_model,
    "prompt too long": _too_long,
    "32 at once": _at_once,
}
