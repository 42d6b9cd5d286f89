"""A Space as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.helpers.servers import free_port, is_listening, wait_until

ROOT = Path(__file__).parents[2]
CHAT = ROOT / "spaces" / "chat_rag" / "app.py"


@dataclass
class App:
    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_app(
    folder: Path,
    *arguments: str,
    space: str | Path = CHAT,
    command: list[str] | None = None,
    cwd: Path = ROOT,
    port: int | None = None,
    **environment: str,
) -> Iterator[App]:
    """Start a Space, or `command`, and wait until it answers. Its log and data go to `folder`."""
    port = port or free_port()
    log = folder / "log"
    defaults = {"GRADIO_SERVER_PORT": str(port), "PYTHONUNBUFFERED": "1", "SPACEPORT_DATA": str(folder / "data")}
    with log.open("wb") as out:
        # `gradio app.py` runs the page in a child and doesn't stop it: the whole process group gets the signal.
        process = subprocess.Popen(
            [*(command or [sys.executable, str(space)]), *arguments],
            cwd=cwd,
            env={**os.environ, **defaults, **environment},
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    app = App(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_until(lambda: answers(app), 120, lambda: f"the app did not start:\n{log.read_text()}")
        yield app
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(20)


def answers(app: App) -> bool:
    assert app.process.poll() is None, app.log.read_text()
    if not is_listening(int(app.url.rpartition(":")[2])):
        return False
    try:
        return httpx2.get(app.url, timeout=5, verify=False).status_code == 200  # loading certificates takes 30 ms
    except httpx2.TransportError:
        return False
