"""Sends many texts in several requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from backends.vectors.checks import check_lengths
from backends.vectors.types import Embeddings

T = TypeVar("T")

BATCH_TEXTS = 32  # the most that Text Embeddings Inference takes in one request as it is installed
CONCURRENT_REQUESTS = 4


async def embed_in_batches(
    texts: Sequence[str], embed_batch: Callable[[Sequence[str]], Awaitable[Embeddings]]
) -> Embeddings:
    """Return the embeddings of all texts from the answers for their batches."""
    parts = await in_batches(texts, embed_batch)
    vectors = tuple(vector for part in parts for vector in part.vectors)
    check_lengths(vectors)
    counts = [part.input_tokens for part in parts if part.input_tokens is not None]
    return Embeddings(vectors, sum(counts) if len(counts) == len(parts) else None)


async def in_batches(texts: Sequence[str], call: Callable[[Sequence[str]], Awaitable[T]]) -> list[T]:
    """Return the answers for batches of the texts, in order; the first error cancels the other requests."""
    semaphore = asyncio.Semaphore(CONCURRENT_REQUESTS)

    async def limited(batch: Sequence[str]) -> T:
        async with semaphore:
            return await call(batch)

    try:
        async with asyncio.TaskGroup() as group:
            starts = range(0, len(texts), BATCH_TEXTS)
            tasks = [group.create_task(limited(texts[start : start + BATCH_TEXTS])) for start in starts]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]
