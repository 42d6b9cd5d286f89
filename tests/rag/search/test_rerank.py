"""The reranker with a real, small, untrained cross-encoder in a folder."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from rag.answering.retrieve import rank_passages
from rag.documents import Passage
from rag.errors import RetrievalError
from rag.library.library import Library
from rag.search.embedding.embedders import Embedder
from rag.search.rerank import RERANK_LIMIT, Reranker, configured_reranker
from tests.rag.search.tiny_models import save_tokenizer

# Its import takes seconds, in every test process that only collects this module.
pytestmark = pytest.mark.skipif(find_spec("sentence_transformers") is None, reason="sentence-transformers is not here")


def cross_encoder(folder: Path, labels: int = 1) -> str:
    """A cross-encoder of one small layer with random weights."""
    from transformers import BertConfig, BertForSequenceClassification

    words = save_tokenizer(folder)
    config = BertConfig(
        vocab_size=words, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=64, num_labels=labels, initializer_range=1.0,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return str(folder)


def passages(count: int) -> list[Passage]:
    return [
        Passage(0, "d", "d.txt", None, "", at, at + 1, f"passage {at} of many", 1 - at / 100, 0.5, None)
        for at in range(count)
    ]


def test_the_first_passages_are_reranked_and_the_others_stay_behind(tmp_path: Path) -> None:
    before = passages(RERANK_LIMIT + 5)
    after = Reranker(cross_encoder(tmp_path)).order("a question", before)
    first, rest = after[:RERANK_LIMIT], after[RERANK_LIMIT:]
    assert sorted(passage.start for passage in first) == list(range(RERANK_LIMIT))
    assert [passage.start for passage in first] != list(range(RERANK_LIMIT))
    assert [passage.start for passage in rest] == list(range(RERANK_LIMIT, RERANK_LIMIT + 5))
    scores = [passage.score for passage in after]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_no_passages(tmp_path: Path) -> None:
    assert Reranker(cross_encoder(tmp_path)).order("a question", []) == []


def test_the_reranker_is_off_until_the_variable_names_one(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    library: Library,
    embedder: Embedder,
    write_file: Callable[[str, str], Path],
) -> None:
    monkeypatch.delenv("SPACEPORT_RERANKER", raising=False)
    assert configured_reranker() is None
    library.add(
        write_file("notes.txt", " ".join(f"Room {number} is {number * 7} metres wide." for number in range(300)))
    )
    plain = rank_passages([library], "How wide is room 7?", embedder)
    monkeypatch.setenv("SPACEPORT_RERANKER", cross_encoder(tmp_path))
    again = rank_passages([library], "How wide is room 7?", embedder)
    assert sorted(passage.start for passage in again) == sorted(passage.start for passage in plain)
    assert [passage.score for passage in again] != [passage.score for passage in plain]
    assert configured_reranker() is configured_reranker()


def test_a_missing_model_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="Can't load") as caught:
        Reranker(str(tmp_path / "nowhere")).order("a question", passages(1))
    assert "SPACEPORT_RERANKER" in caught.value.remedy


def test_a_classifier_is_not_a_reranker(tmp_path: Path) -> None:
    with pytest.raises(RetrievalError, match="returns 3 scores"):
        Reranker(cross_encoder(tmp_path, labels=3)).order("a question", passages(1))
