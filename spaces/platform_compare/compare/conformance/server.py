"""Starts the scripted server as a process of its own, and reads what happened there."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from compare.errors import CompareError

MODULE = "compare.conformance.scripted_server"


@dataclass(frozen=True, slots=True)
class Stamp:
    """One request at the server, in seconds of one clock: when it arrived, when its texts were sent, when it ended.

    `tokens` is the count that the answer reports. An answer that broke off, or had none, isn't `complete`.
    """

    model: str
    read: float
    texts: tuple[float, ...]
    status: int
    tokens: int
    complete: bool
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class ScriptedServer:
    """A running scripted server."""

    url: str

    def stamps(self) -> list[Stamp]:
        """Return the requests since the last call, in the order in which they were read."""
        answer = httpx2.get(f"{self.url}/stamps", timeout=30, trust_env=False).json()
        stamps = [Stamp(**{**each, "texts": tuple(each["texts"])}) for each in answer]
        return sorted(stamps, key=lambda stamp: stamp.read)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Start the server on a free port of this machine, and end it at the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", MODULE, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  # this program's own module
        try:
            if process.stdout is None or not process.stdout.readline():
                raise CompareError("The scripted server didn't start.", f"Run it: python -m {MODULE} {port}")
            yield ScriptedServer(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
