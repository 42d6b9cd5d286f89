"""Bodies of the platforms made into chat completions."""

from __future__ import annotations

from typing import Any

import pytest

from backends import Rejected
from inference.dialects import bodies, chat

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
def test_a_body_becomes_a_chat_completion(body: dict[str, Any], expected: dict[str, Any]) -> None:
    before = repr(body)
    assert chat(body) == expected
    assert repr(body) == before


def test_one_body_is_one_call_and_its_answer_stays_as_it_is() -> None:
    calls, shape = bodies({"messages": USER})
    assert calls == [{"messages": USER}]
    assert shape([{"id": 1}]) == {"id": 1}


def test_instances_share_parameters_and_keep_their_order() -> None:
    asked = {"instances": ["Hi", {"messages": USER, "temperature": 1}], "parameters": {"max_tokens": 3}}
    calls, shape = bodies(asked)
    assert [call["messages"] for call in calls] == [USER, USER]
    assert [call["max_tokens"] for call in calls] == [3, 3]
    assert calls[1]["temperature"] == 1
    assert shape([{"id": 1}, {"id": 2}]) == {"predictions": [{"id": 1}, {"id": 2}]}


@pytest.mark.parametrize("own", [{"max_tokens": 1}, {"parameters": {"max_tokens": 1}}, {"max_new_tokens": 1}])
def test_what_an_instance_says_itself_wins(own: dict[str, Any]) -> None:
    calls, _ = bodies({"instances": [{"prompt": "Hi", **own}], "parameters": {"max_tokens": 3}})
    assert calls[0]["max_tokens"] == 1


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
        calls, _ = bodies(body)
    except Rejected as error:
        assert error.status == 400
    else:
        assert not any(call.get("stream") for call in calls)


@pytest.mark.parametrize("body", [None, [], "Hi", 7, {"instances": {}}, {"instances": [None]}, {"parameters": [1]}])
def test_what_is_no_body_is_refused(body: Any) -> None:
    with pytest.raises(Rejected) as caught:
        bodies(body)
    assert caught.value.status == 400
