"""Runs a server as a process on loopback, from its first answer to the end of a block."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compatibility.environments import OFFLINE, Environments

START_SECONDS = 400


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a server: its address with /v1, its key ("" if it asks for none) and its name."""

    url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Server:
    """The targets of one server; None where this machine has no model for the task."""

    chat: Target | None
    embed: Target | None
    rerank: Target | None


@dataclass(frozen=True, slots=True)
class Workplace:
    """What the servers are started with: a folder for models and logs, and the environments of programs."""

    folder: Path
    environments: Environments

    @contextmanager
    def process(
        self, name: str, command: Sequence[str | Path], variables: Mapping[str, str], health: str
    ) -> Iterator[str]:
        """Run a server, whose command and variables have PORT for the port; yield its address when `health` answers."""
        port = free_port()
        log = self.folder / f"{name}.log"
        environment = {key: value.replace("PORT", str(port)) for key, value in variables.items()}
        words = [str(word).replace("PORT", str(port)) for word in command]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words, env={**os.environ, **OFFLINE, **environment}, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                _wait(process, f"http://127.0.0.1:{port}{health}", log)
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                _end(process)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server answers; `RuntimeError` with its last line if it ends or is late."""
    end = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > end:
            last = (log.read_text(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
            raise RuntimeError(f"it did not start ({last[:200]})")
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
