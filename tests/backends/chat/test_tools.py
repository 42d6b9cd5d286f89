"""Tools, pictures and JSON schemas in the OpenAI format: what is sent, and what is read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends import ChatRequest, Delta, Event, InvalidAnswer, Message, Picture, Rejected, Tool, ToolCall
from backends.chat.reader import ChatReader
from backends.chat.requests import chat_body, parse_chat_request
from backends.chat.sse import DONE

WEATHER = Tool("weather", "The weather of a town", {"type": "object", "properties": {"town": {"type": "string"}}})
CALL = ToolCall("call_7", "weather", {"town": "Ñemby"})
CONVERSATION = (
    Message("user", ("What is this?", Picture(b"\x89PNG", "image/png"))),
    Message("assistant", "", tool_calls=(CALL,)),
    Message("tool", "21 °C", tool_call_id="call_7"),
)


def call_piece(index: int | None = 0, *, call_id: str = "", name: str = "", arguments: Any = None) -> dict[str, Any]:
    function = {
        key: value for key, value in {"name": name or None, "arguments": arguments}.items() if value is not None
    }
    piece: dict[str, Any] = {"function": function}
    return piece | ({} if index is None else {"index": index}) | ({"id": call_id} if call_id else {})


def read(*pieces: list[dict[str, Any]], finish_reason: str = "tool_calls") -> list[Event]:
    """The events of an answer whose chunks have these pieces of calls."""
    reader = ChatReader()
    events: list[Event] = []
    for each in pieces:
        events += reader.read(json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": each}}]}))
    events += reader.read(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}))
    return [*events, *reader.finish([DONE])]


def test_a_request_is_read_as_it_was_written() -> None:
    schema = {"type": "object", "properties": {"sum": {"type": "integer"}}}
    request = ChatRequest(CONVERSATION, tools=(WEATHER,), tool_choice="weather", schema=schema, max_tokens=9)
    assert parse_chat_request(json.loads(json.dumps(chat_body(request)))) == request


def test_arguments_in_pieces_and_interleaved_calls() -> None:
    events = read(
        [call_piece(0, call_id="a", name="weather", arguments="")],
        [call_piece(1, call_id="b", name="weather", arguments='{"town"')],
        [call_piece(0, arguments='{"town": "Ñe'), call_piece(1, arguments=': "Oslo"}')],
        [call_piece(0, arguments='mby"}')],
    )
    assert events == [ToolCall("a", "weather", {"town": "Ñemby"}), ToolCall("b", "weather", {"town": "Oslo"})]


@pytest.mark.parametrize(
    ("pieces", "arguments"),
    [
        # One index for all calls, as some servers send; a call without arguments; arguments as an object.
        ([call_piece(0, call_id="a", name="now"), call_piece(0, call_id="b", name="now", arguments="{}")], [{}, {}]),
        ([call_piece(None, name="now", arguments={"zone": "UTC"})], [{"zone": "UTC"}]),
        ([call_piece(None, name="now"), call_piece(None, name="now")], [{}, {}]),
    ],
)
def test_dialects(pieces: list[dict[str, Any]], arguments: list[dict[str, Any]]) -> None:
    calls = [event for event in read(pieces) if isinstance(event, ToolCall)]
    assert [call.arguments for call in calls] == arguments
    assert len({call.id for call in calls}) == len(calls)


@pytest.mark.parametrize(
    ("arguments", "finish_reason", "words"),
    [
        ('{"town": "Os', "tool_calls", '“{"town": "Os”'),
        ('{"town": "Os', "length", "Raise max_tokens"),
        ('["Oslo"]', "tool_calls", "not a JSON object"),
        ("[" * 100_000, "tool_calls", "not a JSON object"),
    ],
)
def test_arguments_that_are_no_object(arguments: str, finish_reason: str, words: str) -> None:
    with pytest.raises(InvalidAnswer, match="weather") as caught:
        read([call_piece(name="weather", arguments=arguments)], finish_reason=finish_reason)
    assert words in str(caught.value)
    assert caught.value.text == arguments


def test_a_call_without_a_name() -> None:
    with pytest.raises(InvalidAnswer, match="without a name"):
        read([call_piece(arguments="{}")])


def test_text_beside_calls_is_kept() -> None:
    reader = ChatReader()
    deltas = reader.read(
        json.dumps({"choices": [{"delta": {"content": "Let me see.", "tool_calls": [call_piece(name="now")]}}]})
    )
    reader.read(json.dumps({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}))
    assert [*deltas, *reader.finish([DONE])] == [Delta("Let me see."), ToolCall("call_1", "now", {})]


def user(part: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


def caller(call: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "assistant", "tool_calls": [call]}]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tools": {}}, "tools is an object"),
        ({"tools": [{"type": "function"}]}, "not a function with a name"),
        ({"tools": [{"function": {"name": "f", "parameters": []}}]}, "not a JSON schema"),
        ({"tool_choice": {"function": {"name": "f"}}}, "not among tools"),
        ({"tool_choice": "any"}, "tool_choice is not"),
        ({"response_format": {"type": "json_schema"}}, "response_format is not"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool_call_id is missing"),
        (caller({"id": "a"}), "not a call"),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "x"}}]}
                ]
            },
            "not a JSON object",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]}
                ]
            },
            "data URL",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": "data:image/png;base64,*"}]}
                ]
            },
            "not valid base64",
        ),
        (user({"type": "input_audio"}), "neither text nor a picture"),
    ],
)
def test_a_bad_request_is_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Rejected, match=words) as caught:
        parse_chat_request({"messages": [{"role": "user", "content": "Hi"}]} | change)
    assert caught.value.status == 400
