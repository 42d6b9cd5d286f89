"""Answers that real servers and gateways send beside the format: read, or an error with the server's words."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from backends import (
    Backend,
    BackendError,
    Catalog,
    Delta,
    Done,
    Event,
    Interrupted,
    Overloaded,
    Rejected,
    Unreachable,
)
from tests.backends.recordings import REQUEST, part, sse
from tests.backends.wire_server import Reply, WireServer
from tests.conftest import DATA, missing

CHAT = "/v1/chat/completions"
DONE = "data: [DONE]"
HELLO, WORLD, STOP = part(content="Hello"), part(content=" world"), part("stop")
WHOLE = sse(HELLO, WORLD, STOP, DONE)


def connect(server: WireServer, **more: Any) -> Backend:
    return Catalog({"x": {"kind": "openai", "url": server.url, "model": "m"} | more}, source="test").connect("x")


async def collect(server: WireServer, *replies: Reply, **settings: Any) -> list[Event]:
    server.on(CHAT, *replies)
    return [event async for event in connect(server, **settings).stream(REQUEST)]


def texts(events: list[Event]) -> dict[str, str]:
    joined = {"thought": "", "answer": ""}
    for event in events:
        if isinstance(event, Delta):
            joined[event.kind] += event.text
    return joined


def lines(*events: Any) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


TOLERATED = {
    "a byte order mark": Reply([b"\xef", b"\xbb", b"\xbf" + WHOLE]),
    "an end marker with blanks": Reply([sse(HELLO, WORLD, STOP, "data:  [DONE] ")]),
    "an end marker in quotes": Reply([sse(HELLO, WORLD, STOP, 'data: "[DONE]"')]),
    "empty data": Reply([sse(HELLO, "data:", WORLD, "data:  ", STOP, DONE)]),
    "one line end after each event": Reply([WHOLE.replace(b"\n\n", b"\n")]),
    "compressed": Reply([gzip.compress(WHOLE)], headers={"content-encoding": "gzip"}),
    "events of the type JSON": Reply([WHOLE[:3], WHOLE[3:]], type="application/json"),
    "events of the type HTML": Reply([WHOLE], type="text/html; charset=utf-8"),
    "lines of JSON of the type events": Reply([lines(HELLO, WORLD, STOP)]),
    "lines of JSON of the type JSON": Reply([lines(HELLO, WORLD, STOP)], type="application/json"),
    "a document of the type events": Reply(
        [json.dumps({"choices": [{"message": {"content": "Hello world"}, "finish_reason": "stop"}]}, indent=1).encode()]
    ),
    "several answers": Reply(
        [
            sse(
                {"choices": [{"index": 1, "delta": {"content": "OTHER"}}]},
                {"choices": [{"index": 1, "delta": {"content": "OTHER"}}, {"index": 0, "delta": {"content": "Hello"}}]},
                WORLD,
                {"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]},
                STOP,
                DONE,
            )
        ]
    ),
    "an answer that is counted from one": Reply(
        [
            sse(
                {"choices": [{"index": 1, "delta": {"content": "Hello"}}]},
                {
                    "choices": [
                        {"index": 1, "delta": {"content": " world"}},
                        {"index": 2, "delta": {"content": "OTHER"}},
                    ]
                },
                {"choices": [{"index": 2, "delta": {"content": "NO"}}]},
                {"choices": [{"index": 1, "delta": {}, "finish_reason": "stop"}]},
                DONE,
            )
        ]
    ),
    "an index in text": Reply(
        [sse({"choices": [{"index": "0", "delta": {"content": "Hello world"}, "finish_reason": "stop"}]}, DONE)]
    ),
    "content in parts": Reply(
        [sse(part(content=[{"type": "text", "text": "Hello"}]), part(content={"text": " world"}), STOP, DONE)]
    ),
    "the older route": Reply(
        [sse({"object": "text_completion", "choices": [{"text": "Hello world", "finish_reason": "stop"}]}, DONE)]
    ),
}


@pytest.mark.parametrize("reply", TOLERATED.values(), ids=TOLERATED)
async def test_nothing_is_lost(reply: Reply, server: WireServer) -> None:
    events = await collect(server, reply)
    assert texts(events) == {"thought": "", "answer": "Hello world"}
    assert events[-1] == Done("stop", None)


async def test_a_bad_byte_costs_one_character(server: WireServer) -> None:
    events = await collect(server, Reply([WHOLE.replace(b"Hello", b"Hel\xfflo")]))
    assert texts(events)["answer"] == "Hel\ufffdlo world"


THOUGHTS = {
    "reasoning": [part(reasoning="Hmm."), HELLO],
    "details": [part(reasoning_details=[{"type": "reasoning.text", "text": "Hmm."}]), HELLO],
    "a summary": [part(reasoning_details=[{"type": "reasoning.summary", "summary": "Hmm."}]), HELLO],
    "parts": [part(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "Hmm."}]}]), HELLO],
    "parts of text": [part(content=[{"type": "thinking", "thinking": "Hmm."}, {"type": "text", "text": "Hello"}])],
    "tags": [part(content="<think>Hmm.</think>\n\nHello")],
    "other tags": [part(content="[THINK]Hmm.[/TH"), part(content="INK]Hello")],
    "channels": [
        part(content="<|channel|>analysis<|message|>Hmm.<|end|><|start|>assistant<|channel|>final<|message|>Hello")
    ],
}


@pytest.mark.parametrize("events", THOUGHTS.values(), ids=THOUGHTS)
async def test_thoughts_are_apart(events: list[Any], server: WireServer) -> None:
    received = await collect(server, Reply([sse(*events, STOP, DONE)]))
    assert texts(received) == {"thought": "Hmm.", "answer": "Hello"}


async def test_a_template_that_opens_the_thought(server: WireServer) -> None:
    reply = Reply([sse(part(content="Hmm."), part(content="</think>\n\nHello"), STOP, DONE)])
    assert texts(await collect(server, reply, reasoning="opened")) == {"thought": "Hmm.", "answer": "Hello"}
    apart = Reply([sse(part(reasoning_content="Hmm."), HELLO, STOP, DONE)])
    assert texts(await collect(server, apart, reasoning="opened")) == {"thought": "Hmm.", "answer": "Hello"}


async def test_a_tag_in_an_answer_stays(server: WireServer) -> None:
    text = "HTML has no tag named <think>, and text after it must show."
    assert texts(await collect(server, Reply([sse(part(content=text), STOP, DONE)])))["answer"] == text


FAILURES: dict[str, tuple[bytes, type[BackendError], str]] = {
    "an error object": (sse({"error": {"message": "out of memory", "code": 500}}, DONE), Rejected, "out of memory"),
    "a code in text": (sse({"error": {"message": "Limit reached", "code": "429"}}, DONE), Overloaded, "Limit reached"),
    "a kind of error": (sse({"error": {"message": "Later", "type": "overloaded_error"}}), Overloaded, "Later"),
    "no quota": (sse({"error": {"message": "Pay", "code": "insufficient_quota"}}), Rejected, "no quota left: “Pay”"),
    "an error in a choice": (
        sse({"choices": [{"index": 0, "delta": {}, "error": {"message": "upstream died"}}]}, DONE),
        Rejected,
        "upstream died",
    ),
    "an event named error": (sse('event: error\ndata: {"message": "overloaded"}', DONE), Rejected, "overloaded"),
    "an event named error, in words": (sse("event: error\ndata: no GPU left", DONE), Rejected, "no GPU left"),
    "a status": (sse('event: error\ndata: {"message": "wait", "status": 503}', DONE), Overloaded, "wait"),
    "an object of errors": (
        sse({"object": "error", "message": "maximum context length", "code": 400}, DONE),
        Rejected,
        "maximum context length",
    ),
    "a line of an error": (b'error: {"code":500,"message":"context shift failed"}\n\n', Rejected, "context shift"),
    "plain text": (b"Internal Server Error", Rejected, "Internal Server Error"),
    "a list of errors": (sse({"errors": [{"message": "Wait", "code": "429"}]}, DONE), Overloaded, "Wait"),
    "errors in text": (sse({"errors": ["no such model"]}, DONE), Rejected, "no such model"),
    "errors by field": (sse({"errors": {"n": ["too large"]}}, DONE), Rejected, "too large"),
    "a message of a gateway": (sse({"code": 503, "msg": "upstream died", "data": None}, DONE), Overloaded, "upstream"),
    "a code and a message": (sse({"error_code": 336003, "error_msg": "bad prompt"}), Rejected, "bad prompt"),
    "a status of the answer": (
        sse({"choices": None, "base_resp": {"status_code": 1004, "status_msg": "login fail"}}, DONE),
        Rejected,
        "login fail",
    ),
    "a list of details": (
        sse({"detail": [{"loc": ["body", "n"], "msg": "too large", "type": "less_than"}]}, DONE),
        Rejected,
        "“body.n: too large”",
    ),
    "a failed response": (
        sse(
            'event: response.failed\ndata: {"type": "response.failed", "response": '
            '{"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down"}}}'
        ),
        Overloaded,
        "Slow down",
    ),
    "an error event of a response": (
        sse({"type": "error", "code": "server_error", "message": "no GPU", "param": None}, DONE),
        Rejected,
        "no GPU",
    ),
    "words in JSON": (sse({"detail": "Model is loading"}, DONE), Rejected, "Model is loading"),
    "a refusal": (sse(part(refusal="I can't "), part(refusal="help."), STOP, DONE), Rejected, "“I can't help”."),
    "a filter": (sse(part("content_filter"), DONE), Rejected, "content_filter"),
    "a filter of another server": (sse(part("SAFETY"), DONE), Rejected, "SAFETY"),
    "the reason error": (sse(part("error"), DONE), Rejected, "finish_reason error"),
    "no answer": (sse(DONE), Unreachable, "none of its events"),
    "another dialect": (sse({"type": "message_start"}, {"type": "message_stop"}, DONE), Unreachable, "none of its"),
}


@pytest.mark.parametrize(("wire", "kind", "words"), FAILURES.values(), ids=FAILURES)
async def test_an_error_is_never_an_empty_answer(
    wire: bytes, kind: type[BackendError], words: str, server: WireServer
) -> None:
    with pytest.raises(BackendError) as caught:
        await collect(server, Reply([wire]))
    assert type(caught.value) is kind
    assert words in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (part("error"), "finish_reason error"),
        (part("content_filter"), "filter"),
        (part("stop", refusal="No more."), "No more."),
        ({"error": "broken pipe"}, "broken pipe"),
        ({"errors": [{"message": "broken pipe"}]}, "broken pipe"),
        ({"type": "response.failed", "response": {"error": {"message": "no memory"}}}, "no memory"),
    ],
)
async def test_an_error_after_text_keeps_the_text(last: Any, words: str, server: WireServer) -> None:
    server.on(CHAT, Reply([sse(HELLO, last, DONE)]))
    events = []
    with pytest.raises(Interrupted, match=words):
        async for event in connect(server).stream(REQUEST):
            events.append(event)
    assert events == [Delta("Hello")]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"errors": [{"message": "no GPU"}]}, "no GPU"),
        ({"code": 500, "msg": "no GPU"}, "no GPU"),
        ({"detail": [{"loc": ["body"], "msg": "no model"}]}, "body: no model"),
        ({"error": True, "message": "no GPU"}, "no GPU"),
        ({"max_tokens": ["too large"]}, "too large"),
    ],
)
@pytest.mark.parametrize("status", [200, 422])
async def test_a_document_of_an_error(document: Any, words: str, status: int, server: WireServer) -> None:
    with pytest.raises(BackendError, match=words):
        await collect(server, Reply.json(document, status))


async def test_text_that_may_be_a_tag_is_kept_at_an_error(server: WireServer) -> None:
    server.on(CHAT, Reply([sse(part(content="<th"))]))
    events = []
    with pytest.raises(Interrupted):
        async for event in connect(server).stream(REQUEST):
            events.append(event)
    assert events == [Delta("<th")]


def refused(message: str, **fields: Any) -> Reply:
    return Reply.json({"error": {"message": message, "type": "invalid_request_error", **fields}}, 400)


async def test_a_newer_name_of_the_limit_is_learned(server: WireServer) -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    backend = connect(server)
    server.on(CHAT, refused(message, param="max_tokens"), Reply([WHOLE]))
    assert texts([event async for event in backend.stream(REQUEST)])["answer"] == "Hello world"
    assert texts([event async for event in backend.stream(REQUEST)])["answer"] == "Hello world"
    bodies = [request.json for request in server.requests(CHAT)]
    assert [list({"max_tokens", "max_completion_tokens"} & body.keys()) for body in bodies] == [
        ["max_tokens"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ]


async def test_parameters_that_a_server_refuses_are_left_out(server: WireServer) -> None:
    server.on(
        CHAT,
        refused("Unrecognized request argument supplied: stream_options"),
        refused("'temperature' does not support 0.2 with this model."),
        refused("top_p is deprecated for this model."),
        refused("seed is not allowed."),
        Reply([WHOLE]),
    )
    request = replace(REQUEST, top_p=0.9, seed=1)
    assert texts([event async for event in connect(server).stream(request)])["answer"] == "Hello world"
    body = server.requests(CHAT)[-1].json
    assert not {"stream_options", "temperature", "top_p", "seed"} & body.keys()
    assert "max_tokens" in body


@pytest.mark.parametrize("message", ["temperature must be at most 2", "stop is not supported", "messages: unexpected"])
async def test_other_refusals_are_errors(message: str, server: WireServer) -> None:
    with pytest.raises(Rejected, match=message):
        await collect(server, refused(message))
    assert len(server.requests(CHAT)) == 1


async def test_parameters_of_the_catalogue(server: WireServer) -> None:
    settings: dict[str, Any] = {"max_tokens_field": "max_completion_tokens", "drop": ["stream_options", "seed"]}
    await collect(server, Reply([WHOLE]), **settings)
    body = server.requests(CHAT)[0].json
    assert "max_completion_tokens" in body
    assert not {"max_tokens", "stream_options"} & body.keys()


async def test_a_quota_is_no_busy_server(server: WireServer) -> None:
    reply = Reply.json({"error": {"message": "You exceeded your quota.", "type": "insufficient_quota"}}, 429)
    with pytest.raises(Rejected, match="no quota left") as caught:
        await collect(server, reply)
    assert "billing" in caught.value.remedy


async def test_milliseconds_to_wait(server: WireServer) -> None:
    reply = Reply.json({"error": {"message": "Too many requests"}}, 429, **{"retry-after-ms": "1500"})
    with pytest.raises(Overloaded) as caught:
        await collect(server, reply)
    assert caught.value.retry_after == 1.5


@pytest.mark.parametrize(("path", "words"), [("/v1/v1", "/v1 twice"), ("/prefix", "ends in /v1")])
async def test_a_path_without_the_route(path: str, words: str, server: WireServer) -> None:
    backend = Catalog({"x": {"kind": "openai", "url": server.url + path, "model": "m"}}, source="test").connect("x")
    with pytest.raises(Rejected) as caught:
        async for _ in backend.stream(REQUEST):
            pass
    assert words in caught.value.remedy


async def test_a_key_with_the_word_bearer(server: WireServer) -> None:
    await collect(server, Reply([WHOLE]), api_key="Bearer sk-1")
    assert server.received_requests[-1].headers["authorization"] == "Bearer sk-1"


# The outcome of each recorded response: the answer, or the error and its words.
CASES = DATA / "cases" / "server"
RECORDED: dict[str, str | tuple[type[BackendError], str]] = {
    "bad_utf8": "Hel\ufffdlo world",
    "bom": "Hello world",
    "content_filter_empty": (Rejected, "content_filter"),
    "content_list_magistral": "Hello world",
    "done_trailing_space": "Hello world",
    "e400_max_tokens": (Rejected, "max_completion_tokens"),
    "e400_stream_options": (Rejected, "stream_options"),
    "e429_ms": (Overloaded, "Too many requests"),
    "e429_quota": (Rejected, "no quota left"),
    "empty_data_keepalive": "Hello world",
    "err_str_code_429": (Overloaded, "Rate limit reached"),
    "error_line_llama": (Rejected, "context shift failed"),
    "event_error_no_key": (Overloaded, "overloaded"),
    "event_error_then_done": (Overloaded, "overloaded"),
    "finish_error_no_error": (Interrupted, "finish_reason error"),
    "gzip": "Hello world",
    "harmony_raw": "Hello",
    "json_ct_sse_body": "Hello world",
    "jsonl_without_data_sse_ct": "Hello world",
    "n2_choices": "Hello world",
    "nul_and_escape": "a\x00b\x1b[31mred",
    "plain_text_error": (Rejected, "Internal Server Error"),
    "reasoning_details_only": "Hello",
    "refusal": (Rejected, "I can't help with that"),
    "single_newline": "Hello world",
    "text_completion": "Hello world",
    "think_literal_in_answer": "HTML has no tag named <think>, and text after it must show.",
    "think_unopened": "Hello",
    "vllm_old_error": (Rejected, "maximum context length"),
}


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_response(name: str, server: WireServer) -> None:
    if not CASES.is_dir():
        missing(f"recorded responses in {CASES}")
    head, _, body = (CASES / f"{name}.http").read_bytes().partition(b"\r\n\r\n")
    status, *fields = head.decode().split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (field.partition(":") for field in fields)}
    reply = Reply([body], int(status.split()[1]), headers.pop("content-type"), headers)
    reasoning, outcome = "opened" if name == "think_unopened" else "auto", RECORDED[name]
    if isinstance(outcome, str):
        assert texts(await collect(server, reply, reasoning=reasoning))["answer"] == outcome
    else:
        with pytest.raises(outcome[0], match=re.escape(outcome[1])):
            await collect(server, reply)
