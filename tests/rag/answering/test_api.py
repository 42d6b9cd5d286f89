"""Tests of the answer as JSON: one call, over the documents passed with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends import ChatRequest, Delta, Done, Event, Health, Usage
from rag.answering.abstention.strings import NOT_FROM_DOCUMENTS, REFUSAL
from rag.answering.answer import Rag
from rag.answering.api import answer_from_files, answer_json, describe_usage
from rag.answering.options import AnswerOptions
from rag.errors import DocumentError
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder

TIDE = "High water at the quay is at 14:20 today."
OTHER_SUBJECT = "Who wrote the opera about Seville?"


class FixedBackend:
    """Gives the same answer to every request."""

    local = False

    def __init__(self, text: str) -> None:
        self.text = text
        self.requests: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.requests.append(request)
        yield Delta(self.text)
        yield Done("stop", Usage(100, 5))

    async def check(self) -> Health:
        return Health("fixed", 4096)

    async def aclose(self) -> None:
        pass


async def test_an_answer_comes_from_texts_files_and_libraries(
    embedder: Embedder, library: Library, write_file: Callable[[str, str], Path]
) -> None:
    library.add(write_file("crane.txt", "The crane lifts 40 tonnes."))
    backend = FixedBackend("High water is at 14:20 [1].")
    reply = await answer_from_files(
        "When is high water at the quay?",
        backend,
        embedder,
        files=[write_file("dogs.md", "Dogs are free.")],
        texts={"tide": f"# Tides\n\n{TIDE}", "../fees.csv": "what,marks\nferry,18\n"},
        libraries=[library],
    )
    reply = json.loads(json.dumps(reply))
    [citation] = reply["citations"]
    assert (citation["document"], citation["page"]) == ("tide.txt", None)
    assert f"# Tides\n\n{TIDE}"[citation["start"] : citation["end"]] == citation["passage"]
    assert reply["answer"] == "High water is at 14:20. [1]"
    [sentence] = reply["sentences"]
    assert (sentence["text"], sentence["supported"], sentence["citations"]) == ("High water is at 14:20.", True, [1])
    assert reply["quotes"][0]["text"] == TIDE
    assert 0 < reply["timings"]["quotes_ms"] < reply["timings"]["first_token_ms"] <= reply["timings"]["total_ms"]
    assert reply["abstained"] is False
    assert reply["sent"] == "100 of 4,096 tokens sent (2%)"
    assert [document.name for document in library.documents] == ["crane.txt"]  # the passed documents are dropped


async def test_an_abstention_has_the_nearest_passages(embedder: Embedder) -> None:
    backend = FixedBackend("Rossini.")
    reply = await answer_from_files(OTHER_SUBJECT, backend, embedder, texts={"tide.txt": TIDE})
    assert (reply["answer"], reply["abstained"], reply["citations"]) == (REFUSAL, True, [])
    assert reply["reason"] == "No document mentions Seville"
    assert reply["quotes"][0]["text"] == TIDE
    assert reply["nearest"][0]["passage"] == TIDE
    assert backend.requests == []


async def test_an_answer_from_general_knowledge_says_so(
    embedder: Embedder, library: Library, write_file: Callable[[str, str], Path]
) -> None:
    library.add(write_file("tide.txt", TIDE))
    texts: list[str] = []
    reply = await answer_json(
        Rag(embedder, [library]),
        OTHER_SUBJECT,
        FixedBackend("Rossini."),
        options=AnswerOptions(general_knowledge=True),
        on_text=texts.append,
    )
    assert reply["answer"] == "".join(texts) == f"{NOT_FROM_DOCUMENTS}\n\nRossini."
    assert (reply["abstained"], reply["citations"]) == (True, [])


async def test_an_unreadable_text_is_an_error(embedder: Embedder) -> None:
    with pytest.raises(DocumentError, match="empty"):
        await answer_from_files("When?", FixedBackend("Now."), embedder, texts={"tide.txt": "  "})


def test_usage_is_described_against_the_window() -> None:
    assert describe_usage(Usage(1234, 5), 4096) == "1,234 of 4,096 tokens sent (30%)"
    assert describe_usage(Usage(1234, 5), None) == "1,234 tokens sent"
    assert describe_usage(None, 4096) == ""
