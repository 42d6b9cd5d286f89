"""Turns what Python, numpy and onnxruntime raise without memory into an error in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backends.errors import Overloaded

# onnxruntime has no class of its own for it: its text has the C++ error, that of its allocator, or CUDA's. Pillow
# raises an OSError for a decoder without memory.
_WORDS = ("bad_alloc", "bad allocation", "failed to allocate memory", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether the memory of the machine or of the GPU was too small."""
    if isinstance(error, MemoryError):
        return True
    is_theirs = isinstance(error, OSError) or type(error).__module__.startswith("onnxruntime")
    return is_theirs and any(words in str(error).lower() for words in _WORDS)


@contextmanager
def memory_errors_in_words() -> Iterator[None]:
    """Raise `Overloaded` for an error of the block that says that there is no memory."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        remedy = "Try again later, or send a smaller picture or fewer at once."
        raise Overloaded("There is no memory left for the picture.", remedy) from error
