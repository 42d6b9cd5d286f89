"""Watches the head of a Ray cluster during a build.

When the head is gone, Ray's own calls block, and after a minute Ray ends the whole process: no error reaches Python.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LOOK_SECONDS = 2.0  # between two looks at the head; the number of processors isn't fixed, because a cluster can grow
# Shorter than Ray's minute, and longer than a head takes that Kubernetes starts again on the same address.
_GONE_SECONDS = 25.0


class Head:
    """The head of the cluster that this process is connected to: its address, and the processors of the cluster."""

    def __init__(self, ray: Any) -> None:
        self.address: str = ray.get_runtime_context().gcs_address
        self.processors = _processors(ray)
        self._last_answer = time.monotonic()
        self._end = threading.Event()

    @property
    def is_gone(self) -> bool:
        """Return whether nobody has answered at the address for a while."""
        return time.monotonic() - self._last_answer > _GONE_SECONDS

    def watch(self, ray: Any) -> None:
        """Look at the head until `end`."""
        host, _, port = self.address.rpartition(":")
        while not self._end.wait(_LOOK_SECONDS):
            with suppress(Exception):  # of many kinds, and each means that the head doesn't answer
                socket.create_connection((host.strip("[]"), int(port)), timeout=_LOOK_SECONDS).close()
                if not self._end.is_set():
                    self.processors = _processors(ray)
                    self._last_answer = time.monotonic()

    def end(self) -> None:
        """Stop looking."""
        self._end.set()


@contextmanager
def watch_head(ray: Any) -> Iterator[Head]:
    """Watch the head in a thread, which may stay in a call of Ray that never returns."""
    head = Head(ray)
    thread = threading.Thread(target=head.watch, args=(ray,), name="ray-head", daemon=True)
    thread.start()
    try:
        yield head
    finally:
        head.end()
        thread.join(2 * _LOOK_SECONDS)  # after Ray's shutdown, its next call would start another Ray


def _processors(ray: Any) -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
