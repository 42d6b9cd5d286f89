"""What an error of the disk means: that something isn't there, or that nobody knows."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from rag.errors import DocumentError

# Of all errors, only these say that something isn't there. Others, such as too many open files, pass.
MISSING = (FileNotFoundError, NotADirectoryError)
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextlib.contextmanager
def disk_errors(problem: str) -> Iterator[None]:
    """Turn an `OSError` into a `DocumentError` with the message `problem`."""
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            remedy = "Remove documents that you no longer need, or try again later."
            raise DocumentError(f"{problem}: the disk is full.", remedy) from error
        raise DocumentError(f"{problem} ({type(error).__name__}).", "Try again.") from error
