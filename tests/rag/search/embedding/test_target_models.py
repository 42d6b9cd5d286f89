"""Embeddings and a reranker that a target of the catalogue serves, on a server that answers with the real model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from rag.answering.evidence.selection import QuoteSelection, find_quotes
from rag.answering.retrieve import rank_passages
from rag.errors import RetrievalError
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.search.rerank import Reranker
from tests.backends.wire_server import ReceivedRequest, Reply, WireServer, serving
from tests.rag.search.test_rerank import passages

EMBEDDINGS, RERANK = "/v1/embeddings", "/v1/rerank"


@pytest.fixture
async def server(embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WireServer]:
    """A server of embeddings, and the catalogue that names it."""

    def embed(request: ReceivedRequest) -> Reply:
        vectors = embedder.encode(request.json["input"]) * 3  # some models' vectors don't have length 1
        return Reply.json({"data": [{"index": at, "embedding": row.tolist()} for at, row in enumerate(vectors)]})

    async with serving() as wire:
        wire.on(EMBEDDINGS, embed)
        path = tmp_path / "catalog.toml"
        path.write_text(f'[remote]\nkind = "openai"\nurl = {json.dumps(wire.url)}\nmodel = "minilm"\ntask = "embed"\n')
        monkeypatch.setenv("SPACEPORT_CATALOG", str(path))
        yield wire


async def test_a_search_with_the_embeddings_of_a_target(
    server: WireServer, embedder: Embedder, library: Library, write_file: Callable[[str, str], Path]
) -> None:
    texts = [f"Room {number} is {number * 7} metres wide." * (1 + number % 5) for number in range(100)]
    remote = Embedder("target:remote")
    vectors = await asyncio.to_thread(remote.encode, texts)
    assert np.allclose(vectors, embedder.encode(texts), atol=1e-5)
    assert len(server.requests(EMBEDDINGS)) < 10
    assert remote.full_name == "target:remote minilm"
    library.add(write_file("notes.txt", " ".join(texts)))
    question = "How wide is room 7?"
    found = await asyncio.to_thread(rank_passages, [library], question, remote)
    assert [passage.start for passage in found] == [
        passage.start for passage in rank_passages([library], question, embedder)
    ]


async def test_quotes_with_the_embeddings_of_a_target(
    server: WireServer, library: Library, write_file: Callable[[str, str], Path]
) -> None:
    library.add(write_file("rooms.md", "# Rooms\n\nThe hall is warm. The library opens at seven. Bring a pencil."))
    documents = {document.id: document for document in library.documents}

    def ask() -> QuoteSelection:
        question, remote = "When does the library open?", Embedder("target:remote")
        return find_quotes(question, rank_passages([library], question, remote), documents, remote)

    assert (await asyncio.to_thread(ask)).quotes[0].text == "The library opens at seven."


async def test_whether_a_target_knows_many_languages_is_seen_from_translations(server: WireServer) -> None:
    assert not await asyncio.to_thread(lambda: Embedder("target:remote").multilingual)
    server.on(EMBEDDINGS, _same_for_translations)
    assert await asyncio.to_thread(lambda: Embedder("target:remote").multilingual)


def _same_for_translations(request: ReceivedRequest) -> Reply:
    count = len(request.json["input"])
    return Reply.json({"data": [{"index": at, "embedding": np.eye(16)[at].tolist()} for at in range(count)]})


async def test_errors_of_a_target_are_errors_of_the_search(server: WireServer) -> None:
    remote = Embedder("target:remote")
    await asyncio.to_thread(remote.encode, ["a"])
    server.on(EMBEDDINGS, Reply.json({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}))
    with pytest.raises(RetrievalError, match=r"returns vectors of 2 numbers; before, it was 384"):
        await asyncio.to_thread(remote.encode, ["a"])
    server.on(EMBEDDINGS, Reply.json({"error": {"message": "no memory"}}, 500))
    with pytest.raises(RetrievalError, match="no memory"):
        await asyncio.to_thread(remote.encode, ["a"])
    with pytest.raises(RetrievalError, match="no target 'remot'") as caught:
        await asyncio.to_thread(Embedder("target:remot").encode, ["a"])
    assert "Did you mean remote?" in caught.value.remedy


@pytest.mark.parametrize("logits", [False, True])
async def test_a_reranker_of_a_target(server: WireServer, logits: bool) -> None:
    def rerank(request: ReceivedRequest) -> Reply:
        values = range(len(request.json["documents"]))
        scores = [{"index": at, "relevance_score": at - 5.0 if logits else at / 100} for at in values]
        return Reply.json({"results": scores})

    server.on(RERANK, rerank)
    reranker = Reranker("target:remote")
    ordered = await asyncio.to_thread(reranker.order, "a question", passages(10))
    assert [passage.start for passage in ordered] == list(range(9, -1, -1))
    assert all(0 <= passage.score <= 1 for passage in ordered)
    assert await asyncio.to_thread(reranker.order, "a question", []) == []
