"""One call, one answer over what was given with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends import ChatRequest, Delta, Done, Event, Health, Usage
from rag.answering.abstain import REFUSAL
from rag.answering.api import answer_over
from rag.errors import DocumentError
from rag.library.library import Library
from rag.search.embedders import Embedder

TIDE = "High water at the quay is at 14:20 today."


class Says:
    """A backend that says one thing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.asked: list[ChatRequest] = []

    async def stream(self, request: ChatRequest) -> AsyncIterator[Event]:
        self.asked.append(request)
        yield Delta(self.text)
        yield Done("stop", Usage(100, 5))

    async def check(self) -> Health:
        return Health("says", 4096)

    async def aclose(self) -> None:
        pass


async def test_texts_files_and_libraries_are_answered_from(
    embedder: Embedder, library: Library, written: Callable[[str, str], Path]
) -> None:
    library.add(written("crane.txt", "The crane lifts 40 tonnes."))
    backend = Says("High water is at 14:20 [1].")
    told = await answer_over(
        "When is high water at the quay?",
        backend,
        embedder,
        files=[written("dogs.md", "Dogs are free.")],
        texts={"tide": f"# Tides\n\n{TIDE}", "../fees.csv": "what,marks\nferry,18\n"},
        libraries=[library],
    )
    told = json.loads(json.dumps(told))
    [citation] = told["citations"]
    assert (citation["document"], citation["page"]) == ("tide.txt", None)
    assert f"# Tides\n\n{TIDE}"[citation["start"] : citation["end"]] == citation["passage"]
    assert told["answer"] == "High water is at 14:20 [1]."
    assert told["abstained"] is False
    assert told["sent"] == "100 of 4,096 tokens sent (2%)"
    assert [document.name for document in library.documents] == ["crane.txt"]  # what was given is not kept


async def test_what_is_not_answered_names_the_nearest(embedder: Embedder) -> None:
    backend = Says("Rossini.")
    told = await answer_over("Who wrote the opera about Seville?", backend, embedder, texts={"tide.txt": TIDE})
    assert (told["answer"], told["abstained"], told["citations"]) == (REFUSAL, True, [])
    assert told["nearest"][0]["passage"] == TIDE
    assert backend.asked == []


async def test_a_text_that_cannot_be_read_is_an_error(embedder: Embedder) -> None:
    with pytest.raises(DocumentError, match="empty"):
        await answer_over("When?", Says("Now."), embedder, texts={"tide.txt": "  "})
