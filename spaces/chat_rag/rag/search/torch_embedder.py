"""Text to vectors with sentence-transformers, in half precision where the processor is fast in it."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from typing import Any

from backends.processors import has_feature, limit_spin_wait, usable_processors
from rag.errors import RetrievalError

# The unit that multiplies matrices of bfloat16. AVX-512 alone announces bfloat16 too (avx512_bf16), but there it took
# 1.6 times the time of float32.
HALF = "amx_bf16"


class TorchModel:
    """A model of sentence-transformers; safe to call from several threads, which compute side by side."""

    def __init__(self, name: str, *, half: bool | None = None) -> None:
        """Load it; `half` decides over the precision in place of the processor."""
        if importlib.util.find_spec("sentence_transformers") is None:
            raise RetrievalError(
                "The package sentence-transformers is not installed.",
                "Install it: pip install 'spaceport[demo]'. Or set SPACEPORT_EMBEDDINGS to a folder with model.onnx "
                "and tokenizer.json.",
            )
        limit_spin_wait()
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # a bar a load is noise in a server's log
        if torch.get_num_threads() > usable_processors():  # torch does not know of a container's limit
            torch.set_num_threads(usable_processors())
        self._model: Any = SentenceTransformer(name).eval()
        self._tokenising = threading.Lock()  # a tokenizer of transformers is set up anew for each call
        on_cpu = self._model.device.type == "cpu"
        self.workers = usable_processors() if on_cpu else 1
        if on_cpu and (has_feature(HALF) if half is None else half):
            self._model[0].to(torch.bfloat16)
            self._model[0].register_forward_hook(_in_float32)

    def prepare_thread(self) -> None:
        """Let the calling thread compute alone: batches side by side beat one batch in several threads.

        Threads of one batch wait for each other after each of its hundred steps.
        """
        from threadpoolctl import threadpool_limits

        threadpool_limits(1, user_api="openmp")  # it counts for this thread only

    def tokenise(self, texts: Sequence[str]) -> tuple[Any, list[int]]:
        """What `vectors` takes, and the number of tokens of each text."""
        with self._tokenising:
            tokens = self._model.preprocess(list(texts))
        return tokens, tokens["attention_mask"].sum(dim=1).tolist()

    def vectors(self, tokens: Any, rows: Sequence[int]) -> Any:
        """One float32 vector of length 1 for each of these texts, as a numpy array."""
        import torch

        longest = int(tokens["attention_mask"][rows].sum(dim=1).max())
        left = getattr(self._model.tokenizer, "padding_side", "right") == "left"
        kept = slice(-longest, None) if left else slice(longest)
        with torch.inference_mode():
            batch = {
                name: value[rows, kept].to(self._model.device) if torch.is_tensor(value) else value
                for name, value in tokens.items()
            }
            found = self._model(batch)["sentence_embedding"].float()
            return torch.nn.functional.normalize(found, dim=1).cpu().numpy()


def _in_float32(module: Any, inputs: Any, features: dict[str, Any]) -> dict[str, Any]:
    """The tokens' vectors are averaged in float32: their sum would lose digits."""
    import torch

    return {
        name: value.float() if torch.is_tensor(value) and value.is_floating_point() else value
        for name, value in features.items()
    }
