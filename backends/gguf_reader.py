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
    """Give transformers one reader per file while the block runs: it reads a file for the tokenizer, again for the
    configuration, and again for the weights.
    """
    import gguf

    reader = _reader_class()  # before the original is replaced, which it extends
    original, gguf.GGUFReader = gguf.GGUFReader, cache(reader)
    try:
        yield
    finally:
        gguf.GGUFReader = original


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
