"""Chat pages and their model as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx2

from harness.pages.page_client import ChatEvents, chat_events
from harness.tables import free_port

BENCHMARKS = Path(__file__).parents[2]
ROOT = BENCHMARKS.parent


@dataclass(frozen=True)
class Server:
    """A running app: its URL, its process, the events of its page, its configuration, and its log."""

    url: str
    pid: int
    events: ChatEvents
    config: dict[str, Any]
    log: IO[str]

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the process so far, of all threads, including ended ones."""
        return time.clock_gettime((~self.pid << 3) | 2)  # the kernel's clock id of a process


@contextmanager
def run_chat(command: Sequence[str], **environment: str) -> Iterator[Server]:
    """Start an app on a free port and wait until its page is available."""
    port = free_port()
    all_variables = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", **environment}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=all_variables, stdout=log, stderr=log)
        try:
            config = None
            while config is None:
                time.sleep(0.1)
                if process.poll() is not None:
                    log.seek(0)
                    sys.exit(f"error: {' '.join(command)} ended:\n{log.read()}")
                config = read_config(f"http://127.0.0.1:{port}")
            yield Server(f"http://127.0.0.1:{port}", process.pid, chat_events(config), config, log)
        finally:
            process.terminate()
            process.wait()


def read_config(url: str) -> dict[str, Any] | None:
    """Return the page's configuration, or None while the server doesn't answer."""
    try:
        return httpx2.get(f"{url}/config", timeout=5, trust_env=False).json()
    except httpx2.TransportError:
        return None


def model_server(words: int, rate: float) -> AbstractContextManager[int]:
    """Start the paced model on a free port and yield the port; with 0 words, requests say how many they want."""
    return running_server("paced_server", str(words), "--rate", str(rate))


@contextmanager
def running_server(module: str, *arguments: str) -> Iterator[int]:
    """Start a server of the harness on a free port and yield the port."""
    port = free_port()
    command = [sys.executable, "-m", f"harness.servers.{module}", str(port), *arguments]
    with subprocess.Popen(command, cwd=BENCHMARKS, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield port
        finally:
            process.terminate()
