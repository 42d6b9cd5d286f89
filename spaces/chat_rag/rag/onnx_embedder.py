"""Text to vectors with an exported model: onnxruntime and tokenizers, which come with Chroma, and no torch."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.processors import usable_processors
from rag.errors import RetrievalError

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained with; its tokenizer.json says 128

# Otherwise onnxruntime reports to its maker what it runs. It looks when it is loaded, which may be by the reader of
# HTML and DOCX, so it is told here, before any of them.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def is_exported(folder: str) -> bool:
    """Whether this is a folder with a model for onnxruntime."""
    return all((Path(folder) / name).is_file() for name in (MODEL, TOKENIZER))


class OnnxModel:
    """A sentence model whose token vectors are averaged; one batch at a time."""

    def __init__(self, folder: str) -> None:
        try:
            self._tokenizer = _tokenizer(Path(folder) / TOKENIZER)
            self._session = _session(Path(folder) / MODEL)
        except Exception as error:  # both libraries raise kinds of their own, some of them a bare Exception
            raise RetrievalError(
                f"The embedding model in {folder} cannot be loaded ({type(error).__name__}).",
                f"Make {MODEL} and {TOKENIZER} anew: python containers/demo/embeddings.py FOLDER.",
            ) from error
        self._asked = [each.name for each in self._session.get_inputs()]

    def encode(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 a text: the mean of its tokens' vectors, as sentence-transformers takes it."""
        import numpy as np

        encoded = self._tokenizer.encode_batch(list(texts))
        mask = np.array([each.attention_mask for each in encoded], dtype=np.int64)
        inputs = {
            "input_ids": np.array([each.ids for each in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([each.type_ids for each in encoded], dtype=np.int64),
        }
        tokens = self._session.run(None, {name: inputs[name] for name in self._asked})[0]
        # The length takes out any scale, so the sum over the tokens points where their mean does.
        sums = (tokens * mask[..., None]).sum(axis=1)
        vectors: list[list[float]] = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).tolist()
        return vectors


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()  # to the longest of a batch, where the file may have a fixed length
    return tokenizer


def _session(file: Path) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    options.intra_op_num_threads = usable_processors()
    # Threads that spin while they wait would take the processors from llama.cpp, as in backends.processors.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors; it warns of machines without a GPU
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
