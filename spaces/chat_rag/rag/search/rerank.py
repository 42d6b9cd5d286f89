"""Optional reranking with a cross-encoder, which reads question and passage together: more precise, but slower."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rag.documents import Passage
from rag.errors import RetrievalError
from rag.search.embedding.target_models import PREFIX, TargetScores

RERANK_LIMIT = 30  # passages that the model reads; the others follow in their order
BATCH = 8
_VARIABLE = "SPACEPORT_RERANKER"
Scorer = Callable[[str, Sequence[str]], list[float]]


class Reranker:
    """A cross-encoder, which is loaded at its first use.

    `model` is the Hub id or folder of a CrossEncoder of sentence-transformers with one score, or `target:NAME` for a
    reranker of the catalogue.
    """

    def __init__(self, model: str) -> None:
        self._name = model
        self._score: Scorer | None = None
        self._lock = threading.Lock()

    def order(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Return the passages, the first RERANK_LIMIT in the model's order and with its scores, from 0 to 1."""
        first, rest = passages[:RERANK_LIMIT], passages[RERANK_LIMIT:]
        scores = self._scores(question, [passage.text for passage in first])
        reranked = [replace(passage, score=round(score, 4)) for score, passage in zip(scores, first, strict=True)]
        reranked.sort(key=lambda passage: -passage.score)
        lowest = reranked[-1].score if reranked else 1.0
        return [*reranked, *(replace(passage, score=min(passage.score, lowest)) for passage in rest)]

    def _scores(self, question: str, texts: Sequence[str]) -> list[float]:
        with self._lock:
            if self._score is None:
                self._score = TargetScores(self._name) if self._name.startswith(PREFIX) else _cross_encoder(self._name)
        return self._score(question, texts) if texts else []


def configured_reranker() -> Reranker | None:
    """Return the reranker that SPACEPORT_RERANKER names, the same object each time, or None."""
    name = os.environ.get(_VARIABLE)
    return _reranker(name) if name else None


@lru_cache(maxsize=1)
def _reranker(name: str) -> Reranker:
    return Reranker(name)


def _cross_encoder(name: str) -> Scorer:
    """Return the scores of a model in this process, for one question at a time."""
    model, lock = _load(name), threading.Lock()

    def scores(question: str, texts: Sequence[str]) -> list[float]:
        from torch.nn import Sigmoid

        pairs = [(question, text) for text in texts]
        with lock:
            values = model.predict(pairs, batch_size=BATCH, activation_fn=Sigmoid(), show_progress_bar=False)
        return [float(value) for value in values]

    return scores


def _load(name: str) -> Any:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise RetrievalError(
            f"{_VARIABLE} is set, but the package sentence-transformers isn't installed.",
            f"Install it: pip install 'spaceport[demo]'. Or unset {_VARIABLE}.",
        )
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(name)
    except Exception as error:  # errors of the Hub, of transformers and of the file system
        raise RetrievalError(
            f"Can't load the reranker {name} ({type(error).__name__}).",
            f"Set {_VARIABLE} to the Hub id or folder of a cross-encoder, or unset it.",
        ) from error
    if model.num_labels != 1:
        raise RetrievalError(
            f"The reranker {name} returns {model.num_labels} scores; it must return one.",
            f"Set {_VARIABLE} to a cross-encoder for ranking, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        )
    return model
