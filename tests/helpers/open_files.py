"""A process that has too many open files, such as a server with many connections."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_more_files() -> Iterator[None]:
    """Let nothing be opened in the block; what is open already works on."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # The first three are open. With 0, threads of other tests' servers couldn't even wait for their socket.
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
