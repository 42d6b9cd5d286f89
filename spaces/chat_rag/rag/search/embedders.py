"""Text to vectors with all-MiniLM-L6-v2: 384 dimensions, length 1, so that a dot product is the cosine."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from backends.processors import has_accelerator, has_feature
from rag.search.onnx_embedder import OnnxModel
from rag.search.onnx_export import HUB_MODEL, cached_export, is_exported, packaged_model
from rag.search.torch_embedder import HALF, TorchModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCH_TOKENS = 512  # with their padding; more were no faster, and take longer to give a processor back
TOKENISED_AT_ONCE = 512  # texts; sorted by length among themselves
Report = Callable[[float], None]


class Model(Protocol):
    """A sentence model that tokenises apart from computing, and computes in several threads at once."""

    workers: int

    def prepare_thread(self) -> None:
        """To be called once in each thread that computes."""

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """What `vectors` takes, and the number of tokens of each text."""

    def vectors(self, tokens: Any, rows: Sequence[int]) -> NDArray[np.float32]:
        """One vector of length 1 for each of these texts."""


class Embedder:
    """An embedding model, loaded at its first use; safe to call from several threads.

    `model` is a Hub id or a folder for sentence-transformers, or a folder with model.onnx and tokenizer.json,
    which onnxruntime runs without torch.
    """

    def __init__(self, model: str | None = None) -> None:
        self.name = model or os.environ.get("SPACEPORT_EMBEDDINGS") or packaged_model() or HUB_MODEL
        self._model: Model | None = None
        self._loading = threading.Lock()

    def warm(self) -> None:
        """Load the model now."""
        self.encode(["warm"])

    def encode(self, texts: Sequence[str], report: Report | None = None) -> NDArray[np.float32]:
        """One vector a text, as the rows of an array; `report` is called with the share that is done, from 0 to 1.

        What `report` raises ends the work and passes through. Text beyond 256 tokens of one entry does not count,
        as the model was trained.
        """
        import numpy as np

        model, vectors, done = self._loaded(), np.empty((0, 0), dtype=np.float32), 0
        for start in range(0, len(texts), TOKENISED_AT_ONCE):
            tokens, lengths = model.tokenise(texts[start : start + TOKENISED_AT_ONCE])
            for rows, found in self._computed(model, tokens, list(batches(lengths, BATCH_TOKENS))):
                if not len(vectors):
                    vectors = np.empty((len(texts), found.shape[1]), dtype=np.float32)
                vectors[[start + row for row in rows]] = found
                done += len(rows)
                if report:
                    report(done / len(texts))
        return vectors

    def _computed(
        self, model: Model, tokens: Any, groups: Sequence[list[int]]
    ) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """Each group of texts with its vectors, in order, several groups being computed at a time."""
        # A question is one group: it has threads of its own and never waits for an upload. Of an upload only a few
        # groups are in the queue, enough for all threads, so that two uploads take turns.
        pool = self._first if len(groups) == 1 else self._others
        running: deque[tuple[list[int], Future[Any]]] = deque()
        try:
            for rows in groups:
                if len(running) == 2 * model.workers:
                    done, future = running.popleft()
                    yield done, future.result()
                running.append((rows, pool.submit(model.vectors, tokens, rows)))
            while running:
                done, future = running.popleft()
                yield done, future.result()
        finally:
            for _, future in running:
                future.cancel()

    def _loaded(self) -> Model:
        with self._loading:
            if self._model is None:
                model = load(self.name)
                self._first, self._others = (
                    ThreadPoolExecutor(model.workers, f"embed-{what}", model.prepare_thread)
                    for what in ("question", "upload")
                )
                self._model = model
            return self._model


def load(name: str) -> Model:
    """The model on what computes it fastest here.

    That is torch on a GPU or on a processor with a unit for half precision, otherwise onnxruntime, for the default
    model, whose exported form is made at the first use. Any other model of the Hub runs on torch.
    """
    if is_exported(name):
        return OnnxModel(name)
    fast_in_torch = has_accelerator() or has_feature(HALF)
    if name in (packaged_model(), HUB_MODEL) and not fast_in_torch and (folder := cached_export()):
        return OnnxModel(str(folder))
    return TorchModel(name)


def batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Indexes in groups of like lengths, the shortest first: with its padding a group has at most `most` tokens.

    Sorted by tokens, padding adds 1 to 3 % to the work; by characters, 36 to 62 %, since figures are many tokens.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > most:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
