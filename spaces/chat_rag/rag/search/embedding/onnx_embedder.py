"""Embeds text with an exported model on onnxruntime and tokenizers, which come with Chroma, and without torch.

If the processor multiplies 8-bit integers, model_int8.onnx is used, if it exists.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.machine.processors import has_feature, usable_processors
from rag.errors import RetrievalError
from rag.search.embedding.onnx_export import INT8, MODEL, PROMPTS, TOKENIZER
from rag.search.embedding.prompts import prompts_of
from rag.search.embedding.token_vectors import Span, TokenVectors, unit_length

# Without one of these units, the sums of 8-bit products overflow and the vectors are wrong.
_INT8_FEATURES = ("avx512_vnni", "avx_vnni")
MAX_TOKENS = 256  # as all-MiniLM-L6-v2 was trained; its tokenizer.json says 128

# Without this, onnxruntime reports usage to its vendor. It reads the variable when it is loaded, which the reader of
# HTML and DOCX can do first, so this module sets it on import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class OnnxModel:
    """A sentence model whose token vectors are averaged; safe to call from several threads in parallel."""

    def __init__(self, folder: str, *, int8: bool | None = None) -> None:
        """Load the model; `int8` overrides the choice of precision by processor."""
        self._int8 = (Path(folder) / INT8).is_file() and (computes_in_int8() if int8 is None else int8)
        try:
            self._tokenizer = _tokenizer(Path(folder) / TOKENIZER)
            self._session = _session(Path(folder) / (INT8 if self._int8 else MODEL))
        except Exception as error:  # both libraries raise classes of their own, and bare Exception
            raise RetrievalError(
                f"Can't load the embedding model in {folder} ({type(error).__name__}).",
                f"Create {MODEL} and {TOKENIZER} again: python -m rag.search.embedding.onnx_export FOLDER.",
            ) from error
        self.workers = usable_processors()
        self.vocabulary_size: int = self._tokenizer.get_vocab_size()
        self.prompts = prompts_of(folder, _declared_prompts(Path(folder) / PROMPTS))
        self._input_names = [model_input.name for model_input in self._session.get_inputs()]

    def prepare_thread(self) -> None:
        """Do nothing: the session computes in the calling thread."""

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """Return the input of `vectors`, and the number of tokens of each text."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return encodings, [sum(encoding.attention_mask) for encoding in encodings]

    def token_spans(self, text: str) -> list[Span]:
        """Return the characters of each token of a text."""
        encoding = self._tokenizer.encode(text)
        return [
            span for span, special in zip(encoding.offsets, encoding.special_tokens_mask, strict=True) if not special
        ]

    def vectors(self, tokens: Any, rows: Sequence[int]) -> Any:
        """Return one float32 vector of length 1 per text: the mean of its tokens' vectors, as in sentence-transformers.

        With 8-bit integers each text is computed alone: the scale of the rounding depends on the whole batch, and a
        text must always have the same vector. That wasn't slower.
        """
        import numpy as np

        if self._int8 and len(rows) > 1:
            return np.concatenate([self.vectors(tokens, [row]) for row in rows])
        return _text_vectors(*self._run([tokens[row] for row in rows]))

    def token_vectors(self, tokens: Any, rows: Sequence[int]) -> list[TokenVectors]:
        """Return the vector of each text, as `vectors` does, and those of its tokens."""
        import numpy as np

        if self._int8 and len(rows) > 1:
            return [each for row in rows for each in self.token_vectors(tokens, [row])]
        encodings = [tokens[row] for row in rows]
        output, mask = self._run(encodings)
        own = [np.array(encoding.special_tokens_mask[: mask.shape[1]]) == 0 for encoding in encodings]
        texts = zip(_text_vectors(output, mask), output, own, strict=True)
        return [TokenVectors(vector, unit_length(each[is_own])) for vector, each, is_own in texts]

    def _run(self, encodings: Sequence[Any]) -> tuple[Any, Any]:
        """Return the vectors of the tokens of each text, and the mask of those that aren't padding."""
        import numpy as np

        longest = max(sum(encoding.attention_mask) for encoding in encodings)
        mask = np.array([encoding.attention_mask[:longest] for encoding in encodings], dtype=np.int64)
        inputs = {
            "input_ids": np.array([encoding.ids[:longest] for encoding in encodings], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([encoding.type_ids[:longest] for encoding in encodings], dtype=np.int64),
        }
        return self._session.run(None, {name: inputs[name] for name in self._input_names})[0], mask


def _text_vectors(output: Any, mask: Any) -> Any:
    """Return the vector of each text; it has the length 1, so the sum over the tokens serves as well as their mean."""
    import numpy as np

    sums = (output * mask[..., None].astype(output.dtype)).sum(axis=1)
    return (sums / np.linalg.norm(sums, axis=1, keepdims=True)).astype(np.float32)


def computes_in_int8() -> bool:
    """Return whether the processor is fast and exact with 8-bit integers."""
    return any(map(has_feature, _INT8_FEATURES))


def _declared_prompts(file: Path) -> dict[str, str]:
    return json.loads(file.read_text(encoding="utf-8")).get("prompts") or {} if file.is_file() else {}


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()  # to the longest text of a batch; the file can have a fixed length
    return tokenizer


def _session(file: Path) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    options = SessionOptions()
    # Batches run in parallel, each in one thread: the threads of one batch would wait for each other.
    options.intra_op_num_threads = 1
    # onnxruntime would keep the memory of the most texts that were ever computed at once, 45 MB, and a plan for each
    # length of a text. The C library gives memory back.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors; it warns about machines without a GPU
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
