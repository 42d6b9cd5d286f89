"""Tests of the search query for a follow-up question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from backends import ChatRequest, Delta, Done, Event, Health, Message, Unreachable
from rag.answering.prompts import rewrite
from rag.answering.prompts.rewrite import build_query, cited_names, expand_by_rule, interleave, is_valid_rewrite
from rag.documents import Passage


def conversation(*texts: str) -> list[Message]:
    return [Message("assistant" if index % 2 else "user", text) for index, text in enumerate(texts)]


FERRY = conversation("Which ferry goes to the island?", "The ferry Lapwing leaves Oxmouth quay at 07:10 [1].")


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
        "What is this about?",
        "Summarize this",
        "Give me an overview",
        "Why wasn't Valkyria Chronicles III released in the West?",
        "What were net sales and how did they change?",
        "How are the vaccines that were developed for COVID-19 now being utilised?",
        "What influence did Cicely Mary Barker's early environment have on her art?",
        "Who wrote the song 'There's Got to Be a Way'?",
        "At what age did Biden get elected to the Senate, and was it planned?",
        "",
    ],
)
def test_a_self_contained_question_is_its_own_query(question: str) -> None:
    assert expand_by_rule(question, FERRY) == question


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("How long does it take?", "How long does it take? (ferry goes island Lapwing Oxmouth)"),
        ("And dogs?", "And dogs? (ferry goes island Lapwing Oxmouth)"),
        ("What about children?", "What about children? (ferry goes island Lapwing Oxmouth)"),
        ("Why?", "Why? (ferry goes island Lapwing Oxmouth)"),
        ("What is it about?", "What is it about? (ferry goes island Lapwing Oxmouth)"),
        ("What about it?", "What about it? (ferry goes island Lapwing Oxmouth)"),
        ("Does that cost anything?", "Does that cost anything? (ferry goes island Lapwing Oxmouth)"),
        ("When does that ferry come back?", "When does that ferry come back? (goes island Lapwing Oxmouth)"),
    ],
)
def test_a_follow_up_gets_the_words_that_it_refers_to(question: str, query: str) -> None:
    assert expand_by_rule(question, FERRY) == query


def test_names_are_enough_if_the_follow_up_has_words_of_its_own() -> None:
    history = conversation("What was in the inventory of the Little Rock Arsenal in 1861?", "Muskets from Memphis [1].")
    assert expand_by_rule("What did it cost?", history) == "What did it cost? (Little Rock Arsenal)"
    assert expand_by_rule("Why?", history) == "Why? (inventory Little Rock Arsenal 1861)"


def test_the_first_question_is_its_own_query() -> None:
    assert expand_by_rule("And how long does it take?", []) == "And how long does it take?"


def test_a_new_year_replaces_the_previous_one() -> None:
    history = conversation("What were total net sales in 2018?", "They were 5 [1].")
    assert expand_by_rule("And in 2019?", history) == "And in 2019? (total net sales)"
    assert expand_by_rule("Why did they fall?", history) == "Why did they fall? (net sales 2018)"


def test_a_chain_of_follow_ups_keeps_its_subject() -> None:
    history = conversation("What were total net sales in 2018?", "5 [1].", "And in 2019?", "6 [1].")
    assert expand_by_rule("Why did they fall?", history) == "Why did they fall? (total net sales)"


def test_names_come_from_cited_sentences_only() -> None:
    answer = "I think of Paris. The ferry Lapwing leaves Oxmouth Quay. [1] It pleased King Harald. Ask Mona Lisa"
    assert cited_names(answer) == ["Lapwing", "Oxmouth", "Quay"]


@pytest.mark.parametrize(
    ("rewrite", "valid"),
    [
        ("How long does the ferry Lapwing take in 2019?", True),
        ("How long does the ferry take?", False),  # without the figure
        ("How long do the Beatles and Elvis sing songs in 2019?", False),
        ("The ferry Lapwing leaves in 2019.", False),
        ("How long does it\ntake in 2019?", False),
        ("ferry 2019 " * 40, False),
        ("", False),
    ],
)
def test_only_a_valid_rewrite_is_used(rewrite: str, valid: bool) -> None:
    assert is_valid_rewrite(rewrite, "How long does it take in 2019?", FERRY) is valid


def passage(start: int, end: int, document: str = "a") -> Passage:
    return Passage(0, document, document, None, "", start, end, "", 1.0, None, None)


def test_two_searches_are_interleaved_without_duplicate_text() -> None:
    first, second = passage(0, 700), passage(600, 1300)
    same, overlapping, other = passage(0, 700), passage(650, 1250), passage(0, 700, "b")
    assert interleave([[first, second], [same, other, overlapping]]) == [first, second, other]
    assert interleave([[first, second]]) == [first, second]
    assert interleave([]) == []


class RewriteBackend:
    """Gives one reply after a delay and records the requests."""

    def __init__(self, reply: str | Exception, seconds: float = 0.0, *, local: bool = False) -> None:
        self.reply, self.seconds, self.local = reply, seconds, local
        self.requests: list[ChatRequest] = []
        self.closed = False

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.requests.append(request)
        try:
            await asyncio.sleep(self.seconds)
            if isinstance(self.reply, Exception):
                raise self.reply
            yield Delta("Hm.", "thought")
            yield Delta(self.reply)
            yield Done("stop", None)
        finally:
            self.closed = True

    async def check(self) -> Health:
        return Health("rewriter")

    async def aclose(self) -> None:
        pass


REWRITE = "How long does the ferry Lapwing take?"
QUERY_BY_RULE = "How long does it take? (ferry goes island Lapwing Oxmouth)"


async def test_a_fast_backend_rewrites() -> None:
    backend = RewriteBackend(f'"{REWRITE}"')
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == REWRITE
    assert "Lapwing" in backend.requests[0].messages[-1].content


@pytest.mark.parametrize(
    ("backend", "latency"),
    [
        (RewriteBackend(REWRITE), None),  # not measured yet
        (RewriteBackend(REWRITE), 2.0),
        (RewriteBackend(REWRITE, local=True), 0.1),
    ],
)
async def test_only_a_backend_with_a_short_latency_rewrites(backend: RewriteBackend, latency: float | None) -> None:
    rewrite.record_latency(backend, latency)
    assert await build_query("How long does it take?", FERRY, backend) == QUERY_BY_RULE
    assert backend.requests == []


@pytest.mark.parametrize("reply", ["The moon is made of green cheese.", Unreachable("Away.", "Wait.")])
async def test_a_failed_rewrite_falls_back_to_the_rule(reply: str | Exception) -> None:
    backend = RewriteBackend(reply)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == QUERY_BY_RULE


async def test_a_slow_rewrite_is_cancelled_and_closed() -> None:
    backend = RewriteBackend(REWRITE, seconds=3600)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("How long does it take?", FERRY, backend) == QUERY_BY_RULE
    assert backend.closed


async def test_a_self_contained_question_needs_no_rewrite() -> None:
    backend = RewriteBackend(REWRITE)
    rewrite.record_latency(backend, 0.1)
    assert await build_query("What is the exclusion zone?", FERRY, backend) == "What is the exclusion zone?"
    assert await build_query("How long does it take?", [], backend) == "How long does it take?"
    assert backend.requests == []


def test_the_latency_follows_the_last_answers() -> None:
    backend = RewriteBackend("")
    for seconds in (4.0, 0.2, 0.2, 0.2):
        rewrite.record_latency(backend, seconds)
    assert not rewrite.is_fast(backend)
    for seconds in (0.2, 0.2):
        rewrite.record_latency(backend, seconds)
    assert rewrite.is_fast(backend)
