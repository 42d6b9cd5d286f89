"""The OpenAI chat format as pure functions: events, requests and answers, read and written."""

from __future__ import annotations

import json

import pytest

from backends import (
    ChatRequest,
    Delta,
    Done,
    Interrupted,
    Message,
    Overloaded,
    Rejected,
    TokenLogprob,
    Unreachable,
    Usage,
)
from backends.chat.parts.usage import read_usage
from backends.chat.reader import ChatReader
from backends.chat.requests import chat_body, parse_chat_request, read_stream_flags
from backends.chat.sse import DONE, BadEvent, SSEDecoder, encode_event
from backends.chat.writer import ChatWriter, error_body
from tests.backends.recordings import OPENAI, part


def decode(*chunks: bytes) -> list[str]:
    decoder = SSEDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.flush()


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_events_cut_at_each_byte(newline: bytes) -> None:
    wire = newline.join(
        b": comment|event: x|data: one||data:two|data: \xf0\x9f\x99\x82|||id: 3"
        b"|data:  spaced|retry: 10||: end|data: [DONE]||".split(b"|")
    )
    expected = ["one", "two\n🙂", " spaced", "[DONE]"]
    assert decode(wire) == expected
    for at in range(len(wire)):
        assert decode(wire[:at], wire[at:]) == expected, at
    assert decode(*(bytes([byte]) for byte in wire)) == expected


@pytest.mark.parametrize("end", [b"", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\r\n\r"])
def test_the_last_event_with_any_end(end: bytes) -> None:
    assert decode(b"data: one\n\ndata: two" + end) == ["one", "two"]


def test_an_event_that_breaks_off_inside_a_character() -> None:
    with pytest.raises(BadEvent, match="inside a character"):
        decode("data: 🙂".encode()[:-1])


def test_an_event_that_never_ends() -> None:
    decoder = SSEDecoder()
    with pytest.raises(BadEvent, match="more than 8 MiB"):
        for _ in range(9):
            decoder.feed(b"data: " + b"x" * (1 << 20))


def test_many_lines_of_one_event_that_never_ends() -> None:
    decoder = SSEDecoder()
    with pytest.raises(BadEvent, match="more than 8 MiB"):
        for _ in range(9):
            decoder.feed(b"data: " + b"x" * (1 << 20) + b"\n")


def test_events_survive_encoding() -> None:
    for data in ("one", "two\nlines", "", {"a": "ü\n🙂"}):
        text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        assert decode(encode_event(data)) == [text]


REQUESTS = [
    ChatRequest([Message("user", "Hi")]),
    ChatRequest([Message("system", "S"), Message("user", "ü 🙂"), Message("assistant", "")], model="m", max_tokens=1),
    ChatRequest([Message("user", "x")], temperature=0.0, top_p=0.5, stop=("a", "b"), seed=0),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_survives_encoding(request_: ChatRequest) -> None:
    assert parse_chat_request(json.loads(json.dumps(chat_body(request_)))) == request_


def test_the_request_s_model_takes_precedence() -> None:
    assert chat_body(REQUESTS[1], model="target")["model"] == "m"
    assert chat_body(REQUESTS[0], model="target")["model"] == "target"
    assert "stream_options" not in chat_body(REQUESTS[0], stream=False)


def test_a_body_of_other_clients() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    body = {"messages": [{"role": "user", "content": content}], "max_completion_tokens": 7, "stop": "END", "model": ""}
    assert parse_chat_request(body) == ChatRequest([Message("user", "ab")], max_tokens=7, stop=("END",))
    assert parse_chat_request({"messages": [{"role": "user", "content": "x"}], "temperature": None}).temperature == 0.2


HI = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "messages is missing"),
        ({"messages": "hi"}, "messages is text"),
        ({"messages": []}, "messages is empty"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\].content is missing"),
        ({"messages": [{"content": "x"}]}, r"role of messages\[0\] is missing"),
        (
            {"messages": [HI, {"role": "wizard", "content": "x"}]},
            r"messages\[1\] is 'wizard', not one of system",
        ),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "is a list"),
        ({"messages": ["hi"]}, "is text, not an object"),
        ({"messages": [{"role": "user", "content": 3}]}, "content is 3, not text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "picture of .* is not a data URL",
        ),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "neither text nor a picture"),
        ({"messages": [HI], "stop": 3}, "stop is neither text nor a list"),
        ({"messages": [HI], "stop": ["a", 3]}, "stop is neither"),
        ({"messages": [HI], "stop": ["a"] * 17}, "stop has 17 texts"),
        ({"messages": [HI], "max_tokens": 0}, "max_tokens is 0, not a whole number from 1"),
        ({"messages": [HI], "max_tokens": "7"}, "max_tokens is text"),
        ({"messages": [HI], "max_tokens": True}, "max_tokens is true"),
        ({"messages": [HI], "max_tokens": 1e400}, "max_tokens is inf"),
        ({"messages": [HI], "temperature": 3}, "temperature is 3, not a number from 0 to 2"),
        ({"messages": [HI], "temperature": float("nan")}, "temperature is nan"),
        ({"messages": [HI], "top_p": "high"}, "top_p is text"),
        ({"messages": [HI], "logprobs": 3}, "logprobs is 3"),
        ({"messages": [HI], "top_logprobs": 3}, "top_logprobs needs logprobs"),
        ({"messages": [HI], "logprobs": True, "top_logprobs": 21}, "top_logprobs is 21; the maximum is 20"),
        ({"messages": [HI], "seed": 1.5}, "seed is 1.5, not a whole number"),
        ({"messages": [HI], "model": 3}, "model is 3, not text"),
        (["messages"], "it is a list, not an object"),
        (None, "it is missing"),
    ],
)
def test_a_body_that_is_no_chat_completion(body: object, message: str) -> None:
    with pytest.raises(Rejected, match=message) as caught:
        parse_chat_request(body)
    assert caught.value.status == 400
    assert "not a chat completion" in caught.value.message


@pytest.mark.parametrize(
    "option",
    [
        {"n": 2},
        {"logit_bias": {"1": 2}},
    ],
)
def test_an_unsupported_option_is_named(option: dict[str, object]) -> None:
    with pytest.raises(Rejected, match=f"{next(iter(option))} is not supported"):
        parse_chat_request({"messages": [HI], **option})


def test_options_without_an_effect_are_accepted() -> None:
    defaults = {"n": 1, "tools": [], "logprobs": False, "frequency_penalty": 0.0, "user": "x", "max_tokens": 7.0}
    assert parse_chat_request({"messages": [HI], **defaults}) == ChatRequest([Message("user", "Hi")], max_tokens=7)


def test_a_developer_is_the_system_and_surrogates_are_joined() -> None:
    body = {"messages": [{"role": "developer", "content": "a\ud83d\ude42"}, {"role": "user", "content": "b\ud83d"}]}
    assert parse_chat_request(body).messages == (Message("system", "a🙂"), Message("user", "b\ufffd"))


def test_stream_flags() -> None:
    assert read_stream_flags({}) == (False, False)
    assert read_stream_flags({"stream": True, "stream_options": {"include_usage": True}}) == (True, True)
    for body in ({"stream": "yes"}, {"stream_options": 3}, {"stream_options": {"include_usage": 1}}):
        with pytest.raises(Rejected, match="not a chat completion"):
            read_stream_flags(body)


def test_an_answer_in_one_piece() -> None:
    writer = ChatWriter(answer_id="a", model="m", created=1)
    whole = writer.whole([Delta("hm", "thought"), Delta("so "), Delta("it is")], Done("length", Usage(1, 2)))
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "so it is", "reasoning_content": "hm"}
    assert read(whole, DONE) == (
        [
            Delta("hm", "thought"),
            Delta("so it is"),
        ],
        Done("length", Usage(1, 2)),
    )


@pytest.mark.parametrize("streams", [False, True])
def test_log_probabilities_are_read_as_they_were_written(streams: bool) -> None:
    tokens = (TokenLogprob("so", -0.25, (("so", -0.25), ("it", -9999.0))), TokenLogprob(" it", 0.0))
    writer, done = ChatWriter(answer_id="a", model="m", created=1), Done("stop", None, tokens)
    events = writer.closing(done) if streams else [writer.whole([Delta("so it")], done)]
    assert read(*events, DONE)[1] == done


def test_log_probabilities_come_with_each_chunk_and_can_be_none() -> None:
    chunks = [part(content=text) for text in ("a", "b")]
    for chunk, number in zip(chunks, (-1, None), strict=True):
        item = {"token": "x", "logprob": number, "bytes": None, "top_logprobs": [{"token": "y", "logprob": -2.5}]}
        chunk["choices"][0]["logprobs"] = {"content": [item]}
    last = part("stop")
    last["choices"][0]["logprobs"] = {"content": None}
    _, done = read(*chunks, last, DONE)
    assert done.logprobs == (TokenLogprob("x", -1, (("y", -2.5),)), TokenLogprob("x", -9999, (("y", -2.5),)))


@pytest.mark.parametrize("alternatives", [None, 0, 3])
def test_a_request_for_log_probabilities_is_read_as_it_was_written(alternatives: int | None) -> None:
    request = ChatRequest([Message("user", "Hi")], logprobs=alternatives)
    body = chat_body(request)
    assert ("top_logprobs" in body) == bool(alternatives)
    assert parse_chat_request(body) == request


def test_an_error_is_read_back_as_an_error() -> None:
    for error, status in ((Rejected("No.", "Ask better.", status=400), 400), (Overloaded("Full."), 429)):
        with pytest.raises(type(error), match=error.message):
            read(error_body(error, status))


def read(*events: object) -> tuple[list[Delta], Done]:
    reader = ChatReader()
    payloads = [event if isinstance(event, str) else json.dumps(event) for event in events]
    deltas = [delta for payload in payloads for delta in reader.read(payload)]
    return [*deltas, *reader.finish()], reader.done


def test_events_without_text_have_no_delta() -> None:
    silent = [part(role="assistant", content=""), part(content=None), {"choices": []}, {"choices": [{"delta": None}]}]
    assert read(*silent, part("stop"), DONE) == ([], Done("stop", None))


def test_usage_with_its_details() -> None:
    fields = {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 0}}
    more = {"completion_tokens_details": {"reasoning_tokens": 5}}
    assert read({"choices": [], "usage": fields | more}, part("stop"), DONE)[1].usage == Usage(1, 2, 0, 5)
    assert read({"choices": [], "usage": None}, part("stop"), DONE)[1].usage is None


def test_a_thought_under_both_names_is_one_delta() -> None:
    deltas, _ = read(part(reasoning="hm", reasoning_content="hm"), part("stop", content="so"), DONE)
    assert deltas == [Delta("hm", "thought"), Delta("so")]


def test_a_thought_beside_a_text_is_not_lost() -> None:
    reader = ChatReader()
    chunk = json.dumps(part(content="a", reasoning_content="b"))
    assert reader.read(chunk) == reader.read(chunk) == [Delta("b", "thought"), Delta("a")]


def test_a_character_cut_in_two_is_joined_in_thoughts_too() -> None:
    deltas, _ = read(part(reasoning_content="a\ud83d"), part(reasoning_content="\ude42b"), part("stop", content="!"))
    assert "".join(delta.text for delta in deltas) == "a🙂b!"
    assert all(delta.text.encode() for delta in deltas)


def test_lone_surrogates_become_replacement_characters() -> None:
    for text in ("\ud83dx", "x\ude42", "\ud83d"):
        deltas, _ = read(part(content=text), part(reasoning_content=text), part("stop"))
        assert all(delta.text.encode() for delta in deltas)
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        for kind in ("answer", "thought"):
            assert "".join(delta.text for delta in deltas if delta.kind == kind) == whole


MALFORMED = ["{", "[]", "3", '"x"', '{"choices": 3}', '{"choices": [3]}', '{"choices": [{"delta": 3}]}']


@pytest.mark.parametrize("payload", MALFORMED)
def test_a_malformed_chunk(payload: str) -> None:
    with pytest.raises(Unreachable, match="not a chat chunk"):
        read(payload)
    with pytest.raises(Interrupted, match="not a chat chunk"):
        read(part(content="Hi"), payload)


def test_errors_in_the_stream() -> None:
    failure = {"error": {"message": "out of memory", "code": 500}}
    with pytest.raises(Rejected, match="out of memory") as caught:
        read(failure)
    assert caught.value.status == 500
    with pytest.raises(Overloaded, match="busy"):
        read({"error": {"message": "slow down", "code": 429}})
    with pytest.raises(Rejected, match="just text"):
        read({"error": "just text"})
    with pytest.raises(Interrupted, match="out of memory"):
        read(part(content="Hi"), failure)
    with pytest.raises(Interrupted, match="out of memory"):
        read(part(content="Hi"), failure | part("error"))


def test_an_end_without_a_finish_reason() -> None:
    with pytest.raises(Unreachable, match="gave no answer"):
        read()
    with pytest.raises(Interrupted, match="cut off"):
        read(part(content="Hi"))
    with pytest.raises(Interrupted, match="cut off"):
        read(part(content="<"))  # text held back counts as output


def test_a_reader_reads_what_a_writer_writes() -> None:
    deltas = [Delta("Hm 🙂", "thought"), Delta("So "), Delta("it < is.")]
    done = Done("length", Usage(3, 4, 1, 2))
    writer = ChatWriter(answer_id="a1", model="m", created=1)
    chunks = [writer.opening(), *map(writer.delta, deltas), *writer.closing(done), DONE]
    payloads = decode(b"".join(map(encode_event, chunks)))
    reader = ChatReader()
    read_deltas = [delta for payload in payloads for delta in reader.read(payload)]
    assert [*read_deltas, *reader.finish()] == deltas
    assert reader.done == done
    assert reader.complete


@pytest.mark.parametrize("text", ['say "hi"', "two\nlines\r", "tab\t \\ {} }} %s", "Größe 🙂", "\u2028\x7f", ""])
def test_a_delta_becomes_a_chunk(text: str) -> None:
    writer = ChatWriter(answer_id='a"}1', model='m""}', created=1)
    for kind, name in (("answer", "content"), ("thought", "reasoning_content")):
        choice = {"index": 0, "delta": {name: text}, "finish_reason": None}
        chunk = {"id": 'a"}1', "object": "chat.completion.chunk", "created": 1, "model": 'm""}', "choices": [choice]}
        (event,) = decode(encode_event(writer.delta(Delta(text, kind))))
        assert json.loads(event) == chunk


def test_the_recorded_answer() -> None:
    deltas, done = read(*decode(OPENAI.wire))
    assert "".join(delta.text for delta in deltas if delta.kind == "answer") == OPENAI.answer
    assert done.usage == OPENAI.usage


@pytest.mark.parametrize("count", [None, "8", True, -1, 7.5, float("nan"), 10**12, [8]])
def test_an_invalid_count_is_not_reported(count: object) -> None:
    assert read_usage({"prompt_tokens": 3, "completion_tokens": count}) is None
    usage = read_usage({"prompt_tokens": 3, "completion_tokens": 8, "prompt_tokens_details": {"cached_tokens": count}})
    assert usage == Usage(3, 8, None)


def test_the_counts_under_other_names() -> None:
    assert read_usage({"input_tokens": 3, "output_tokens": 8}) == Usage(3, 8)
    assert read_usage({"prompt_tokens": 3}) == Usage(3, 0)
    assert read_usage({"total_tokens": 11}) is None


def test_a_count_that_is_a_float() -> None:
    assert read_usage({"prompt_tokens": 3.0, "completion_tokens": 8.0}) == Usage(3, 8)


def test_a_servers_words_are_one_line_without_control_characters() -> None:
    reader = ChatReader()
    with pytest.raises(Rejected) as caught:
        reader.read(json.dumps({"error": {"message": "\x1b[31mbad\x1b[0m\nhalf \ud800 pair"}}))
    assert caught.value.message == "The server failed: “[31mbad[0m half pair”."


def test_a_finish_reason_can_be_encoded() -> None:
    reader = ChatReader()
    reader.read('{"choices": [{"delta": {}, "finish_reason": "\\ud800stop"}]}')
    assert reader.done.finish_reason == "stop"
