"""Conversion of the platforms' bodies to chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from backends import Rejected
from inference.formats.cloud_platforms import parse_body, to_chat_completion

USER = [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"messages": USER, "max_tokens": 3}, {"messages": USER, "max_tokens": 3}),
        ({"inputs": "Hi"}, {"messages": USER}),
        ({"prompt": "Hi"}, {"messages": USER}),
        ({"inputs": USER}, {"messages": USER}),
        ({"inputs": "Hi", "prompt": "other"}, {"messages": USER, "prompt": "other"}),
        ({"inputs": "Hi", "parameters": {"max_new_tokens": 3}}, {"messages": USER, "max_tokens": 3}),
        ({"inputs": "Hi", "parameters": None}, {"messages": USER}),
        (
            {"prompt": "Hi", "maxOutputTokens": 3, "topP": 0.5, "stopSequences": ["x"]},
            {"messages": USER, "max_tokens": 3, "top_p": 0.5, "stop": ["x"]},
        ),
        ({"messages": USER, "inputs": "other"}, {"messages": USER}),
        ({"inputs": "Hi", "parameters": {"stream": True}}, {"messages": USER, "stream": True}),
    ],
)
def test_body_becomes_a_chat_completion(body: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(body)
    assert to_chat_completion(body) == expected
    assert repr(body) == before


def test_single_body_is_one_completion_with_an_unchanged_answer() -> None:
    completions, format_response = parse_body({"messages": USER})
    assert completions == [{"messages": USER}]
    assert format_response([{"id": 1}]) == {"id": 1}


def test_instances_share_parameters_and_keep_their_order() -> None:
    body = {"instances": ["Hi", {"messages": USER, "temperature": 1}], "parameters": {"max_tokens": 3}}
    completions, format_response = parse_body(body)
    assert [completion["messages"] for completion in completions] == [USER, USER]
    assert [completion["max_tokens"] for completion in completions] == [3, 3]
    assert completions[1]["temperature"] == 1
    assert format_response([{"id": 1}, {"id": 2}]) == {"predictions": [{"id": 1}, {"id": 2}]}


@pytest.mark.parametrize("own", [{"max_tokens": 1}, {"parameters": {"max_tokens": 1}}, {"max_new_tokens": 1}])
def test_parameters_of_an_instance_override_shared_ones(own: dict[str, Any]) -> None:
    completions, _ = parse_body({"instances": [{"prompt": "Hi", **own}], "parameters": {"max_tokens": 3}})
    assert completions[0]["max_tokens"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"instances": ["a", "b"], "stream": True},
        {"instances": ["a", "b"], "parameters": {"stream": True}},
        {"instances": [{"prompt": "a", "parameters": {"stream": True}}, "b"]},
        {"instances": [{"prompt": "a", "stream": True}, "b"]},
    ],
)
def test_instances_are_never_streamed(body: dict[str, Any]) -> None:
    try:
        completions, _ = parse_body(body)
    except Rejected as error:
        assert error.status == 400
    else:
        assert not any(completion.get("stream") for completion in completions)


@pytest.mark.parametrize("body", [None, [], "Hi", 7, {"instances": {}}, {"instances": [None]}, {"parameters": [1]}])
def test_invalid_bodies_are_rejected(body: Any) -> None:
    with pytest.raises(Rejected) as caught:
        parse_body(body)
    assert caught.value.status == 400
