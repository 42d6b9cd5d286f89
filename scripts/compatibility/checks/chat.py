"""What our client does with a server's chat: each check returns what was seen, or raises whose shortcoming it is."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from backends import (
    Backend,
    BackendError,
    ChatRequest,
    Delta,
    Done,
    Interrupted,
    InvalidAnswer,
    Message,
    Picture,
    Rejected,
    Tool,
    ToolCall,
)
from backends.streams import closing
from compatibility.outcomes import Shortcoming

ASK = "Count from one to twenty in words."
SCHEMA = {"type": "object", "properties": {"town": {"type": "string", "maxLength": 12}}, "required": ["town"]}
WEATHER = Tool("weather", "The weather of a town", SCHEMA)
# The small model of this run talks about the weather unless it sees a call first, and llama.cpp lets it talk.
CALLED = (
    Message("user", "Weather in Bergen?"),
    Message("assistant", "", (ToolCall("call_1", "weather", {"town": "Bergen"}),)),
    Message("user", "Weather in Oslo?"),
)
QUESTION = ChatRequest((Message("user", ASK),), max_tokens=24, temperature=0)
STORY = (Message("user", "Write a long story about a king, a queen and their seven children."),)
LONG_PROMPT = "word " * 10_000  # the model has a context of 8,192 tokens
AT_ONCE = 32
CLOSED, CLOSED_TOKENS = 10, 900  # more streams than slots, each with minutes of work on this machine
# A pixel. The models of this run have no eyes.
PICTURE = Picture(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
    )
)
Check = Callable[[Backend], Awaitable[str]]


async def check_models(backend: Backend) -> str:
    """The server names its model."""
    return f"names {(await backend.check()).model.rpartition('/')[2]}"


async def check_stream(backend: Backend) -> str:
    """An answer comes in pieces."""
    deltas, done = await _ask(backend, QUESTION)
    if len(deltas) < 2:
        raise Shortcoming("it sends the answer in one piece")
    return f"{len(deltas)} pieces, ends with {done.finish_reason!r}"


async def check_usage(backend: Backend) -> str:
    """A stream ends with the counts of tokens."""
    _, done = await _ask(backend, QUESTION)
    if not done.usage:
        raise Shortcoming("it doesn't count the tokens of a stream")
    return f"{done.usage.input_tokens} in, {done.usage.output_tokens} out"


async def check_stop(backend: Backend) -> str:
    """An answer ends before a text to stop at."""
    whole = await _text(backend, QUESTION)
    middle = len(whole) // 2
    stop = whole[middle : middle + 4]
    assert stop.strip(), f"the answer is only “{whole}”"
    _, sent_stop, after = (await _text(backend, replace(QUESTION, stop=(stop,)))).partition(stop)
    if sent_stop:
        raise Shortcoming(f"it goes on after {stop!r}" if after.strip() else f"it stops, and sends {stop!r} too")
    return f"ends before {stop!r}"


async def check_cancellation(backend: Backend) -> str:
    """A server stops working on streams that are closed after their first piece."""
    begin = time.monotonic()
    await _text(backend, replace(QUESTION, max_tokens=8))
    alone = time.monotonic() - begin
    for _ in range(CLOSED):
        stream = backend.stream(replace(QUESTION, messages=STORY, max_tokens=CLOSED_TOKENS))
        async with closing(stream):
            await anext(stream)
    begin = time.monotonic()
    await _text(backend, replace(QUESTION, max_tokens=8))
    after = time.monotonic() - begin
    if after > 5 * alone + 2:
        raise Shortcoming(f"it goes on: the next answer took {after:.0f} s, {alone:.1f} s before")
    return f"the next answer took {after:.1f} s, {alone:.1f} s before"


async def check_tools(backend: Backend) -> str:
    """A call that the request requires comes as one event."""
    request = replace(QUESTION, messages=CALLED, tools=(WEATHER,), max_tokens=64)
    try:
        events = [event async for event in backend.stream(replace(request, tool_choice="required"))]
    except Rejected as error:
        raise Shortcoming(f"it refuses: {error.message}") from error
    except (InvalidAnswer, Interrupted) as error:
        raise Shortcoming(f"it doesn't make the model call; our client reports: {error.message}") from error
    call = next(event for event in events if isinstance(event, ToolCall))
    assert call.name == "weather"
    return f"{call.name}({json.dumps(dict(call.arguments))[:40]})"


async def check_schema(backend: Backend) -> str:
    """An answer matches a JSON schema."""
    request = replace(QUESTION, messages=(Message("user", "Name a town."),), schema=SCHEMA, max_tokens=48)
    try:
        return await _text(backend, request)
    except Rejected as error:
        raise Shortcoming(f"it refuses: {error.message}") from error
    except InvalidAnswer as error:
        raise Shortcoming(f"it ignores the schema; our client reports: {error.message}") from error


async def check_picture(backend: Backend) -> str:
    """A picture for a model without eyes is refused in words."""
    message = Message("user", ("What is this?", PICTURE))
    try:
        await _ask(backend, replace(QUESTION, messages=(message,)))
    except Rejected as error:
        return _refusal(error)
    raise Shortcoming("it answers as if there were no picture")


async def check_unknown_model(backend: Backend) -> str:
    """A model that the server doesn't have is an error."""
    try:
        await _ask(backend, replace(QUESTION, model="no-such-model"))
    except Rejected as error:
        return _refusal(error)
    raise Shortcoming("it answers with the model that it has")


async def check_long_prompt(backend: Backend) -> str:
    """A prompt that is longer than the context is an error."""
    try:
        await _ask(backend, replace(QUESTION, messages=(Message("user", LONG_PROMPT),)))
    except Rejected as error:
        return _refusal(error)
    raise Shortcoming("it answers all the same")


async def check_load(backend: Backend) -> str:
    """Many requests at once all get their answer."""
    requests = [replace(QUESTION, max_tokens=8, messages=(Message("user", f"Say {n}."),)) for n in range(AT_ONCE)]
    answers = await asyncio.gather(*(_ask(backend, request) for request in requests), return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    if errors and all(isinstance(error, BackendError) for error in errors):
        raise Shortcoming(f"{len(errors)} of {AT_ONCE} fail: {errors[0]}")
    assert not errors, errors[0]
    return f"{AT_ONCE} answers"


def _refusal(error: Rejected) -> str:
    if error.status >= 500:
        raise Shortcoming(f"it fails instead of refusing: {error.message}") from error
    return error.message


async def _text(backend: Backend, request: ChatRequest) -> str:
    deltas, _ = await _ask(backend, request)
    return "".join(delta.text for delta in deltas)


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


CHAT_CHECKS: dict[str, Check] = {
    "model's name": check_models,
    "stream": check_stream,
    "usage": check_usage,
    "stop": check_stop,
    "cancellation": check_cancellation,
    "tool call": check_tools,
    "JSON schema": check_schema,
    "picture without eyes": check_picture,
    "error: unknown model": check_unknown_model,
    "error: prompt too long": check_long_prompt,
    f"{AT_ONCE} at once": check_load,
}
