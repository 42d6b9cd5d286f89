"""What the inference image promises, tried out on a running container: a row for each promise."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2

from backends import BackendError, Catalog, ChatRequest, Delta, Done, Message, Stopwatch, http
from backends.sse import SSEDecoder
from backends.wire import ChatReader
from containers import images, running

MOST_MB = 400
QUESTION = {"messages": [{"role": "user", "content": "Count from one to ten."}], "max_tokens": 16, "temperature": 0}
LONG = 400  # tokens of an answer that is still being made when the container is told to stop
TIMEOUT = httpx2.Timeout(120)


@dataclass(frozen=True, slots=True)
class Row:
    """One promise, whether it was kept, and what was seen."""

    promise: str
    kept: bool
    seen: str


def check(client: Any, image: str, *, first_token_limit: float = 10.0) -> Iterator[Row]:
    """Run the image as an operator would, and give a row a promise as it is tried."""
    yield from _inspected(client, image)
    with running.running(client, image, command="serve") as (container, url):
        for promise, tried in _dialects(url, first_token_limit).items():
            yield _tried(promise, lambda tried=tried: asyncio.run(tried()))  # type: ignore[misc]
        yield _tried("not root", lambda: _user(container))
        yield _tried("its root cannot be written", lambda: _read_only(container))
        yield _tried("the health check passes", lambda: _healthy(container))
        yield _tried("SIGTERM: the answer is finished, exit status 0", lambda: asyncio.run(_drained(container, url)))


class _Broken(Exception):
    """A promise that was not kept; its text says what was seen instead."""


def _want(kept: object, otherwise: str) -> None:
    if not kept:
        raise _Broken(otherwise)


def _tried(promise: str, tried: Callable[[], str]) -> Row:
    try:
        return Row(promise, True, tried())
    except (_Broken, BackendError, httpx2.HTTPError, ValueError, KeyError) as error:
        return Row(promise, False, str(error) or type(error).__name__)


def _inspected(client: Any, image: str) -> Iterator[Row]:
    config = client.images.get(image).attrs["Config"]
    size = images.size(client, image)
    user, labels = config.get("User", ""), config.get("Labels") or {}
    yield Row(f"at most {MOST_MB} MB", size.real <= MOST_MB, str(size))
    yield Row("a numeric user", user.partition(":")[0].isdecimal() and user[:1] != "0", user)
    entry = config.get("Entrypoint") or []
    yield Row("its entrypoint is no shell", bool(entry) and entry[0] not in ("sh", "/bin/sh", "bash"), " ".join(entry))
    test = (config.get("Healthcheck") or {}).get("Test") or ["none"]
    yield Row("a health check without a shell", test[0] == "CMD" and "curl" not in test, " ".join(test[1:]))
    named = [name.rpartition(".")[2] for name in labels if name.startswith("org.opencontainers.image.")]
    yield Row("labels", {"title", "licenses", "version", "revision"} <= set(named), ", ".join(named))


def _dialects(url: str, first_token_limit: float) -> dict[str, Callable[[], Awaitable[str]]]:
    async def openai() -> str:
        watch, answer = Stopwatch(), ""
        backend = Catalog({"container": {"kind": "openai", "url": url}}, source="check").connect("container")
        request = ChatRequest([Message("user", "Count from one to ten.")], max_tokens=16, temperature=0)
        async for event in watch.watch(backend.stream(request)):
            answer += event.text if isinstance(event, Delta) else ""
        await http.aclose()
        _want(answer, "there was no answer")
        _want(watch.usage, "there was no usage")
        first = watch.first_token_seconds or 0
        _want(first <= first_token_limit, f"the first token took {first:.2f} s")
        return f"{answer[:40]!r}, the first token after {first:.2f} s"

    async def sagemaker() -> str:
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            _want((await client.get("/ping")).status_code == 200, "/ping is not 200")
            whole = (await client.post("/invocations", json=QUESTION)).raise_for_status().json()
            text, _ = await _streamed(client, "/invocations")
        _want(whole["choices"][0]["message"]["content"] == text, "whole and streamed answers differ")
        return f"{text[:40]!r}, whole and streamed"

    async def vertex() -> str:
        body = {"instances": [QUESTION, QUESTION]}
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            said = (await client.post("/predict", json=body)).raise_for_status().json()
        _want(len(said["predictions"]) == 2, "not a prediction an instance")
        return f"{len(said['predictions'])} predictions"

    async def raw() -> str:
        async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
            text, done = await _streamed(client, "/predict")
        _want(done.usage, "there was no usage")
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


def _user(container: Any) -> str:
    said = container.exec_run(["id", "-u"]).output.decode().strip()
    _want(said not in ("", "0"), f"it runs as {said}")
    return f"user {said}"


def _read_only(container: Any) -> str:
    done = container.exec_run(["python", "-c", "open('/app/written', 'w')"])
    _want(done.exit_code != 0, "a file could be written")
    return done.output.decode().strip().splitlines()[-1]


def _healthy(container: Any, patience: float = 60) -> str:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        container.reload()
        if (state := container.attrs["State"]["Health"]["Status"]) != "starting":
            break
        time.sleep(0.5)
    _want(state == "healthy", state + ": " + json.dumps(container.attrs["State"]["Health"].get("Log", [])[-1:]))
    return state


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
    _want(code == 0, f"it ended with {code}")
    return f"{texts} texts, {reader.finish_reason}, exit status {code}"
