"""The promise of a stream, for each kind that speaks over a wire, with the wire cut at each byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from backends import Backend, Catalog, ChatRequest, Delta, Done, Event, Interrupted, Message, Overloaded, Unreachable
from backends.streams import closing
from tests.backends.recorded import ESCAPED, OLLAMA, OLLAMA_SHOW, OPENAI, REQUEST, Recording, part, sse
from tests.backends.wire_server import Reply, WireServer, cuts

CHAT = "/v1/chat/completions"
ENTRIES = {
    "openai": {"kind": "openai", "url": "URL/v1", "model": "tiny", "read_timeout": 5},
    "huggingface": {"kind": "huggingface", "url": "URL/v1", "model": "tiny", "provider": "fastest", "api_key": "hf_k"},
    "ollama": {"kind": "ollama", "url": "URL", "model": "tiny", "read_timeout": 5},
    "fallback": {"kind": "fallback", "targets": ["openai", "ollama"]},
}


@asynccontextmanager
async def connected(name: str, server: WireServer) -> AsyncIterator[Backend]:
    entries = {
        key: {k: v.replace("URL", server.url) if isinstance(v, str) else v for k, v in entry.items()}
        for key, entry in ENTRIES.items()
    }
    backend = Catalog(entries, source="test").connect(name)
    try:
        yield backend
    finally:
        await backend.aclose()


async def collect(backend: Backend, request: ChatRequest = REQUEST) -> list[Event]:
    return [event async for event in backend.stream(request)]


def assert_kept(events: list[Event], recording: Recording) -> None:
    """Deltas that say something, whole characters, then exactly one Done with what the server reported."""
    *deltas, done = events
    assert all(isinstance(delta, Delta) and delta.text and delta.text.encode() for delta in deltas)
    assert "".join(delta.text for delta in deltas if delta.kind == "answer") == recording.answer
    assert "".join(delta.text for delta in deltas if delta.kind == "thought") == recording.thought
    assert done == Done(recording.finish_reason, recording.usage)


@pytest.mark.parametrize(
    ("name", "recording"),
    [("openai", OPENAI), ("openai", ESCAPED), ("huggingface", ESCAPED)],
    ids=["openai", "openai-escaped", "huggingface"],
)
async def test_sse_cut_at_each_byte(name: str, recording: Recording, server: WireServer) -> None:
    async with connected(name, server) as backend:
        for parts in cuts(recording.wire):
            server.on(CHAT, Reply(parts))
            assert_kept(await collect(backend), recording)
    assert server.connections == 1


async def test_ndjson_cut_at_each_byte(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    async with connected("ollama", server) as backend:
        for parts in cuts(OLLAMA.wire):
            server.on("/api/chat", Reply(parts, type="application/x-ndjson"))
            assert_kept(await collect(backend), OLLAMA)
    assert server.connections == 1
    assert len(server.requests("/api/show")) == 1


async def test_fallback_over_two_wires_cut_anywhere(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    async with connected("fallback", server) as backend:
        for parts in cuts(OLLAMA.wire, step=9):
            server.on(CHAT, Reply.json({"error": {"message": "full"}}, 503))
            server.on("/api/chat", Reply(parts, type="application/x-ndjson"))
            assert_kept(await collect(backend), OLLAMA)
        for parts in cuts(OPENAI.wire, step=9):
            server.on(CHAT, Reply(parts))
            assert_kept(await collect(backend), OPENAI)


async def test_fallback_goes_on_when_the_first_breaks_before_its_first_token(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, Reply([sse(part(role="assistant", content=""))], end="drop"))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    async with connected("fallback", server) as backend:
        assert_kept(await collect(backend), OLLAMA)
        assert backend.last_target == "ollama"  # type: ignore[attr-defined]
    assert server.requests("/api/chat")[0].json["model"] == "tiny"


async def test_fallback_keeps_to_the_first_that_spoke(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="One"))], end="drop"))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    events: list[Event] = []
    async with connected("fallback", server) as backend:
        with pytest.raises(Interrupted):
            async for event in backend.stream(REQUEST):
                events.append(event)
    assert events == [Delta("One")]
    assert server.requests("/api/chat") == []


async def test_fallback_names_each_failure(server: WireServer) -> None:
    server.on(CHAT, Reply.json({"error": "full"}, 503))
    async with connected("fallback", server) as backend:
        with pytest.raises(Unreachable, match=r"openai: .*busy.*ollama: .*no such route"):
            await collect(backend)
        with pytest.raises(Unreachable, match=r"openai: .*ollama: "):
            await backend.check()


async def test_fallback_check_says_through_which(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "max_model_len": 4096}]}))
    async with connected("fallback", server) as backend:
        health = await backend.check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "through openai")


async def test_what_openai_servers_are_asked(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    async with connected("openai", server) as backend:
        await collect(backend)
    asked = server.requests(CHAT)[0]
    assert asked.json == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe? 🙂"}],
        "max_tokens": 64,
        "temperature": 0.2,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert asked.headers["accept-encoding"] == "identity"
    assert "authorization" not in asked.headers


async def test_the_hub_is_asked_for_a_provider_with_the_token(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    async with connected("huggingface", server) as backend:
        await collect(backend)
    asked = server.requests(CHAT)[0]
    assert asked.json["model"] == "tiny:fastest"
    assert asked.headers["authorization"] == "Bearer hf_k"


async def test_the_hub_says_who_serves_a_model(server: WireServer) -> None:
    providers = [{"provider": "a", "context_length": 8192, "status": "live"}, {"provider": "b", "status": "staging"}]
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "providers": providers}]}))
    async with connected("huggingface", server) as backend:
        health = await backend.check()
    assert (health.model, health.context, health.detail) == ("tiny", 8192, "served by a")


async def test_a_served_model_is_asked_for_where_none_is_named(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "served"}]}))
    server.on(CHAT, Reply([OPENAI.wire]))
    backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
    await collect(backend)
    await collect(backend, ChatRequest([Message("user", "Hi")], model="other"))
    assert [asked.json["model"] for asked in server.requests(CHAT)] == ["served", "other"]
    assert len(server.requests("/v1/models")) == 1


async def test_a_server_without_models_still_answers_and_checks(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
    assert_kept(await collect(backend), OPENAI)
    assert "model" not in server.requests(CHAT)[0].json
    assert (await backend.check()).detail == "the server does not list its models"
    assert server.requests(CHAT)[1].json["max_tokens"] == 1


async def test_plain_json_instead_of_events(server: WireServer) -> None:
    whole = {
        "choices": [{"message": {"content": "<think>hm</think>Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    server.on(CHAT, Reply.json(whole))
    async with connected("openai", server) as backend:
        events = await collect(backend)
    assert [event for event in events if isinstance(event, Delta)] == [Delta("hm", "thought"), Delta("Hello")]
    assert isinstance(events[-1], Done)


async def test_an_end_without_the_done_event_counts_where_a_finish_reason_came(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="Hi"), part("stop"))]))
    async with connected("openai", server) as backend:
        assert await collect(backend) == [Delta("Hi"), Done("stop", None)]


async def test_a_last_event_without_its_blank_line(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="Hi"), part("stop")) + b"data: [DONE]"]))
    async with connected("openai", server) as backend:
        assert await collect(backend) == [Delta("Hi"), Done("stop", None)]


@pytest.mark.parametrize("name", ["openai", "huggingface", "ollama", "fallback"])
async def test_closing_leaves_the_stream_at_once_and_others_go_on(name: str, server: WireServer) -> None:
    for_ever(server)
    async with connected(name, server) as backend:
        other = backend.stream(REQUEST)
        async with closing(other):
            assert await anext(other) == Delta("word ")
            await assert_left(backend, server, by="closing")
            for_ever(server)
            assert await anext(other) == Delta("word ")
            await assert_left(backend, server, by="cancelling")
            assert await anext(other) == Delta("word ")


def for_ever(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, Reply([sse(part(content="word "))], end="repeat"))
    server.on("/api/chat", Reply([b'{"message":{"role":"assistant","content":"word "},"done":false}\n'], end="repeat"))


async def assert_left(backend: Backend, server: WireServer, *, by: str) -> None:
    started = asyncio.Event()

    async def read() -> None:
        stream = backend.stream(REQUEST)
        async with closing(stream):
            async for _ in stream:
                started.set()
                if by == "closing":
                    return

    task = asyncio.create_task(read())
    await asyncio.wait_for(started.wait(), 5)
    if by == "cancelling":
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is (by == "cancelling")
    await asyncio.wait_for(server.client_left.wait(), 5)  # the machine may be slow; a server that writes on would wait


@pytest.mark.parametrize("name", ["openai", "ollama"])
async def test_cancelling_before_the_first_token_frees_the_connection(name: str, server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, Reply(end="hang"))
    server.on("/api/chat", Reply(end="hang"))
    async with connected(name, server) as backend:
        task = asyncio.create_task(collect(backend))
        await asyncio.wait_for(server.hanging.wait(), 5)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(server.client_left.wait(), 1)


async def test_a_503_is_overloaded(server: WireServer) -> None:
    server.on(CHAT, Reply.json({"error": {"message": "no slot"}}, 503))
    async with connected("openai", server) as backend:
        with pytest.raises(Overloaded, match="no slot"):
            await collect(backend)
