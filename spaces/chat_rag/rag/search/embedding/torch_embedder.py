"""Embeds text with sentence-transformers, in half precision if the processor is fast at it."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

from backends.machine.processors import has_feature, limit_spin_wait, usable_processors
from rag.errors import RetrievalError
from rag.search.embedding.prompts import prompts_of
from rag.search.embedding.token_vectors import Span, TokenVectors, unit_length

# The processor's unit that multiplies matrices of bfloat16. AVX-512 has bfloat16 too (avx512_bf16), but took 1.6 times
# the time of float32.
BFLOAT16_FEATURE = "amx_bf16"


class TorchModel:
    """A model of sentence-transformers; safe to call from several threads, which compute in parallel."""

    def __init__(self, name: str, *, half: bool | None = None) -> None:
        """Load the model, or raise `RetrievalError`; `half` overrides the choice of precision by processor."""
        if importlib.util.find_spec("sentence_transformers") is None:
            raise RetrievalError(
                "The package sentence-transformers isn't installed.",
                "Install it: pip install 'spaceport[demo]'. Or set SPACEPORT_EMBEDDINGS to a folder with model.onnx "
                "and tokenizer.json.",
            )
        limit_spin_wait()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # a progress bar is noise in a server's log
        if torch.get_num_threads() > usable_processors():  # torch ignores a container's limit
            torch.set_num_threads(usable_processors())
        try:
            self._model: Any = SentenceTransformer(name).eval()
        except Exception as error:  # errors of the Hub, of transformers and of the file system
            raise RetrievalError(
                f"Can't load the embedding model {name} ({type(error).__name__}).",
                "Check the network, or set SPACEPORT_EMBEDDINGS to the Hub id or folder of a model.",
            ) from error
        self.vocabulary_size: int = len(self._model.tokenizer)
        self.prompts = prompts_of(name, getattr(self._model, "prompts", None) or {})
        self._tokenizer_lock = threading.Lock()  # each call changes the settings of a transformers tokenizer
        on_cpu = self._model.device.type == "cpu"
        self.workers = usable_processors() if on_cpu else 1
        if on_cpu and (has_feature(BFLOAT16_FEATURE) if half is None else half):
            self._model[0].to(torch.bfloat16)
            self._model[0].register_forward_hook(_to_float32)

    def prepare_thread(self) -> None:
        """Limit the calling thread to one core: batches in parallel are faster than one batch in several threads.

        The threads of one batch wait for each other after each of its hundred steps.
        """
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="openmp")  # applies to this thread only

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """Return the input of `vectors`, and the number of tokens of each text."""
        with self._tokenizer_lock:
            tokens = self._model.preprocess(list(texts))
        return tokens, tokens["attention_mask"].sum(dim=1).tolist()

    def token_spans(self, text: str) -> list[Span]:
        """Return the characters of each token of a text; nothing with a tokenizer that doesn't know them."""
        if not self._model.tokenizer.is_fast:
            return []
        with self._tokenizer_lock:
            encoding = self._model.tokenizer(text, truncation=True, return_offsets_mapping=True)
        own = self._between_marks(encoding["input_ids"])
        return [(start, end) for start, end in encoding["offset_mapping"][own]]

    def vectors(self, tokens: Any, rows: Sequence[int]) -> Any:
        """Return one float32 vector of length 1 for each of these texts, as a numpy array."""
        return self._run(tokens, rows)[0]

    def token_vectors(self, tokens: Any, rows: Sequence[int]) -> list[TokenVectors]:
        """Return the vector of each text, as `vectors` does, and those of its tokens."""
        vectors, outputs, batch = self._run(tokens, rows)
        encoded = []
        for at, vector in enumerate(vectors):
            is_text = batch["attention_mask"][at].cpu().numpy() == 1
            own = self._between_marks(batch["input_ids"][at].cpu().numpy()[is_text].tolist())
            encoded.append(TokenVectors(vector, unit_length(outputs[at][is_text][own])))
        return encoded

    def _between_marks(self, identifiers: Sequence[int]) -> slice:
        """Return which tokens are the text's own, and not the marks of the tokenizer at its beginning and its end."""
        marks = set(self._model.tokenizer.all_special_ids)
        begins, ends = identifiers[:1], identifiers[1:][-1:]
        return slice(int(bool(marks & set(begins))), len(identifiers) - int(bool(marks & set(ends))))

    def _run(self, tokens: Any, rows: Sequence[int]) -> tuple[Any, Any, Any]:
        """Return the vectors of these texts and of their tokens, as numpy arrays, and the input of the model."""
        import torch

        longest = int(tokens["attention_mask"][rows].sum(dim=1).max())
        padded_left = getattr(self._model.tokenizer, "padding_side", "right") == "left"
        columns = slice(-longest, None) if padded_left else slice(longest)
        with torch.inference_mode():
            batch = {
                name: value[rows, columns].to(self._model.device) if torch.is_tensor(value) else value
                for name, value in tokens.items()
            }
            output = self._model(dict(batch))
            vectors = torch.nn.functional.normalize(output["sentence_embedding"].float(), dim=1)
            return vectors.cpu().numpy(), output["token_embeddings"].float().cpu().numpy(), batch


def _to_float32(module: Any, inputs: Any, features: dict[str, Any]) -> dict[str, Any]:
    """Convert the tokens' vectors to float32 before they are averaged: a sum in bfloat16 would lose digits."""
    import torch

    return {
        name: value.float() if torch.is_tensor(value) and value.is_floating_point() else value
        for name, value in features.items()
    }
