"""Text to vectors with an exported model: onnxruntime and tokenizers, which come with Chroma, and no torch.

Where the processor multiplies whole numbers of 8 bits, the model of model_int8.onnx is taken, if there is one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.processors import has_feature, usable_processors
from rag.errors import RetrievalError
from rag.search.onnx_export import INT8, MODEL, TOKENIZER

# Without one of these units the sums of such products overflow, and the vectors are wrong.
_INT8_FEATURES = ("avx512_vnni", "avx_vnni")
MAX_TOKENS = 256  # what all-MiniLM-L6-v2 was trained with; its tokenizer.json says 128

# Otherwise onnxruntime reports to its maker what it runs. It looks when it is loaded, which may be by the reader of
# HTML and DOCX, so it is told here, before any of them.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class OnnxModel:
    """A sentence model whose token vectors are averaged; safe to call from several threads, side by side."""

    def __init__(self, folder: str, *, int8: bool | None = None) -> None:
        """Load it; `int8` decides over the precision in place of the processor."""
        self._int8 = (Path(folder) / INT8).is_file() and (computes_in_int8() if int8 is None else int8)
        try:
            self._tokenizer = _tokenizer(Path(folder) / TOKENIZER)
            self._session = _session(Path(folder) / (INT8 if self._int8 else MODEL))
        except Exception as error:  # both libraries raise kinds of their own, some of them a bare Exception
            raise RetrievalError(
                f"The embedding model in {folder} cannot be loaded ({type(error).__name__}).",
                f"Make {MODEL} and {TOKENIZER} anew: python -m rag.search.onnx_export FOLDER.",
            ) from error
        self.workers = usable_processors()
        self._asked = [each.name for each in self._session.get_inputs()]

    def prepare_thread(self) -> None:
        """Nothing: the session computes in the thread that calls it."""

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """What `vectors` takes, and the number of tokens of each text."""
        encoded = self._tokenizer.encode_batch(list(texts))
        return encoded, [sum(each.attention_mask) for each in encoded]

    def vectors(self, tokens: Any, rows: Sequence[int]) -> Any:
        """One float32 vector of length 1 a text: the mean of its tokens' vectors, as sentence-transformers takes it."""
        import numpy as np

        # The scale of what is rounded to 8 bits is taken from a whole batch: alone, a text always has the same vector.
        # It was no slower.
        if self._int8 and len(rows) > 1:
            return np.concatenate([self.vectors(tokens, [row]) for row in rows])
        chosen = [tokens[row] for row in rows]
        longest = max(sum(each.attention_mask) for each in chosen)
        mask = np.array([each.attention_mask[:longest] for each in chosen], dtype=np.int64)
        inputs = {
            "input_ids": np.array([each.ids[:longest] for each in chosen], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([each.type_ids[:longest] for each in chosen], dtype=np.int64),
        }
        found = self._session.run(None, {name: inputs[name] for name in self._asked})[0]
        # The length takes out any scale, so the sum over the tokens points where their mean does.
        sums = (found * mask[..., None].astype(found.dtype)).sum(axis=1)
        return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


def computes_in_int8() -> bool:
    """Whether the processor is fast and exact in whole numbers of 8 bits."""
    return any(map(has_feature, _INT8_FEATURES))


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()  # to the longest of a batch, where the file may have a fixed length
    return tokenizer


def _session(file: Path) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    # Batches are computed side by side, each in one thread: threads of one batch wait for each other.
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors; it warns of machines without a GPU
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
