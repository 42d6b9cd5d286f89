"""Runs a server as a process on loopback, from its first answer to the end of a block."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# Below those that Linux, macOS and Windows give to connections, and to servers that ask for any: such a port another
# process could get before the server has it, or while it's stopped for a moment.
PORTS = range(10_000, 32_000)


class NotStarted(Exception):
    """A server ended before its first answer, or was late; `lines` are those of its log."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines[-15:]))
        self.lines = lines


@contextmanager
def running_server(
    command: Sequence[str | Path],
    url: str,
    log: Path,
    *,
    environment: Mapping[str, str],
    seconds: float,
    folder: Path | None = None,
    is_ready: Callable[[bytes], bool] = lambda body: True,
) -> Iterator[None]:
    """Run a command until the end of the block, which begins when `url` answers 200 with a body that `is_ready`.

    Its output goes to `log`. `NotStarted` if it ends first, or isn't ready after so many seconds.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + seconds
            while (body := _read(url)) is None or not is_ready(body):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise NotStarted(log.read_text(errors="replace").splitlines())
                time.sleep(0.2)
            yield
        finally:
            _end(process)


def free_port() -> int:
    """Return a port that nobody listens on, and that the system gives to nobody who asks for any."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _read(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # loopback
            return bytes(response.read()) if response.status == 200 else None
    except OSError:  # URLError is one
        return None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
