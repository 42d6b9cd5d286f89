"""The OpenAI dialect, with the real model and real clients."""

from __future__ import annotations

import json

import pytest

from backends import Catalog, ChatRequest, Delta, Done, Message, Rejected
from backends.http.connections import close_connections
from tests.inference.servers import Server, answer_of, events, question

CHAT = "/v1/chat/completions"
MODEL = "SmolLM2-135M-Instruct.Q8_0"  # the fast copy of the packaged file


def test_model_list_has_the_served_model(server: Server) -> None:
    models = server.get("/v1/models").json()
    assert [(card["id"], card["max_model_len"]) for card in models["data"]] == [(MODEL, 512)]


def test_complete_answer_has_text_and_usage(server: Server) -> None:
    answer = server.post(CHAT, question(tokens=8))
    assert answer.status_code == 200
    body = answer.json()
    assert body["object"] == "chat.completion"
    assert body["model"] == MODEL
    assert body["id"] == f"chatcmpl-{answer.headers['x-request-id']}"
    [choice] = body["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"]
    usage = body["usage"]
    assert 0 < usage["completion_tokens"] <= 8
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_stream_and_complete_answer_are_equal(server: Server) -> None:
    complete = server.post(CHAT, question(tokens=12)).json()
    stream = server.post(CHAT, question(tokens=12, stream=True, stream_options={"include_usage": True}))
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert stream.headers["x-request-id"]
    *chunks, done = events(stream.text)
    assert done == "[DONE]"
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert answer_of(chunks) == complete["choices"][0]["message"]["content"]
    assert chunks[-2]["choices"][0]["finish_reason"] == complete["choices"][0]["finish_reason"]
    assert chunks[-1]["choices"] == []
    counts = ("prompt_tokens", "completion_tokens", "total_tokens")
    assert [chunks[-1]["usage"][name] for name in counts] == [complete["usage"][name] for name in counts]
    assert len({chunk["id"] for chunk in chunks}) == 1


def test_stream_has_usage_only_on_request(server: Server) -> None:
    for options in ({}, {"stream_options": {"include_usage": False}}, {"stream_options": None}):
        *chunks, done = events(server.post(CHAT, question(tokens=2, stream=True, **options)).text)
        assert done == "[DONE]"
        assert all(chunk["choices"] and "usage" not in chunk for chunk in chunks)


@pytest.mark.parametrize("model", ["", None, MODEL])
@pytest.mark.parametrize("stream", [False, True])
def test_model_name_is_optional(server: Server, model: str | None, stream: bool) -> None:
    assert server.post(CHAT, question(tokens=1, model=model, stream=stream)).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_unknown_model_is_a_404(server: Server, stream: bool) -> None:
    answer = server.post(CHAT, question(model="gpt-4o", stream=stream))
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert "gpt-4o" in error["message"]
    assert MODEL in error["message"]
    assert error["type"] == "invalid_request_error"
    assert answer.headers["x-request-id"]


async def test_official_client_streams(server: Server) -> None:
    import openai  # a second in each test process that collects this module

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        assert [model.id async for model in client.models.list()] == [MODEL]
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": "Name a colour."}],
            max_completion_tokens=8,
            temperature=0.0,
            stream=True,
            stream_options={"include_usage": True},
            logprobs=True,
            top_logprobs=2,
        )
        chunks = [chunk async for chunk in stream]
    ends = [chunk.choices[0] for chunk in chunks if chunk.choices and chunk.choices[0].logprobs]
    tokens = [token for end in ends for token in end.logprobs.content]
    finish_reason = next(chunk.choices[0].finish_reason for chunk in reversed(chunks) if chunk.choices)
    # The token that ends an answer by itself is counted, and has no text.
    assert len(tokens) == chunks[-1].usage.completion_tokens - (finish_reason == "stop")
    assert all(token.logprob <= 0 and len(token.top_logprobs) == 2 for token in tokens)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage
    assert 0 < chunks[-1].usage.completion_tokens <= 8


async def test_official_client_raises_its_own_errors(server: Server) -> None:
    import openai

    async with openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="no model 'other'"):
            await client.chat.completions.create(model="other", messages=[{"role": "user", "content": "Hi"}])
        with pytest.raises(openai.BadRequestError, match="messages is empty"):
            await client.chat.completions.create(model="", messages=[])


async def test_our_own_client_gets_the_same_answer_and_usage(server: Server) -> None:
    backend = Catalog({"x": {"kind": "openai", "url": server.url}}, source="test").connect("x")
    health = await backend.check()
    assert (health.model, health.context) == (MODEL, 512)
    request = ChatRequest((Message("user", "Name a colour."),), max_tokens=8, temperature=0.0)
    *deltas, done = [event async for event in backend.stream(request)]
    assert all(isinstance(delta, Delta) for delta in deltas)
    assert isinstance(done, Done)
    assert done.usage
    complete = server.post(CHAT, question(tokens=8)).json()
    assert done.usage.input_tokens == complete["usage"]["prompt_tokens"]
    assert done.usage.output_tokens == complete["usage"]["completion_tokens"]
    assert done.finish_reason == complete["choices"][0]["finish_reason"]
    long = ChatRequest((Message("user", "word " * 2000),))
    with pytest.raises(Rejected, match="512"):
        [event async for event in backend.stream(long)]
    await close_connections()


@pytest.mark.parametrize(
    "parameters",
    [{"seed": 2**63 - 1}, {"seed": -1}, {"top_p": 0}, {"top_p": 1, "temperature": 2}, {"stop": ["\0", "x" * 5000]}],
    ids=lambda parameters: ",".join(parameters),
)
def test_parameters_at_their_limits_are_accepted(server: Server, parameters: dict[str, object]) -> None:
    answer = server.post(CHAT, question(tokens=2, **parameters))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_by_a_schema(server: Server, stream: bool) -> None:
    schema = {"type": "object", "properties": {"town": {"type": "string", "maxLength": 20}}, "required": ["town"]}
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    answer = server.post(CHAT, question(tokens=60, stream=stream, response_format=response_format))
    assert answer.status_code == 200
    text = answer_of(events(answer.text)[:-1]) if stream else answer.json()["choices"][0]["message"]["content"]
    assert isinstance(json.loads(text)["town"], str)


def test_a_schema_of_a_stranger_is_not_checked_here(server: Server) -> None:
    """It could take exponential time: each definition has the one before it twice."""
    levels = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, 40)}
    schema = {"$defs": {"a0": {"type": "string"}, **levels}, "$ref": "#/$defs/a39"}
    response_format = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    assert server.post(CHAT, question(tokens=4, response_format=response_format)).status_code in (200, 400, 502)
    assert server.post(CHAT, question(tokens=1)).status_code == 200
