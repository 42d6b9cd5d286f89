"""Invalid requests: each gets a status, an error body in the OpenAI format, and a request ID."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.inference.servers import CLIENT, Server, question

CHAT = "/v1/chat/completions"
ROUTES = (CHAT, "/invocations", "/predict")
USER = {"role": "user", "content": "Hi"}
DEEP = b'{"messages": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"


def assert_rejected(answer: httpx2.Response, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["code"] == status
    assert error["type"] == "invalid_request_error"
    for word in words:
        assert word in error["message"]
    assert answer.headers["x-request-id"]


TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather of a town"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def deep_tool(depth: int, **innermost: int) -> dict[str, Any]:
    """A tool whose schema is deeper than Python's stack."""
    schema: dict[str, Any] = dict(innermost)
    for _ in range(depth):
        schema = {"items": schema}
    return {"type": "function", "function": {"name": "deep", "parameters": schema}}


MANY = {"type": "array", "items": {"type": "string"}, "maxItems": 10_000_000}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"not json", "not JSON"),
        (DEEP, "nested too deeply"),
        (b'{"messages": [{"role": "user", "content": "\xff\xfe"}]}', "not JSON"),
        (b'{"messages": %s}' % (b"1" * 5000), "not JSON"),
        (b"[1]", "not a chat completion"),
        (b'"text"', "not a chat completion"),
        (b"null", "not a chat completion"),
    ],
    ids=lambda value: value[:12] if isinstance(value, bytes) else "",
)
def test_body_that_is_not_a_json_object(server: Server, route: str, content: bytes, reason: str) -> None:
    assert_rejected(server.post(route, content=content), 400, reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"messages": []}, "messages is empty"),
        ({"messages": None}, "messages is missing"),
        ({"messages": "Hi"}, "messages is text"),
        ({"messages": ["Hi"]}, "messages[0] is text"),
        ({"messages": [USER, {"role": "wizard", "content": "Hi"}]}, "the role of messages[1] is 'wizard'"),
        ({"messages": [{"content": "Hi"}]}, "the role of messages[0] is missing"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content is 7"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "is not a data URL"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "takes no pictures"),
        ({"max_tokens": "ten"}, "max_tokens is text"),
        ({"max_tokens": 0}, "max_tokens is 0"),
        ({"max_tokens": 1.5}, "max_tokens is 1.5"),
        ({"temperature": "warm"}, "temperature is text"),
        ({"temperature": 3}, "temperature is 3"),
        ({"temperature": True}, "temperature is true"),
        ({"top_p": -1}, "top_p is -1"),
        ({"stream": "yes"}, "stream is text"),
        ({"stream_options": 1}, "stream_options is 1"),
        ({"stop": 1}, "stop is neither"),
        ({"stop": ["a"] * 17}, "stop has 17"),
        ({"model": 7}, "model is 7"),
        ({"n": 2}, "n is not supported"),
        ({"tools": [{"type": "function"}]}, "not a function with a name"),
        ({"tools": [TOOL]}, "can't call tools"),
        ({"tools": [TOOL] * 400}, "The tools and the schema have"),
        ({"response_format": {"type": "grammar"}}, "response_format is not"),
        ({"tools": [TOOL, deep_tool(900, maxItems=1001)]}, "more than 1,000 items"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": MANY}}}, "more than 1,000 items"),
        ({"top_logprobs": 2}, "top_logprobs needs logprobs"),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else "",
)
def test_error_names_an_invalid_field(server: Server, change: dict[str, Any], reason: str) -> None:
    for stream in (False, True):
        assert_rejected(server.post(CHAT, {"messages": [USER], "stream": stream, **change}), 400, reason)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_nan_and_infinity_are_rejected(server: Server, number: str) -> None:
    for field in ("temperature", "max_tokens", "top_p", "seed"):
        body = f'{{"messages": [{{"role": "user", "content": "Hi"}}], "{field}": {number}}}'
        assert_rejected(server.post(CHAT, content=body.encode()), 400, field)


@pytest.mark.parametrize("field", ["content", "stop"])
def test_lone_surrogate_in_text_is_accepted(server: Server, field: str) -> None:
    content = '"Hi \\ud83d"' if field == "content" else '"Hi"'
    stop = ', "stop": ["\\ud83d"]' if field == "stop" else ""
    body = f'{{"messages": [{{"role": "user", "content": {content}}}], "max_tokens": 2{stop}}}'
    answer = server.post(CHAT, content=body.encode())
    assert answer.status_code == 200, answer.text


def test_lone_surrogate_in_a_name_is_rejected(server: Server) -> None:
    body = b'{"messages": [{"role": "%s", "content": "Hi"}], "model": "%s"}'
    assert_rejected(server.post(CHAT, content=body % (b"\\ud83d", b"")), 400, "role")
    assert_rejected(server.post(CHAT, content=body % (b"user", b"\\ud83d")), 404, "no model")


@pytest.mark.parametrize("stream", [False, True])
def test_error_for_a_long_prompt_names_both_lengths(server: Server, stream: bool) -> None:
    answer = server.post(CHAT, question("word " * 1000, stream=stream))
    assert_rejected(answer, 400, "512", "10")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("route", ROUTES)
def test_oversized_body_is_read_and_rejected(server: Server, route: str) -> None:
    body = json.dumps(question("x" * 50_000_000)).encode()
    assert_rejected(server.post(route, content=body), 413, "10 MB")
    parts = (body[start : start + 1_000_000] for start in range(0, len(body), 1_000_000))
    assert_rejected(server.post(route, content=parts), 413, "10 MB")


@pytest.mark.parametrize("unit", ["[],", "{},", '{"a":1},'])
def test_a_body_of_millions_of_values_is_read_and_rejected(server: Server, unit: str) -> None:
    """Parsing it took seconds, in which no other answer went on and /health was silent."""
    body = f'{{"messages": [{unit * (9_000_000 // len(unit))}1]}}'.encode()
    assert_rejected(server.post(CHAT, content=body), 413, "100,000 values")
    assert server.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/v1/completions", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("GET", CHAT, 405),
        ("PUT", "/invocations", 405),
        ("DELETE", "/health", 405),
    ],
)
def test_unknown_route(server: Server, method: str, path: str, status: int) -> None:
    answer = CLIENT.request(method, server.url + path, headers={"x-request-id": "mine"})
    assert_rejected(answer, status, method, path.rstrip("/"))
    assert answer.headers["x-request-id"] == "mine"
    if status == 405:
        assert answer.headers["allow"]


def test_max_tokens_above_the_engines_integer_range_is_accepted(server: Server) -> None:
    for max_tokens in (2**31, 2**32, 2**63 - 1):
        answer = server.post(CHAT, question("one two three four " * 110, tokens=max_tokens))
        assert answer.status_code == 200, answer.text
        assert answer.json()["usage"]["total_tokens"] == 512


def test_rejected_requests_log_no_error(server: Server) -> None:
    server.post(CHAT, content=b"{")
    assert server.post(CHAT, question(tokens=1)).status_code == 200
    assert not server.log_lines(level="error")
