"""The protocols of backends that embed and rerank, which are separate from chat: a server often does only one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

# 32-bit floats: a list of Python's would take eight times the memory.
Vector: TypeAlias = "array[float]"


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector per text, in the order of the texts; `input_tokens` is what the server counted, or None."""

    vectors: tuple[Vector, ...]
    input_tokens: int | None = None


@runtime_checkable
class EmbeddingBackend(Protocol):
    """A backend whose model turns texts into vectors."""

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """Return one vector per text, all of one length; no texts make no request.

        Raises a `BackendError`; `InvalidAnswer` if the server returns something else than that.
        """
        ...

    async def aclose(self) -> None: ...


@runtime_checkable
class RerankingBackend(Protocol):
    """A backend whose model says how well texts answer a query."""

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in the order of the texts; the highest fits best.

        Scores are on the model's own scale: some servers return probabilities, others any numbers. Raises as `embed`.
        """
        ...

    async def aclose(self) -> None: ...
