"""What is sent fits into the window, by an estimate that is rather too high."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from backends import ChatRequest, Done, Event, Health, Message, Unreachable, Usage
from rag.answering import budget
from rag.answering.prompt import messages
from rag.documents import Passage
from rag.errors import RagError

TEXT = "High water at the quay is at 14:20, and the crane lifts 40 tonnes of herring. " * 9
PASSAGES = [Passage(n, "d", f"{n}.txt", None, "", 0, len(TEXT), TEXT, 1.0, None, None) for n in range(1, 13)]
TALK = [Message("user", "x " * 150), Message("assistant", "y " * 150)] * 4


@pytest.mark.parametrize("context", [512, 1024, 2048, 4096, 8192, None])
@pytest.mark.parametrize("max_tokens", [16, 512, 4096])
@pytest.mark.parametrize("history", [[], TALK])
def test_what_is_sent_and_the_answer_fit(context: int | None, max_tokens: int, history: list[Message]) -> None:
    plan = budget.plan("When is high water?", PASSAGES, history, max_tokens=max_tokens, context=context)
    window = context or budget.SAFE_CONTEXT
    sent = messages("When is high water?", plan.passages, plan.history)
    assert plan.tokens == budget.prompt_tokens(sent)
    assert plan.tokens <= window - min(max_tokens, window // 2) or (window == 512 and len(plan.passages) == 1)
    assert list(plan.passages) == PASSAGES[: len(plan.passages)]
    assert len(plan.passages) + plan.left_out == 12
    assert len(plan.passages) >= 1
    assert plan.known is bool(context)
    if context:
        assert plan.tokens + plan.max_tokens <= context
    else:
        assert plan.max_tokens == max_tokens


def test_more_room_never_sends_less() -> None:
    kept = [
        len(budget.plan("When?", PASSAGES, max_tokens=256, context=context).passages)
        for context in range(600, 6000, 100)
    ]
    assert kept == sorted(kept)
    assert kept[-1] == 12


def test_the_oldest_turns_go_first_and_a_question_begins() -> None:
    plan = budget.plan("When?", PASSAGES[:1], TALK, max_tokens=256, context=1600)
    assert 0 < len(plan.history) < len(TALK)
    assert plan.history[0].role == "user"
    assert plan.history[-1].content == TALK[-1].content.strip()


def test_a_question_that_cannot_fit_is_refused_with_a_remedy() -> None:
    with pytest.raises(RagError, match="one passage do not fit into the 1,024 tokens") as refused:
        budget.plan("word " * 1500, PASSAGES, max_tokens=64, context=1024)
    assert refused.value.remedy
    with pytest.raises(RagError, match="The question does not fit"):
        budget.plan("word " * 1500, [], max_tokens=64, context=1024)


def test_a_server_that_does_not_tell_its_window_decides_itself() -> None:
    plan = budget.plan("word " * 3000, PASSAGES, max_tokens=64, context=None)
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
    assert least <= budget.tokens(text) <= most


def test_the_tokens_that_were_really_sent_are_told() -> None:
    assert budget.sent(Usage(1234, 5), 4096) == "1,234 of 4,096 tokens sent (30%)"
    assert budget.sent(Usage(1234, 5), None) == "1,234 tokens sent"
    assert budget.sent(None, 4096) == ""


class Told:
    """A backend that tells its window, or fails to."""

    def __init__(self, *answers: int | Exception | None) -> None:
        self.answers = list(answers)

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        yield Done("stop", None)

    async def check(self) -> Health:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Health("told", answer)

    async def aclose(self) -> None:
        pass


async def test_a_window_is_asked_for_once() -> None:
    backend = Told(8192)
    assert await budget.context_of(backend) == 8192
    assert await budget.context_of(backend) == 8192
    assert await budget.context_of(Told(None)) is None


async def test_a_server_that_was_away_is_asked_again() -> None:
    backend = Told(Unreachable("It is away.", "Start it."), 4096)
    assert await budget.context_of(backend) is None
    assert await budget.context_of(backend) == 4096
