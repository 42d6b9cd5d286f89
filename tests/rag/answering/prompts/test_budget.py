"""Tests that a prompt fits into the context window; the estimate of its tokens is on the high side."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backends import ChatRequest, Done, Event, Health, Message, Unreachable
from rag.answering.prompts import budget
from rag.answering.prompts.prompt import build_messages
from rag.documents import Passage
from rag.errors import RagError

TEXT = "High water at the quay is at 14:20, and the crane lifts 40 tonnes of herring. " * 9
PASSAGES = [Passage(n, "d", f"{n}.txt", None, "", 0, len(TEXT), TEXT, 1.0, None, None) for n in range(1, 13)]
HISTORY = [Message("user", "x " * 150), Message("assistant", "y " * 150)] * 4


@pytest.mark.parametrize("context", [512, 1024, 2048, 4096, 8192, None])
@pytest.mark.parametrize("max_tokens", [16, 512, 4096])
@pytest.mark.parametrize("history", [[], HISTORY])
def test_the_prompt_and_the_answer_fit(context: int | None, max_tokens: int, history: list[Message]) -> None:
    question = "When is high water?"
    plan = budget.plan_prompt(question, PASSAGES, history, max_tokens=max_tokens, context_window=context)
    window = context or budget.SAFE_CONTEXT
    assert plan.messages == build_messages(question, plan.passages, plan.messages[1:-1])
    assert plan.tokens == budget.estimate_prompt_tokens(plan.messages)
    assert plan.tokens <= window - min(max_tokens, window // 2) or (window == 512 and len(plan.passages) == 1)
    assert list(plan.passages) == PASSAGES[: len(plan.passages)]
    assert len(plan.passages) + plan.omitted_passages == 12
    assert len(plan.passages) >= 1
    if context:
        assert plan.tokens + plan.max_tokens <= context
    else:
        assert plan.max_tokens == max_tokens


def test_a_larger_window_never_gets_fewer_passages() -> None:
    counts = [
        len(budget.plan_prompt("When?", PASSAGES, max_tokens=256, context_window=context).passages)
        for context in range(600, 6000, 100)
    ]
    assert counts == sorted(counts)
    assert counts[-1] == 12


def test_the_oldest_turns_go_first_and_a_question_begins() -> None:
    plan = budget.plan_prompt("When?", PASSAGES[:1], HISTORY, max_tokens=256, context_window=1600)
    turns = plan.messages[1:-1]
    assert 0 < len(turns) < len(HISTORY)
    assert turns[0].role == "user"
    assert turns[-1].content == HISTORY[-1].content.strip()


def test_a_question_that_cannot_fit_is_an_error_with_a_remedy() -> None:
    with pytest.raises(RagError, match=r"one passage don't fit .* of 1,024 tokens") as refusal:
        budget.plan_prompt("word " * 1500, PASSAGES, max_tokens=64, context_window=1024)
    assert refusal.value.remedy
    with pytest.raises(RagError, match="The question doesn't fit"):
        budget.plan_prompt("word " * 1500, [], max_tokens=64, context_window=1024)


def test_without_a_reported_window_the_server_decides() -> None:
    plan = budget.plan_prompt("word " * 3000, PASSAGES, max_tokens=64, context_window=None)
    assert len(plan.passages) == 1
    assert plan.max_tokens == 64


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("The ferry leaves the quay at noon.", 8, 12),  # 8 for SmolLM2
        ("82,959", 6, 6),  # many tokenizers give each digit a token
        ("東京は日本の首都です。", 11, 22),
        ("\n\n   \n", 1, 1),
    ],
)
def test_tokens_are_estimated(text: str, least: int, most: int) -> None:
    assert least <= budget.estimate_tokens(text) <= most


class WindowBackend:
    """Reports a context window or raises an error, one per check."""

    local = False

    def __init__(self, *results: int | Exception | None) -> None:
        self.results = list(results)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        yield Done("stop", None)

    async def check(self) -> Health:
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return Health("window", result)

    async def aclose(self) -> None:
        pass


async def test_a_window_is_checked_once() -> None:
    backend = WindowBackend(8192)
    assert await budget.find_context_window(backend) == 8192
    assert await budget.find_context_window(backend) == 8192
    assert await budget.find_context_window(WindowBackend(None)) is None


async def test_an_unreachable_server_is_checked_again() -> None:
    backend = WindowBackend(Unreachable("It is away.", "Start it."), 4096)
    assert await budget.find_context_window(backend) is None
    assert await budget.find_context_window(backend) == 4096
