"""The llama.cpp server of xllamacpp, in this process.

xllamacpp always opens an HTTP port on 127.0.0.1, so the embedded model uses the same streaming client as any server,
with continuous batching and a connection whose closing stops the generation. A random key keeps out other users of
the machine and web pages.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any, Literal

from backends.errors import NotConfigured
from backends.machine.processors import limit_spin_wait, usable_processors

PROMPT_CACHE_MIB = 256
Task = Literal["chat", "embed", "rerank"]
Pooling = Literal["mean", "cls", "last"]


class Engine:
    """A running llama.cpp server: its `url`, its `key`, and the `name` of its model."""

    alive = True

    def __init__(
        self,
        path: Path,
        *,
        context: int,
        parallel: int,
        threads: int | None,
        task: Task = "chat",
        pooling: str | None = None,
    ) -> None:
        limit_spin_wait()
        import xllamacpp

        self.key = secrets.token_urlsafe(32)
        self.name = path.stem
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {self.name}
        params.n_ctx = context * parallel
        params.n_parallel = parallel
        params.cpuparams.n_threads = threads or usable_processors()
        params.api_keys = [self.key]
        params.cors_origins = "http://127.0.0.1"
        params.ui = params.endpoint_slots = params.endpoint_metrics = False
        params.cache_ram_mib = PROMPT_CACHE_MIB
        params.verbosity = 0
        if task != "chat":
            params.embedding = True
            params.pooling_type = _pooling_type("rank" if task == "rerank" else pooling)
            params.n_batch = params.n_ubatch = context  # a text is read in one step
        try:
            self._server = xllamacpp.Server(params)
        except Exception as error:
            raise load_error(path, str(error)) from error
        self.url = f"{self._server.listening_address}/v1"

    def stop(self) -> None:
        """Stop the server; its threads must end before the interpreter unloads the library."""
        del self._server


def _pooling_type(name: str | None) -> Any:
    """Return llama.cpp's constant; without a name, the model's file decides."""
    import xllamacpp

    kinds = xllamacpp.llama_pooling_type
    return getattr(kinds, f"LLAMA_POOLING_TYPE_{(name or 'unspecified').upper()}")


def load_error(path: Path, reason: str) -> NotConfigured:
    """The error for a model file that llama.cpp can't load."""
    return NotConfigured(
        f"llama.cpp could not load {path.name} ({reason}).", "It must be a GGUF model that fits into memory."
    )
