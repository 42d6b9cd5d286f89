"""Embeddings and scores from a target of the catalogue, for the settings that name a model as `target:NAME`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from backends import BackendError, Catalog
from backends.vectors import connect_embeddings, connect_reranking
from rag.errors import RetrievalError
from rag.search.embedding.prompts import prompts_of
from rag.search.embedding.token_vectors import Span, TokenVectors
from ui.process.event_loop import EventLoopThread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
PREFIX = "target:"
# A unit of a text's length, so that a batch has about 32,000 characters: fewer and larger requests than a model in this
# process would get.
CHARACTERS = 64


class TargetModel:
    """An embedding model of another server; safe to call from several threads."""

    workers = 4  # requests at once
    vocabulary_size = 0  # unknown

    def __init__(self, name: str) -> None:
        """Connect to the target; `name` begins with `target:`."""
        self._target = name.removeprefix(PREFIX)
        self._backend = _checked(lambda: connect_embeddings(Catalog.load(), self._target))
        self._size: int | None = None
        self.prompts = prompts_of(_model_setting(self._target), {})

    def prepare_thread(self) -> None:
        """Do nothing: the threads only wait."""

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """Return the texts themselves, and their lengths as if some characters were a token."""
        return list(texts), [1 + len(text) // CHARACTERS for text in texts]

    def vectors(self, tokens: Any, rows: Sequence[int]) -> NDArray[np.float32]:
        """Return one vector of length 1 for each of these texts."""
        import numpy as np

        embeddings = _run(self._backend.embed([tokens[row] for row in rows]))
        matrix = np.array(embeddings.vectors, dtype=np.float32)
        self._size = self._size or matrix.shape[1]
        if matrix.shape[1] != self._size:
            raise RetrievalError(
                f"The target {self._target} returns vectors of {matrix.shape[1]} numbers; before, it was {self._size}.",
                "Its model has changed: start again, and add the documents again.",
            )
        unit: NDArray[np.float32] = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
        return unit

    def token_spans(self, text: str) -> list[Span]:
        """Return nothing: a server tells no tokens."""
        return []

    def token_vectors(self, tokens: Any, rows: Sequence[int]) -> list[TokenVectors]:
        """Return the vector of each text, without those of tokens, which a server doesn't return."""
        import numpy as np

        vectors = self.vectors(tokens, rows)
        return [TokenVectors(vector, np.empty((0, len(vector)), np.float16)) for vector in vectors]


class TargetScores:
    """A reranker of another server: scores of texts for a question, from 0 to 1."""

    def __init__(self, name: str) -> None:
        """Connect to the target; `name` begins with `target:`."""
        self._backend = _checked(lambda: connect_reranking(Catalog.load(), name.removeprefix(PREFIX)))

    def __call__(self, question: str, texts: Sequence[str]) -> list[float]:
        import numpy as np

        scores = np.array(_run(self._backend.rerank(question, texts)))
        if scores.min(initial=0) < 0 or scores.max(initial=0) > 1:  # llama.cpp returns what a model computes
            scores = 1 / (1 + np.exp(-scores))
        return [float(score) for score in scores]


def full_name(name: str) -> str:
    """Return `target:NAME` with the model that the catalogue names, because stored vectors depend on that."""
    return f"{name} {_model_setting(name.removeprefix(PREFIX))}".rstrip()


def _model_setting(target: str) -> str:
    return str(_checked(lambda: Catalog.load().settings(target)).get("model") or "")


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    return _checked(lambda: _loop().run(coroutine))


def _checked(work: Callable[[], T]) -> T:
    """Return what `work` does; an error of the model is one of the search."""
    try:
        return work()
    except BackendError as error:
        raise RetrievalError(error.message, error.remedy) from error


@cache
def _loop() -> EventLoopThread:
    return EventLoopThread()
