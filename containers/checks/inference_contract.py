"""The contract of the inference image: every dialect answers, the container is confined, and SIGTERM drains it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import httpx2

from backends import Catalog, ChatRequest, Delta, Done, Message, Stopwatch
from backends.chat.reader import ChatReader
from backends.chat.sse import SSEDecoder
from backends.http.connections import close_connections
from containers import sandbox
from containers.checks.image_checks import (
    CheckResult,
    exit_status,
    inspect_container,
    inspect_image,
    require,
    run_check,
)

MAX_MB = 400
QUESTION = {"messages": [{"role": "user", "content": "Count from one to ten."}], "max_tokens": 16, "temperature": 0}
LONG_ANSWER = 400  # tokens; the container gets SIGTERM while it generates them
TIMEOUT = httpx2.Timeout(120)


def check(
    client: Any, image: str, *, first_token_limit: float = 10.0, max_mb: int = MAX_MB, **options: Any
) -> Iterator[CheckResult]:
    """Run the image and yield one result per promise; `first_token_limit` is in seconds.

    `options` go to `docker run`.
    """
    yield from inspect_image(client, image, max_mb)
    with sandbox.run_container(client, image, command="serve", **options) as (container, url):
        yield run_check("OpenAI clients", _run(_check_openai), url, first_token_limit)
        yield run_check("SageMaker", _run(_check_sagemaker), url)
        yield run_check("Vertex AI, instances", _run(_check_vertex), url)
        yield run_check("Vertex AI, raw and streamed", _run(_check_raw_predict), url)
        yield from inspect_container(container)
        yield run_check("SIGTERM: the answer finishes, exit status 0", _run(_check_drain), container, url)


def _run(check: Callable[..., Coroutine[Any, Any, str]]) -> Callable[..., str]:
    return lambda *arguments: asyncio.run(check(*arguments))


async def _check_openai(url: str, first_token_limit: float) -> str:
    stopwatch, answer = Stopwatch(), ""
    backend = Catalog({"container": {"kind": "openai", "url": url}}, source="check").connect("container")
    request = ChatRequest((Message("user", "Count from one to ten."),), max_tokens=16, temperature=0)
    async for event in stopwatch.record(backend.stream(request)):
        answer += event.text if isinstance(event, Delta) else ""
    await close_connections()
    require(answer, "there was no answer")
    require(stopwatch.usage, "there was no usage")
    seconds = stopwatch.first_token_seconds or 0
    require(seconds <= first_token_limit, f"the first token took {seconds:.2f} s")
    return f"{answer[:40]!r}, first token after {seconds:.2f} s"


async def _check_sagemaker(url: str) -> str:
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        require((await client.get("/ping")).status_code == 200, "/ping is not 200")
        completion = (await client.post("/invocations", json=QUESTION)).raise_for_status().json()
        text, _ = await _stream_answer(client, "/invocations")
    require(completion["choices"][0]["message"]["content"] == text, "complete and streamed answers differ")
    return f"{text[:40]!r}, complete and streamed"


async def _check_vertex(url: str) -> str:
    body = {"instances": [QUESTION, QUESTION]}
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        response = (await client.post("/predict", json=body)).raise_for_status().json()
    require(len(response["predictions"]) == 2, "not one prediction per instance")
    return f"{len(response['predictions'])} predictions"


async def _check_raw_predict(url: str) -> str:
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        text, done = await _stream_answer(client, "/predict")
    require(done.usage, "there was no usage")
    return f"{text[:40]!r}, {done.finish_reason}"


async def _check_drain(container: Any, url: str) -> str:
    """Stop the container during an answer, and read the answer to its end."""
    body = {**QUESTION, "max_tokens": LONG_ANSWER, "stream": True}
    reader, count = ChatReader(), 0
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        async for _ in _deltas(client, "/v1/chat/completions", body, reader):
            if not count:
                stop = asyncio.create_task(asyncio.to_thread(container.stop, timeout=30))
            count += 1
        await stop
    return f"{count} deltas, {reader.finish_reason}, {exit_status(container)}"


async def _stream_answer(client: httpx2.AsyncClient, route: str) -> tuple[str, Done]:
    """Return the text and the end of a streamed answer; raises `BackendError` if the stream breaks."""
    body = {**QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    reader = ChatReader()
    texts = [delta.text async for delta in _deltas(client, route, body, reader)]
    return "".join(texts), reader.done


async def _deltas(client: httpx2.AsyncClient, route: str, body: Any, reader: ChatReader) -> AsyncIterator[Delta]:
    decoder = SSEDecoder()
    async with client.stream("POST", route, json=body) as response:
        response.raise_for_status()
        async for chunk in response.aiter_raw():
            for payload in decoder.feed(chunk):
                for delta in reader.read(payload):
                    yield delta
    for delta in reader.finish(decoder.flush()):
        yield delta
