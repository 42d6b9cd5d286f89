"""What the inference image promises, tried out on a running container: a row for each promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx2

from backends import Catalog, ChatRequest, Delta, Done, Message, Stopwatch
from backends.chat.events import ChatReader
from backends.chat.sse import SSEDecoder
from backends.http import client as http
from containers import running
from containers.checks.promises import Row, healthy, inspected, read_only, tried, user, want

MOST_MB = 400
QUESTION = {"messages": [{"role": "user", "content": "Count from one to ten."}], "max_tokens": 16, "temperature": 0}
LONG = 400  # tokens of an answer that is still being made when the container is told to stop
TIMEOUT = httpx2.Timeout(120)


def check(client: Any, image: str, *, first_token_limit: float = 10.0) -> Iterator[Row]:
    """Run the image as an operator would, and give a row a promise as it is tried."""
    yield from inspected(client, image, MOST_MB)
    with running.running(client, image, command="serve") as (container, url):
        for promise, dialect in _dialects(url, first_token_limit).items():
            yield tried(promise, lambda dialect=dialect: asyncio.run(dialect()))  # type: ignore[misc]
        yield tried("not root", lambda: user(container))
        yield tried("its root cannot be written", lambda: read_only(container))
        yield tried("the health check passes", lambda: healthy(container))
        yield tried("SIGTERM: the answer is finished, exit status 0", lambda: asyncio.run(_drained(container, url)))


def _dialects(url: str, first_token_limit: float) -> dict[str, Callable[[], Awaitable[str]]]:
    async def openai() -> str:
        watch, answer = Stopwatch(), ""
        backend = Catalog({"container": {"kind": "openai", "url": url}}, source="check").connect("container")
        request = ChatRequest([Message("user", "Count from one to ten.")], max_tokens=16, temperature=0)
        async for event in watch.watch(backend.stream(request)):
            answer += event.text if isinstance(event, Delta) else ""
        await http.aclose()
        want(answer, "there was no answer")
        want(watch.usage, "there was no usage")
        first = watch.first_token_seconds or 0
        want(first <= first_token_limit, f"the first token took {first:.2f} s")
        return f"{answer[:40]!r}, the first token after {first:.2f} s"

    async def sagemaker() -> str:
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            want((await client.get("/ping")).status_code == 200, "/ping is not 200")
            whole = (await client.post("/invocations", json=QUESTION)).raise_for_status().json()
            text, _ = await _streamed(client, "/invocations")
        want(whole["choices"][0]["message"]["content"] == text, "whole and streamed answers differ")
        return f"{text[:40]!r}, whole and streamed"

    async def vertex() -> str:
        body = {"instances": [QUESTION, QUESTION]}
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            said = (await client.post("/predict", json=body)).raise_for_status().json()
        want(len(said["predictions"]) == 2, "not a prediction an instance")
        return f"{len(said['predictions'])} predictions"

    async def raw() -> str:
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            text, done = await _streamed(client, "/predict")
        want(done.usage, "there was no usage")
        return f"{text[:40]!r}, {done.finish_reason}"

    return {
        "OpenAI's clients": openai,
        "SageMaker": sagemaker,
        "Vertex AI, instances": vertex,
        "Vertex AI, raw and streamed": raw,
    }


async def _streamed(client: httpx2.AsyncClient, route: str, **changes: Any) -> tuple[str, Done]:
    """The text of a streamed answer; whatever breaks it raises a `BackendError`."""
    body = {**QUESTION, "stream": True, "stream_options": {"include_usage": True}, **changes}
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


async def _drained(container: Any, url: str) -> str:
    """Stop the container while an answer is half way, and read it to its end."""
    body = {**QUESTION, "max_tokens": LONG, "stream": True}
    reader, texts = ChatReader(), 0
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        async for _ in _deltas(client, "/v1/chat/completions", body, reader):
            if not texts:
                stopping = asyncio.create_task(asyncio.to_thread(container.stop, timeout=30))
            texts += 1
        await stopping
    container.reload()
    code = container.attrs["State"]["ExitCode"]
    want(code == 0, f"it ended with {code}")
    return f"{texts} texts, {reader.finish_reason}, exit status {code}"
