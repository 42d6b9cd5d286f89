"""A cross-encoder, which reads a question and a passage together: closer than two vectors, slower, off by default."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from rag.documents import Passage
from rag.errors import RetrievalError

RERANKED = 30  # passages that are read again; the others keep their order behind them
BATCH = 8
_VARIABLE = "SPACEPORT_RERANKER"


class Reranker:
    """A sentence-transformers CrossEncoder with one score, by Hub id or folder, loaded at its first use."""

    def __init__(self, model: str) -> None:
        self._name = model
        self._model: Any = None
        self._turn = threading.Lock()

    def order(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """The passages, the first of them in the model's order and with its scores, from 0 to 1."""
        first, rest = passages[:RERANKED], passages[RERANKED:]
        scores = self._scores([(question, passage.text) for passage in first])
        read = [replace(passage, score=round(score, 4)) for score, passage in zip(scores, first, strict=True)]
        read.sort(key=lambda passage: -passage.score)
        least = read[-1].score if read else 1.0
        return [*read, *(replace(passage, score=min(passage.score, least)) for passage in rest)]

    def _scores(self, pairs: list[tuple[str, str]]) -> list[float]:
        from torch.nn import Sigmoid

        with self._turn:
            if self._model is None:
                self._model = _load(self._name)
            if not pairs:
                return []
            scores = self._model.predict(pairs, batch_size=BATCH, activation_fn=Sigmoid(), show_progress_bar=False)
        return [float(score) for score in scores]


def configured_reranker() -> Reranker | None:
    """The one that SPACEPORT_RERANKER names, the same each time, or None."""
    name = os.environ.get(_VARIABLE)
    return _reranker(name) if name else None


@lru_cache(maxsize=1)
def _reranker(name: str) -> Reranker:
    return Reranker(name)


def _load(name: str) -> Any:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise RetrievalError(
            f"{_VARIABLE} is set, but the package sentence-transformers is not installed.",
            f"Install it: pip install 'spaceport[demo]'. Or unset {_VARIABLE}.",
        )
    from sentence_transformers import CrossEncoder

    try:
        model = CrossEncoder(name)
    except Exception as error:  # the Hub's, transformers' and the file system's kinds
        raise RetrievalError(
            f"The reranker {name} cannot be loaded ({type(error).__name__}).",
            f"Set {_VARIABLE} to a cross-encoder's Hub id or folder, or unset it.",
        ) from error
    if model.num_labels != 1:
        raise RetrievalError(
            f"The reranker {name} gives {model.num_labels} scores, where one is needed.",
            f"Set {_VARIABLE} to a cross-encoder for ranking, such as cross-encoder/ms-marco-MiniLM-L6-v2.",
        )
    return model
