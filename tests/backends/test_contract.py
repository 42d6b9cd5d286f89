"""The promise of a stream, for each kind with a wire, with the wire cut at each byte; and the errors of each kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backends import (
    Backend,
    BackendError,
    Catalog,
    ChatRequest,
    Delta,
    Done,
    Event,
    Interrupted,
    Message,
    NotConfigured,
    Overloaded,
    Rejected,
    TimedOut,
    Unreachable,
)
from backends.streams import closing
from tests.backends.event_stream import aws_error, event_reply, exception, frame, frames, payload_part
from tests.backends.recordings import ESCAPED, OLLAMA, OLLAMA_SHOW, OPENAI, REQUEST, Recording, part, sse
from tests.backends.targets import AWS_SECRET, CHAT, GOOGLE_TOKEN, ROUTES, connect, google_error
from tests.backends.wire_server import Reply, WireServer, cuts

BAD_GATEWAY = Reply([b"<html><title>502 Bad Gateway</title></html>"], 502, "text/html")


@asynccontextmanager
async def connected(name: str, server: WireServer) -> AsyncIterator[Backend]:
    backend = connect(name, server.url)
    try:
        yield backend
    finally:
        await backend.aclose()


async def collect(backend: Backend, request: ChatRequest = REQUEST) -> list[Event]:
    return [event async for event in backend.stream(request)]


def assert_matches(events: list[Event], recording: Recording) -> None:
    """Check for deltas with text, whole characters, then exactly one Done with what the server reported."""
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
            assert_matches(await collect(backend), recording)
    assert server.connections == 1


async def test_ndjson_cut_at_each_byte(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    async with connected("ollama", server) as backend:
        for parts in cuts(OLLAMA.wire):
            server.on("/api/chat", Reply(parts, type="application/x-ndjson"))
            assert_matches(await collect(backend), OLLAMA)
    assert server.connections == 1
    assert len(server.requests("/api/show")) == 1


async def test_fallback_over_two_wires_cut_anywhere(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    async with connected("fallback", server) as backend:
        for parts in cuts(OLLAMA.wire, step=9):
            server.on(CHAT, Reply.json({"error": {"message": "full"}}, 503))
            server.on("/api/chat", Reply(parts, type="application/x-ndjson"))
            assert_matches(await collect(backend), OLLAMA)
        for parts in cuts(OPENAI.wire, step=9):
            server.on(CHAT, Reply(parts))
            assert_matches(await collect(backend), OPENAI)


async def test_fallback_tries_the_next_target_before_the_first_token(server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, Reply([sse(part(role="assistant", content=""))], end="drop"))
    server.on("/api/chat", Reply([OLLAMA.wire]))
    async with connected("fallback", server) as backend:
        assert_matches(await collect(backend), OLLAMA)
        assert backend.last_target == "ollama"  # type: ignore[attr-defined]
    assert server.requests("/api/chat")[0].json["model"] == "tiny"


async def test_fallback_does_not_retry_after_the_first_token(server: WireServer) -> None:
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


async def test_fallback_check_names_the_target(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "max_model_len": 4096}]}))
    async with connected("fallback", server) as backend:
        health = await backend.check()
    assert (health.model, health.context, health.detail) == ("tiny", 4096, "through openai")


async def test_the_request_to_an_openai_server(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    async with connected("openai", server) as backend:
        await collect(backend)
    request = server.requests(CHAT)[0]
    assert request.json == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe? 🙂"}],
        "max_tokens": 64,
        "temperature": 0.2,
        "stop": ["END"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert request.headers["accept-encoding"] == "identity"
    assert "authorization" not in request.headers


async def test_the_request_to_the_hub_has_the_provider_and_the_token(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    async with connected("huggingface", server) as backend:
        await collect(backend)
    request = server.requests(CHAT)[0]
    assert request.json["model"] == "tiny:fastest"
    assert request.headers["authorization"] == "Bearer hf_k"


async def test_check_names_the_providers_of_a_model(server: WireServer) -> None:
    providers = [{"provider": "a", "context_length": 8192, "status": "live"}, {"provider": "b", "status": "staging"}]
    server.on("/v1/models", Reply.json({"data": [{"id": "tiny", "providers": providers}]}))
    async with connected("huggingface", server) as backend:
        health = await backend.check()
    assert (health.model, health.context, health.detail) == ("tiny", 8192, "served by a")


async def test_without_a_model_the_first_one_of_the_server_is_used(server: WireServer) -> None:
    server.on("/v1/models", Reply.json({"data": [{"id": "served"}]}))
    server.on(CHAT, Reply([OPENAI.wire]))
    backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
    await collect(backend)
    await collect(backend, ChatRequest([Message("user", "Hi")], model="other"))
    assert [request.json["model"] for request in server.requests(CHAT)] == ["served", "other"]
    assert len(server.requests("/v1/models")) == 1


async def test_a_server_without_models_still_answers_and_checks(server: WireServer) -> None:
    server.on(CHAT, Reply([OPENAI.wire]))
    backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
    assert_matches(await collect(backend), OPENAI)
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


async def test_an_end_without_the_done_event_after_a_finish_reason(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="Hi"), part("stop"))]))
    async with connected("openai", server) as backend:
        assert await collect(backend) == [Delta("Hi"), Done("stop", None)]


async def test_a_last_event_without_its_blank_line(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="Hi"), part("stop")) + b"data: [DONE]"]))
    async with connected("openai", server) as backend:
        assert await collect(backend) == [Delta("Hi"), Done("stop", None)]


@pytest.mark.parametrize("name", ["openai", "huggingface", "ollama", "fallback"])
async def test_leaving_a_stream_frees_its_connection_and_no_other(name: str, server: WireServer) -> None:
    repeat_words(server)
    async with connected(name, server) as backend:
        other = backend.stream(REQUEST)
        async with closing(other):
            assert await anext(other) == Delta("word ")
            await assert_left(backend, server, by="closing")
            repeat_words(server)
            assert await anext(other) == Delta("word ")
            await assert_left(backend, server, by="cancelling")
            assert await anext(other) == Delta("word ")


def repeat_words(server: WireServer) -> None:
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
    await asyncio.wait_for(started.wait(), 60)
    if by == "cancelling":
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled() is (by == "cancelling")
    await asyncio.wait_for(server.client_left.wait(), 60)


@pytest.mark.parametrize("name", ["openai", "ollama"])
async def test_cancelling_before_the_first_token_frees_the_connection(name: str, server: WireServer) -> None:
    server.on("/api/show", Reply.json(OLLAMA_SHOW))
    server.on(CHAT, Reply(end="hang"))
    server.on("/api/chat", Reply(end="hang"))
    async with connected(name, server) as backend:
        task = asyncio.create_task(collect(backend))
        await asyncio.wait_for(server.hang_started.wait(), 60)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.wait_for(server.client_left.wait(), 60)


async def test_a_503_is_overloaded(server: WireServer) -> None:
    server.on(CHAT, Reply.json({"error": {"message": "no slot"}}, 503))
    async with connected("openai", server) as backend:
        with pytest.raises(Overloaded, match="no slot"):
            await collect(backend)


ERRORS: dict[str, list[tuple[Reply, type[BackendError], str]]] = {
    "sagemaker": [
        (aws_error(400, "ThrottlingException", "Rate exceeded"), Overloaded, "Rate exceeded"),
        (aws_error(429, "ModelNotReadyException", "Model is loading"), Overloaded, "loading"),
        (aws_error(503, "ServiceUnavailable", "Try later"), Overloaded, "Try later"),
        (aws_error(400, "ExpiredTokenException", "The security token has expired"), NotConfigured, "aws sso login"),
        (aws_error(403, "InvalidSignatureException", "does not match"), NotConfigured, "credentials"),
        (aws_error(403, "AccessDeniedException", "not authorized"), Rejected, "sagemaker:InvokeEndpoint"),
        (aws_error(400, "ValidationError", "Endpoint chat of account 1 not found."), Rejected, "no SageMaker endpoint"),
        (aws_error(400, "ValidationError", "Endpoint chat is not in service"), Overloaded, "try again in a minute"),
        (aws_error(400, "ValidationError", "Inference Component has no capacity"), Overloaded, "scaled to zero"),
        (aws_error(400, "ValidationError", "Body is too long"), Rejected, "Body is too long"),
        (aws_error(500, "InternalFailure", "oops"), Rejected, "SageMaker failed"),
        (aws_error(530, "InternalDependencyException", "oops"), Rejected, "SageMaker failed"),
        (BAD_GATEWAY, Rejected, "502"),
        (
            event_reply(exception("ModelStreamError", Message="took 60 s", ErrorCode="ModelInvocationTimeExceeded")),
            TimedOut,
            "60 s",
        ),
        (event_reply(exception("ModelStreamError", Message="broke", ErrorCode="Broken")), Unreachable, "Broken"),
        (event_reply(exception("InternalStreamFailure", Message="oops")), Unreachable, "InternalStreamFailure"),
        (event_reply(frame(b"", message_type="error", error_code="500", error_message="gone")), Unreachable, "gone"),
        (event_reply(b"\x00" * 64), Unreachable, "not send an event stream"),
        (event_reply(b""), Unreachable, "closed the stream"),
        (event_reply(end="drop"), Unreachable, ""),
    ],
    "vertex": [
        (google_error(403, "PERMISSION_DENIED", "no"), Rejected, "roles/aiplatform.user"),
        (google_error(404, "NOT_FOUND", "Endpoint not found"), Rejected, "location"),
        (google_error(429, "RESOURCE_EXHAUSTED", "quota"), Overloaded, "quota"),
        (google_error(400, "FAILED_PRECONDITION", "no model", in_list=True), Overloaded, "try again in a minute"),
        (google_error(503, "UNAVAILABLE", "later"), Overloaded, "later"),
        (google_error(500, "INTERNAL", "oops"), Rejected, "oops"),
        (Reply.json({"error": {"message": "5,000 tokens, the context 4,096"}}, 400), Rejected, "Send less"),
        (BAD_GATEWAY, Rejected, "502"),
        (Reply(end="drop"), Unreachable, ""),
        (Reply([b""]), Unreachable, "closed the stream"),
    ],
}


@pytest.mark.usefixtures("aws_account", "google_account")
@pytest.mark.parametrize(
    ("name", "reply", "kind", "words"),
    [pytest.param(name, *case, id=f"{name}-{case[1].__name__}") for name, cases in ERRORS.items() for case in cases],
)
async def test_an_error_before_the_first_token_has_a_remedy(
    name: str, reply: Reply, kind: type[BackendError], words: str, server: WireServer
) -> None:
    server.on(ROUTES[name], reply)
    async with connected(name, server) as backend:
        with pytest.raises(kind) as caught:
            await collect(backend)
    assert type(caught.value) is kind
    assert words in str(caught.value)
    assert caught.value.remedy
    assert AWS_SECRET not in str(caught.value)
    assert GOOGLE_TOKEN not in str(caught.value)


HELLO = sse(part(content="Hello"))
BROKEN_STREAMS = {
    "vertex-drop": Reply([HELLO], end="drop"),
    "sagemaker-model": event_reply(
        frames(HELLO) + exception("ModelStreamError", Message="broke", ErrorCode="StreamBroken")
    ),
    "sagemaker-internal": event_reply(frames(HELLO) + exception("InternalStreamFailure", Message="oops")),
    "sagemaker-error": event_reply(
        frames(HELLO) + frame(b"", message_type="error", error_code="500", error_message="gone")
    ),
    "sagemaker-checksum": event_reply(frames(HELLO) + payload_part(b"data: {}\n\n")[:-1] + b"!"),
    "sagemaker-end": event_reply(frames(HELLO)),
}


@pytest.mark.usefixtures("aws_account", "google_account")
@pytest.mark.parametrize("case", BROKEN_STREAMS)
async def test_a_broken_stream_keeps_the_text_so_far(case: str, server: WireServer) -> None:
    name = case.partition("-")[0]
    server.on(ROUTES[name], BROKEN_STREAMS[case])
    events = []
    async with connected(name, server) as backend:
        with pytest.raises(Interrupted, match=r"^The answer was cut off: .*[^.]\.$"):
            async for event in backend.stream(REQUEST):
                events.append(event)
    assert events == [Delta("Hello")]


@pytest.mark.usefixtures("aws_account", "google_account")
@pytest.mark.parametrize("name", ["sagemaker", "vertex"])
@pytest.mark.parametrize("by", ["closing", "cancelling"])
async def test_a_client_that_leaves_frees_the_connection(name: str, by: str, server: WireServer) -> None:
    words = sse(part(content="word "))
    reply = event_reply(frames(words), end="repeat") if name == "sagemaker" else Reply([words], end="repeat")
    server.on(ROUTES[name], reply)
    async with connected(name, server) as backend:
        await assert_left(backend, server, by=by)


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("sagemaker", {"route": "grpc"}, "stream, whole, openai"),
        ("sagemaker", {"route": "openai", "variant": "blue"}, "no variant"),
        ("sagemaker", {"endpont": "x"}, "Did you mean endpoint"),
        ("vertex", {"route": "grpc"}, "stream, whole, instances"),
        ("vertex", {"endpoint": "a/b"}, "names no endpoint"),
        ("vertex", {"x": 1}, "setting"),
    ],
)
def test_wrong_settings_are_named(name: str, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(NotConfigured, match=words):
        connect(name, "http://127.0.0.1:1", **settings)


@pytest.mark.usefixtures("aws_account", "google_account")
@pytest.mark.parametrize("name", ["huggingface", "sagemaker", "vertex"])
async def test_servers_that_differ(name: str, server: WireServer) -> None:
    words = "'temperature' is not supported with this model."
    refusal, answer = Reply.json({"error": {"message": words}}, 400), Reply([OPENAI.wire])
    if name == "sagemaker":
        refusal = aws_error(424, "ModelError", "The container failed.", OriginalStatusCode=400, OriginalMessage=words)
        answer = event_reply(frames(OPENAI.wire))
    server.on(ROUTES[name], refusal, answer)
    settings = {"max_tokens_field": "max_completion_tokens", "drop": ["stop"], "reasoning": "none"}
    events = await collect(connect(name, server.url, **settings))
    assert "<think>" in "".join(event.text for event in events if isinstance(event, Delta))
    first, second = (request.json for request in server.requests(ROUTES[name]))
    assert not {"max_tokens", "stop"} & first.keys()
    assert first["max_completion_tokens"] == 64
    assert "temperature" in first
    assert "temperature" not in second
