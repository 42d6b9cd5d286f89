"""Reads model files (GGUF) in half the time of the package gguf, and once for all who read them during a load."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any


def read_gguf(path: str | Path) -> Any:
    """Return a `gguf.GGUFReader` of a file; importing gguf takes a moment."""
    return _reader_class()(path)


@contextmanager
def shared_readers() -> Iterator[None]:
    """Give transformers one reader per file, and one map of the names of tensors, while the block runs.

    It reads a file for the tokenizer, again for the configuration, and again for the weights. It makes the map for each
    module of the network, four hundred times, which took half of the time of a load (transformers 5.23, 2026-11-30).
    """
    import gguf

    reader = _reader_class()  # before the original is replaced, which it extends
    originals = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader, gguf.get_tensor_name_map = cache(reader), cache(gguf.get_tensor_name_map)
    try:
        yield
    finally:
        gguf.GGUFReader, gguf.get_tensor_name_map = originals


@cache
def _reader_class() -> Any:
    import gguf
    import numpy as np

    class Reader(gguf.GGUFReader):  # type: ignore[misc]  # mypy doesn't follow the imports of gguf
        """Takes slices of a plain array: those of a memory map, a million for the words of a tokenizer, are slow."""

        @property
        def data(self) -> Any:
            return self._data

        @data.setter
        def data(self, memory_map: Any) -> None:
            self._data = np.asarray(memory_map)

    return Reader
