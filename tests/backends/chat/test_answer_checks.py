"""Answers that must match a JSON schema, with a server that keeps to it and servers that don't."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from backends import Catalog, ChatRequest, InvalidAnswer, Message, NotConfigured, Rejected, Tool, ToolCall
from backends.pictures import prepare_picture
from tests.backends.recordings import ndjson, part, sse
from tests.backends.test_pictures import encoded
from tests.backends.wire_server import Reply, WireServer

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
REQUEST = ChatRequest([Message("user", "How many?")], schema=SCHEMA)
CHAT = "/v1/chat/completions"


async def answer(server: WireServer, text: str, request: ChatRequest = REQUEST, reason: str = "stop") -> str:
    server.on(CHAT, Reply([sse(part(content=text), part(reason), "data: [DONE]")]))
    target = {"kind": "openai", "url": server.url, "model": "tiny"}
    backend = Catalog({"x": target}, source="test").connect("x")
    return "".join([getattr(event, "text", "") async for event in backend.stream(request)])


async def test_an_answer_that_matches(server: WireServer) -> None:
    assert await answer(server, '{"n": 3}') == '{"n": 3}'
    sent = server.requests(CHAT)[0].json["response_format"]
    assert (sent["type"], sent["json_schema"]["schema"]) == ("json_schema", SCHEMA)


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("Three.", "stop", "not JSON"),
        ('{"n": "three"}', "stop", r"at \$\.n"),
        ('{"n": 3, "m": 4}', "stop", "Additional properties"),
        ('{"n": ', "length", "Raise max_tokens"),
    ],
)
async def test_an_answer_that_does_not_match(server: WireServer, text: str, reason: str, words: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        await answer(server, text, reason=reason)
    assert re.search(words, str(caught.value))
    assert caught.value.text == text


async def test_a_schema_that_is_none(server: WireServer) -> None:
    with pytest.raises(NotConfigured, match="not a JSON schema"):
        await answer(server, "{}", ChatRequest(REQUEST.messages, schema={"type": "number of things"}))


async def test_a_reference_to_another_server_is_not_followed(server: WireServer) -> None:
    server.on("/schema", Reply.json({"type": "string"}))
    with pytest.raises(NotConfigured, match="refers to 'http://127"):
        await answer(server, '{"n": 3}', ChatRequest(REQUEST.messages, schema={"$ref": f"{server.url}/schema"}))
    assert server.requests("/schema") == []


async def test_a_server_leaves_the_check_to_its_client(server: WireServer) -> None:
    """A stranger's schema can take exponential time: each definition has the one before it twice."""
    levels = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n - 1}"}] * 2} for n in range(1, 40)}
    schema = {"$defs": {"a0": {"type": "string"}, **levels}, "$ref": "#/$defs/a39"}
    assert await answer(server, "3", ChatRequest(REQUEST.messages, schema=schema, validate=False)) == "3"
    assert server.requests(CHAT)[0].json["response_format"]["json_schema"]["schema"] == schema


async def test_ollama_gets_its_own_fields(server: WireServer) -> None:
    call = {"function": {"name": "count", "arguments": {"of": "cats"}}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    item = {
        "model": "tiny",
        "message": message,
        "done": True,
        "done_reason": "stop",
        "eval_count": 3,
        "prompt_eval_count": 5,
    }
    server.on("/api/chat", Reply([ndjson(item)], type="application/x-ndjson"))
    server.on("/api/show", Reply.json({"model_info": {}}))
    backend = Catalog({"x": {"kind": "ollama", "url": server.url, "model": "tiny"}}, source="test").connect("x")
    earlier = ToolCall("id_1", "count", {"of": "dogs"})
    messages = [
        Message("user", ("How many?", prepare_picture(encoded("PNG")))),
        Message("assistant", "", tool_calls=(earlier,)),
        Message("tool", "2", tool_call_id="id_1"),
    ]
    tool = Tool("count", "Counts")
    events = [event async for event in backend.stream(ChatRequest(messages, tools=(tool,), schema=SCHEMA))]
    assert events[0] == ToolCall("call_1", "count", {"of": "cats"})
    sent = server.requests("/api/chat")[0].json
    assert sent["format"] == SCHEMA
    assert sent["tools"][0]["function"]["name"] == "count"
    assert len(sent["messages"][0]["images"]) == 1
    assert sent["messages"][1]["tool_calls"] == [{"function": {"name": "count", "arguments": {"of": "dogs"}}}]
    assert sent["messages"][2] == {"role": "tool", "content": "2", "tool_name": "count"}
    await backend.aclose()


async def test_a_choice_that_ollama_does_not_have(server: WireServer) -> None:
    backend = Catalog(
        {"x": {"kind": "ollama", "url": server.url, "model": "tiny", "context": 4096}}, source="t"
    ).connect("x")
    with pytest.raises(Rejected, match="can't be made to call"):
        async for _ in backend.stream(ChatRequest(REQUEST.messages, tools=(Tool("count"),), tool_choice="required")):
            pass
    await backend.aclose()


async def test_a_required_call_that_does_not_come(server: WireServer) -> None:
    request = ChatRequest(REQUEST.messages, tools=(Tool("count"),), tool_choice="required")
    with pytest.raises(InvalidAnswer, match="called no tool") as caught:
        await answer(server, "About three.", request)
    assert caught.value.text == "About three."


def test_a_schema_file(tmp_path: Path) -> None:
    from backends.chat.answer_checks import load_schema

    path = tmp_path / "schema.json"
    for text in ("{", "[]"):
        path.write_text(text)
        with pytest.raises(NotConfigured, match=r"schema\.json"):
            load_schema(path)
    path.write_text(json.dumps(SCHEMA))
    assert load_schema(path) == SCHEMA
