"""Requests that would keep the engine busy before it generates anything are rejected before they reach it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from backends import Rejected
from inference.http.prompt_limits import check_size
from inference.settings import Settings
from tests.inference.servers import Server, question
from tests.inference.test_bad_input import CHAT, assert_rejected

EMPTY = {"role": "user", "content": ""}
PART = {"type": "text", "text": ""}
LIMITS = Settings(max_messages=10, max_prompt_characters=1000)


def call(arguments: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}


def engine_seconds(server: Server) -> float:
    """Return the CPU time that the engine's process has used."""
    ticks = 0
    for pid in server.children():
        fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"messages": [EMPTY] * 10_000}),
        (CHAT, {"messages": [{"role": "user", "content": [PART] * 10_000}]}),
        ("/invocations", {"inputs": [EMPTY] * 10_000}),
        ("/predict", {"instances": [{"messages": [EMPTY] * 30}] * 64}),
        ("/predict", {"instances": [{}] * 64, "parameters": {"messages": [EMPTY] * 500}}),
    ],
    ids=["messages", "parts", "inputs", "instances", "shared by instances"],
)
def test_many_empty_messages_never_reach_the_engine(server: Server, path: str, body: Any) -> None:
    before = engine_seconds(server)
    answer = server.post(path, body)
    assert_rejected(answer, 400, "more than 1,000 messages")
    assert engine_seconds(server) - before < 0.5


def test_a_conversation_of_many_messages_is_answered(server: Server) -> None:
    turn = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi"}]
    answer = server.post(CHAT, question(tokens=1) | {"messages": turn * 10 + turn[:1]})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("status", "reason", "completions"),
    [
        (400, "more than 10 messages", [{"messages": [EMPTY] * 11}]),
        (400, "more than 10 messages", [{"messages": [EMPTY] * 6}] * 2),
        (400, "more than 10 messages", [{"messages": [{"content": [PART] * 9}, EMPTY, EMPTY]}]),
        (400, "more than 10 messages", [{"messages": [None] * 11}]),
        (413, "more than 1,000 characters", [{"messages": [{"content": "x" * 1001}]}]),
        (413, "more than 1,000 characters", [{"messages": [{"content": "x" * 400}]}] * 3),
        (413, "more than 1,000 characters", [{"messages": [{"content": [{"text": "x" * 501}] * 2}]}]),
        (400, "more than 10 messages", [{"messages": [{"tool_calls": [call("{}")] * 10}]}]),
        (413, "more than 1,000 characters", [{"messages": [{"tool_calls": [call("x" * 501)] * 2}]}]),
        (400, "501 characters", [{"messages": [{"content": "x" * 501}]}]),
    ],
)
def test_the_error_says_the_limit(status: int, reason: str, completions: list[dict[str, Any]]) -> None:
    with pytest.raises(Rejected, match=reason) as caught:
        check_size(completions, LIMITS, context=5)
    assert caught.value.status == status
    assert caught.value.remedy


def test_what_is_no_conversation_passes_to_the_parser() -> None:
    odd_calls = {"content": {}, "tool_calls": [1, {"function": 2}]}
    odd: list[dict[str, Any]] = [{}, {"messages": None}, {"messages": "x"}, {"messages": [1, odd_calls]}]
    check_size(odd, LIMITS, context=None)


def test_long_stops_are_rejected(server: Server) -> None:
    assert_rejected(server.post(CHAT, question(stop=["x" * 5001])), 400, "5,000")
