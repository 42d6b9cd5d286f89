"""What a follow-up question is searched with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends import ChatRequest, Delta, Done, Event, Health, Message, Unreachable
from rag.answering import rewrite
from rag.answering.rewrite import build_query, cited_names, expand_by_rule, interleave, is_valid_rewrite
from rag.documents import Passage


def talk(*texts: str) -> list[Message]:
    return [Message("assistant" if index % 2 else "user", text) for index, text in enumerate(texts)]


FERRY = talk("Which ferry goes to the island?", "The ferry Lapwing leaves Oxmouth quay at 07:10 [1].")


@pytest.mark.parametrize(
    "question",
    [
        "What is the exclusion zone?",
        "How many visitors does the viewing deck hold?",
        "Goodwill?",
        "What is axin?",
        "What is this document about?",
        "What does this study show?",
        "Summarise the report",
        "Why wasn't Valkyria Chronicles III released in the West?",
        "What were net sales and how did they change?",
        "How are the vaccines that were developed for COVID-19 now being utilised?",
        "What influence did Cicely Mary Barker's early environment have on her art?",
        "Who wrote the song 'There's Got to Be a Way'?",
        "At what age did Biden get elected to the Senate, and was it planned?",
        "",
    ],
)
def test_a_question_that_stands_alone_stays_as_it_is(question: str) -> None:
    assert expand_by_rule(question, FERRY) == question


@pytest.mark.parametrize(
    ("question", "searched"),
    [
        ("How long does it take?", "How long does it take? (ferry goes island Lapwing Oxmouth)"),
        ("And dogs?", "And dogs? (ferry goes island Lapwing Oxmouth)"),
        ("What about children?", "What about children? (ferry goes island Lapwing Oxmouth)"),
        ("Why?", "Why? (ferry goes island Lapwing Oxmouth)"),
        ("Does that cost anything?", "Does that cost anything? (ferry goes island Lapwing Oxmouth)"),
        ("When does that ferry come back?", "When does that ferry come back? (goes island Lapwing Oxmouth)"),
    ],
)
def test_a_follow_up_takes_the_words_that_it_leans_on(question: str, searched: str) -> None:
    assert expand_by_rule(question, FERRY) == searched


def test_a_name_is_enough_unless_the_follow_up_says_nothing() -> None:
    history = talk("What was in the inventory of the Little Rock Arsenal in 1861?", "Muskets from Memphis [1].")
    assert expand_by_rule("What did it cost?", history) == "What did it cost? (Little Rock Arsenal)"
    assert expand_by_rule("Why?", history) == "Why? (inventory Little Rock Arsenal 1861)"


def test_the_first_question_has_nothing_to_lean_on() -> None:
    assert expand_by_rule("And how long does it take?", []) == "And how long does it take?"


def test_another_year_takes_the_place_of_the_first() -> None:
    history = talk("What were total net sales in 2018?", "They were 5 [1].")
    assert expand_by_rule("And in 2019?", history) == "And in 2019? (total net sales)"
    assert expand_by_rule("Why did they fall?", history) == "Why did they fall? (net sales 2018)"


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    history = talk("What were total net sales in 2018?", "5 [1].", "And in 2019?", "6 [1].")
    assert expand_by_rule("Why did they fall?", history) == "Why did they fall? (total net sales)"


def test_names_are_taken_from_cited_sentences_alone() -> None:
    answer = "I think of Paris. The ferry Lapwing leaves Oxmouth Quay. [1] It pleased King Harald. Ask Mona Lisa"
    assert cited_names(answer) == ["Lapwing", "Oxmouth", "Quay"]


@pytest.mark.parametrize(
    ("said", "sound"),
    [
        ("How long does the ferry Lapwing take in 2019?", True),
        ("How long does the ferry take?", False),  # the figure is gone
        ("How long do the Beatles and Elvis sing songs in 2019?", False),
        ("The ferry Lapwing leaves in 2019.", False),
        ("How long does it\ntake in 2019?", False),
        ("ferry 2019 " * 40, False),
        ("", False),
    ],
)
def test_a_rewrite_is_taken_only_if_it_is_sound(said: str, sound: bool) -> None:
    assert is_valid_rewrite(said, "How long does it take in 2019?", FERRY) is sound


def passage(start: int, end: int, document: str = "a") -> Passage:
    return Passage(0, document, document, None, "", start, end, "", 1.0, None, None)


def test_two_searches_take_turns_and_no_text_is_there_twice() -> None:
    first, second = passage(0, 700), passage(600, 1300)
    same, most, elsewhere = passage(0, 700), passage(650, 1250), passage(0, 700, "b")
    assert interleave([[first, second], [same, elsewhere, most]]) == [first, second, elsewhere]
    assert interleave([[first, second]]) == [first, second]
    assert interleave([]) == []


class Rewriter:
    """A backend that says one thing, after a while, and counts how often it was asked."""

    def __init__(self, said: str | Exception, seconds: float = 0.0, *, local: bool = False) -> None:
        self.said, self.seconds, self.local = said, seconds, local
        self.asked: list[ChatRequest] = []
        self.closed = False

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.asked.append(request)
        try:
            await asyncio.sleep(self.seconds)
            if isinstance(self.said, Exception):
                raise self.said
            yield Delta("Hm.", "thought")
            yield Delta(self.said)
            yield Done("stop", None)
        finally:
            self.closed = True

    async def check(self) -> Health:
        return Health("rewriter")

    async def aclose(self) -> None:
        pass


GOOD = "How long does the ferry Lapwing take?"
RULED = "How long does it take? (ferry goes island Lapwing Oxmouth)"


async def test_a_fast_backend_rewrites() -> None:
    backend = Rewriter(f'"{GOOD}"')
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == GOOD
    assert "Lapwing" in backend.asked[0].messages[-1].content


@pytest.mark.parametrize(
    ("backend", "pace"),
    [
        (Rewriter(GOOD), None),  # nobody knows yet how fast it is
        (Rewriter(GOOD), 2.0),
        (Rewriter(GOOD, local=True), 0.1),
    ],
)
async def test_a_backend_that_is_not_known_to_be_fast_is_not_asked(backend: Rewriter, pace: float | None) -> None:
    rewrite.record_latency(backend, pace)
    assert await build_query("How long does it take?", FERRY, backend) == RULED
    assert backend.asked == []


@pytest.mark.parametrize("said", ["The moon is made of green cheese.", Unreachable("Away.", "Wait.")])
async def test_a_rewrite_that_fails_leaves_the_rule(said: str | Exception) -> None:
    backend = Rewriter(said)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == RULED


async def test_a_rewrite_that_takes_too_long_is_dropped_and_freed() -> None:
    backend = Rewriter(GOOD, seconds=3600)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == RULED
    assert backend.closed


async def test_a_question_that_stands_alone_costs_no_rewrite() -> None:
    backend = Rewriter(GOOD)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("What is the exclusion zone?", FERRY, backend) == "What is the exclusion zone?"
    assert await build_query("How long does it take?", [], backend) == "How long does it take?"
    assert backend.asked == []


def test_the_pace_follows_the_last_answers() -> None:
    backend = Rewriter("")
    for seconds in (4.0, 0.2, 0.2, 0.2):
        rewrite.record_latency(backend, seconds)
    assert not rewrite.is_fast(backend)
    for seconds in (0.2, 0.2):
        rewrite.record_latency(backend, seconds)
    assert rewrite.is_fast(backend)
