"""More of what servers are reported to send: events, thoughts, calls of tools and ends that differ from the format."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from backends import (
    BackendError,
    Delta,
    Done,
    Event,
    Interrupted,
    InvalidAnswer,
    Overloaded,
    Rejected,
    ToolCall,
    Unreachable,
)
from backends.chat.reader import ChatReader
from tests.backends.chat.test_unusual_servers import DONE, HELLO, STOP, WHOLE, WORLD, collect, connect, texts
from tests.backends.recordings import REQUEST, part, sse
from tests.backends.wire_server import Reply, WireServer

CHAT = "/v1/chat/completions"
TOLERATED = {
    "a list of events": Reply([json.dumps([HELLO, WORLD, STOP]).encode()], type="application/json"),
    "a list on many lines": Reply([json.dumps([HELLO, WORLD, STOP], indent=1).encode()], type="application/json"),
    "a list of the type events": Reply([json.dumps([HELLO, WORLD, STOP]).encode()]),
    "a list that comes in lines": Reply(
        [b"[" + b",\n".join(json.dumps(event).encode() for event in (HELLO, WORLD, STOP)) + b"]\n"]
    ),
    "a byte order mark between events": Reply([sse(HELLO), b"\xef\xbb\xbf" + sse(WORLD), sse(STOP, DONE)]),
    "blanks before an event": Reply([WHOLE.replace(b"data: ", b"data:  \t")]),
    "events in one": Reply(
        [b"data: " + b"".join(json.dumps(event).encode() for event in (HELLO, WORLD, STOP)) + b"\n"]
    ),
    "events on one line": Reply([sse(HELLO, WORLD, STOP).replace(b"\n", b"")]),
    "no reason to finish, in text": Reply(
        [sse({"choices": [{"delta": {"content": "Hello world"}, "finish_reason": "null"}]}, STOP, DONE)]
    ),
    "words of a ping": Reply([sse(HELLO, "data: ping", "data: : keep-alive", WORLD, STOP, DONE)]),
    "empty values": Reply([sse("data: null", HELLO, "data: []", "data: {}", WORLD, STOP, DONE)]),
    "choices that are none": Reply([sse({"choices": None}, {"choices": [None]}, HELLO, WORLD, STOP, DONE)]),
    "one choice": Reply([sse({"choices": {"delta": {"content": "Hello world"}, "finish_reason": "stop"}}, DONE)]),
    "a delta of text": Reply([sse({"choices": [{"delta": "Hello world", "finish_reason": "stop"}]}, DONE)]),
    "calls that are none": Reply([sse(part(tool_calls=[None]), part(tool_calls=[]), HELLO, WORLD, STOP, DONE)]),
    "another end marker": Reply([sse(HELLO, WORLD, STOP, "data: [done]")]),
    "a word as the end": Reply([sse(HELLO, WORLD, STOP, "data: [END]")]),
    "events in events": Reply([WHOLE.replace(b"data: ", b"data: data: ")]),
    "a control character": Reply([WHOLE.replace(b'{"choices"', b'{"id": "a\tb", "choices"')]),
    "a message after its pieces": Reply(
        [sse(HELLO, WORLD, {"choices": [{"delta": {}, "message": {"content": "Hello world"}}]}, STOP, DONE)]
    ),
    "text that is an object": Reply([sse(part(content=[{"type": "text", "text": {"value": "Hello world"}}]), STOP)]),
    "usage that is none": Reply(
        [sse({**HELLO, "usage": [1]}, {**WORLD, "usage": "n/a"}, {**STOP, "usage": {"prompt_tokens": "x"}}, DONE)]
    ),
    "an end that is cut off": Reply([sse(HELLO, WORLD, STOP) + b"data: [DO"]),
    "a connection that drops after the end": Reply([sse(HELLO, WORLD, STOP)], end="drop"),
}


@pytest.mark.parametrize("reply", TOLERATED.values(), ids=TOLERATED)
async def test_nothing_is_lost(reply: Reply, server: WireServer) -> None:
    events = await collect(server, reply)
    assert texts(events) == {"thought": "", "answer": "Hello world"}
    assert events[-1] == Done("stop", None)


def read(*events: Any) -> list[Event]:
    """The events of an answer that ends as it should."""
    reader = ChatReader()
    payloads = [json.dumps(event) for event in events]
    return [*(delta for payload in payloads for delta in reader.read(payload)), *reader.finish(["[DONE]"])]


THOUGHTS: dict[str, dict[str, Any]] = {
    "another name": {"reasoning_text": "Hmm."},
    "the name of Anthropic": {"thinking": "Hmm."},
    "an object": {"thinking": {"content": "Hmm."}},
    "blocks": {"thinking_blocks": [{"type": "thinking", "thinking": "Hmm.", "signature": None}]},
    "both": {"reasoning_content": "Hmm.", "thinking_blocks": [{"type": "thinking", "thinking": "Hmm."}]},
    "reasoning in parts": {"reasoning": [{"type": "text", "text": "Hmm."}]},
    "reasoning content in parts": {"reasoning_content": [{"type": "text", "text": "Hmm."}]},
    "one detail": {"reasoning_details": {"type": "reasoning.text", "text": "Hmm."}},
    "encrypted details": {"reasoning_details": [{"type": "reasoning.encrypted", "data": "x"}, {"text": "Hmm."}]},
    "parts of reasoning": {"content": [{"type": "reasoning", "text": "Hmm."}]},
    "parts with a summary": {"content": [{"type": "reasoning", "summary": [{"type": "text", "text": "Hmm."}]}]},
    "parts in parts": {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hmm."}]}]},
}


@pytest.mark.parametrize("delta", THOUGHTS.values(), ids=THOUGHTS)
def test_thoughts_under_other_names(delta: dict[str, Any]) -> None:
    assert read(part(**delta), HELLO, STOP) == [Delta("Hmm.", "thought"), Delta("Hello")]


def test_a_thought_that_cannot_be_read_is_no_answer() -> None:
    assert read(part(content=[{"type": "redacted_thinking", "data": "x"}]), HELLO, STOP) == [Delta("Hello")]


def test_a_closing_tag_after_a_thought_that_came_apart() -> None:
    assert read(part(reasoning="Hmm."), part(content="</think>\n\nHello"), STOP)[1:] == [Delta("Hello")]


def call(arguments: Any = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"function": {"name": name, "arguments": arguments}, **more}


ONE, BOTH = [("a", {"x": 1})], [("a", {"x": 1}), ("b", {"y": 2})]
CALLS: dict[str, tuple[list[Any], list[tuple[str, Any]]]] = {
    "neither ids nor indexes": ([call('{"x": 1}', "a"), call('{"y": 2}', "b")], BOTH),
    "one index": ([call('{"x": 1}', "a", index=0), call('{"y": 2}', "b", index=0)], BOTH),
    "the same call twice": ([call('{"x": 1}', "a", index=0), call('{"x": 1}', "a", index=0)], [*ONE, *ONE]),
    "interleaved": (
        [
            call('{"x"', "a", index=0, id="1"),
            call('{"y"', "b", index=1, id="2"),
            call(":1}", "", index=0),
            call(":2}", "", index=1),
        ],
        BOTH,
    ),
    "a new id for each piece": ([call('{"x"', "a", index=0, id="1"), call(":1}", index=0, id="2")], ONE),
    "an index in text": ([call('{"x"', "a", index="0", id="1"), call(":1}", index=0)], ONE),
    "the whole call at the end": (
        [call('{"x"', "a", index=0, id="1"), call(":1}", index=0), call('{"x":1}', "a", index=0, id="1")],
        ONE,
    ),
    "an empty object first": ([call("{}", "a", index=0, id="1"), call('{"x":1}', index=0)], ONE),
    "an object": ([call({"x": 1}, "a", index=0, id="1")], ONE),
    "JSON in JSON in JSON": ([call(json.dumps('{"x":1}'), "a", index=0, id="1")], ONE),
    "a name in pieces": ([call(None, "a", index=0, id="1"), call('{"x":1}', "bc", index=0)], [("abc", {"x": 1})]),
    "the name in each piece": ([call('{"x"', "a", index=0, id="1"), call(":1}", "a", index=0, id="1")], ONE),
    "no function": ([{"index": 0, "id": "1", "name": "a", "arguments": '{"x":1}'}], ONE),
    "parameters": ([{"index": 0, "id": "1", "function": {"name": "a", "parameters": {"x": 1}}}], ONE),
    "no arguments": ([call(None, "a", index=0, id="1"), {"index": 0, "function": None}], [("a", {})]),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_of_tools(name: str) -> None:
    pieces, calls = CALLS[name]
    events = read(*(part(tool_calls=[piece]) for piece in pieces), part("tool_calls"))
    assert [(event.name, event.arguments) for event in events if isinstance(event, ToolCall)] == calls
    assert len({event.id for event in events if isinstance(event, ToolCall)}) == len(calls)


@pytest.mark.parametrize(
    "deltas",
    [
        [{"function_call": {"name": "a", "arguments": '{"x"'}}, {"function_call": {"arguments": ":1}"}}],
        [{"tool_calls": {"0": call('{"x":1}', "a", id="1")}}],
        [{"tool_calls": call('{"x":1}', "a", id="1")}],
    ],
)
def test_calls_in_other_places(deltas: list[dict[str, Any]]) -> None:
    [event] = read(*(part(**delta) for delta in deltas), part("tool_calls"))
    assert isinstance(event, ToolCall)
    assert (event.name, event.arguments) == ("a", {"x": 1})


@pytest.mark.parametrize(
    "pieces", [[call('{"x":1}</tool_call>', "a")], [call('"{"', "a")], [call('{"x":', "a")], [call("{}")]]
)
def test_calls_that_are_none(pieces: list[Any]) -> None:
    with pytest.raises(InvalidAnswer):
        read(part(tool_calls=pieces), part("tool_calls"))


def test_many_events_in_one_are_no_deep_recursion() -> None:
    with pytest.raises(Unreachable, match="not a chat chunk"):
        ChatReader().read('{"choices": []}' * 100_000)


async def test_many_pieces_of_a_call_take_linear_time() -> None:
    """Each looks like the beginning and the end of an object."""
    event = part(tool_calls=[call("{x}", index=0)] * 40_000)
    with pytest.raises(InvalidAnswer):
        read(part(tool_calls=[call("", "a", index=0, id="1")]), event, part("tool_calls"))


FAILURES: dict[str, tuple[bytes, type[BackendError], str]] = {
    "a number": (sse({"error": 500, "message": "boom"}, DONE), Rejected, "“boom”"),
    "JSON in a message": (sse({"error": {"message": '{"error": {"message": "boom"}}'}}), Rejected, "“boom”"),
    "the server behind a gateway": (
        sse({"error": {"code": 502, "message": "Provider returned error", "metadata": {"raw": "boom"}}}),
        Rejected,
        "Provider returned error: boom",
    ),
    "a status in words": (sse({"error": {"message": "Wait.", "status": "429 Too Many Requests"}}), Overloaded, "Wait"),
    "an extension of Groq": (
        sse({"choices": [{"delta": {}}], "x_groq": {"error": "over capacity"}}, DONE),
        Rejected,
        "over capacity",
    ),
    "an event with a capital": (sse("event: Error\ndata: boom"), Rejected, "“boom”"),
    "a page": (
        b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>x</body></html>",
        Rejected,
        "“Sign in”",
    ),
    "words as an event": (sse("data: Internal Server Error", DONE), Unreachable, "Internal Server Error"),
    "a call without a call": (sse(part("tool_calls"), DONE), Rejected, "without a call"),
    "gzip without a header": (gzip.compress(WHOLE), Unreachable, "compressed"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), Unreachable, "UTF-16"),
    "another dialect, not ended": (sse({"type": "message_start"}), Unreachable, "none of its events"),
    "a malformed event": (b'data: {"choices": [{"delta": {}},]}\n\n', Unreachable, "not a chat chunk"),
}


@pytest.mark.parametrize(("wire", "kind", "words"), FAILURES.values(), ids=FAILURES)
async def test_an_error_is_said(wire: bytes, kind: type[BackendError], words: str, server: WireServer) -> None:
    with pytest.raises(BackendError) as caught:
        await collect(server, Reply([wire]))
    assert type(caught.value) is kind
    assert words in caught.value.message


async def test_an_unknown_compression_is_said(server: WireServer) -> None:
    with pytest.raises(Unreachable, match="compressed with zstd"):
        await collect(server, Reply([b"\x28\xb5\x2f\xfd"], headers={"content-encoding": "zstd"}))


CUT = {
    "no end": sse(HELLO),
    "words instead of an end": sse(HELLO, "data: Internal Server Error", DONE),
    "a page instead of an end": sse(HELLO) + b"<html><head><title>502 Bad Gateway</title></head></html>",
    "no reason to finish, in text": sse({"choices": [{"delta": {"content": "Hello"}, "finish_reason": "null"}]}),
    "inside of an event": sse(HELLO) + b'data: {"choices": [{"del',
    **{reason: sse(HELLO, part(reason), DONE) for reason in ("failed", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY")},
}


@pytest.mark.parametrize("wire", CUT.values(), ids=CUT)
async def test_an_answer_that_is_cut_off_is_not_whole(wire: bytes, server: WireServer) -> None:
    server.on(CHAT, Reply([wire]))
    events = []
    with pytest.raises(Interrupted):
        async for event in connect(server).stream(REQUEST):
            events.append(event)
    assert events == [Delta("Hello")]
