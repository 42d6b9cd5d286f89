"""Tries a staged Space before anything is sent: in an environment of its own, away from the repository."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from publishing import dockerfile
from publishing.errors import StageError
from publishing.smoke import ask
from publishing.stage import Staged

# The environment of a trial: nothing that could lead to the repository or to an account.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HF_HUB_OFFLINE")


def environment(staged: Staged, folder: Path, say: Callable[[str], None] = print) -> Path:
    """A virtual environment with what the Space's requirements.txt and sdk_version name; gives its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        say(f"{staged.name}: installing what it needs, as the Hub would")
        _run([sys.executable, "-m", "venv", str(folder)])
    of_the_hub = [f"gradio=={staged.front_matter['sdk_version']}"] if staged.front_matter["sdk"] == "gradio" else []
    _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *of_the_hub,
          "-r", str(staged.folder / "requirements.txt")])  # fmt: skip
    return python


def attempt(staged: Staged, python: Path, seconds: float = 120) -> str:
    """Start the staged app and ask it one question; gives the answer, an error holds the end of its log."""
    with running(staged, python, seconds) as url:
        return ask(url, staged.name)


@contextmanager
def running(staged: Staged, python: Path, seconds: float = 120) -> Iterator[str]:
    """The staged app on a free port, started in its own folder with its own environment; gives its address."""
    port = _free_port()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    settings = {
        "GRADIO_SERVER_PORT": str(port), "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1",
        "STREAMLIT_SERVER_PORT": str(port), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1",
    }  # fmt: skip
    log = staged.folder.parent / f"{staged.name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            _command(staged, python),
            cwd=staged.folder, env={**kept, **settings}, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + seconds
        while not _get(url):
            if process.poll() is not None or time.monotonic() > deadline:
                end = "".join(f"\n  {line}" for line in log.read_text(errors="replace").splitlines()[-15:])
                raise StageError(f"{staged.name} does not start by itself:{end}", "Correct it; nothing was sent.")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _command(staged: Staged, python: Path) -> list[str]:
    """How the Hub would start it: a Docker Space by its own CMD, with this Python's programs."""
    if staged.front_matter["sdk"] != "docker":
        return [str(python), str(staged.front_matter.get("app_file", "app.py"))]
    program, *rest = dockerfile.parse(staged.files["Dockerfile"].read_text(encoding="utf-8")).command
    return [str(python.parent / program), *rest]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        end = "".join(f"\n  {line}" for line in done.stderr.splitlines()[-8:])
        raise StageError(f"The Space's requirements cannot be installed:{end}", "Correct requirements.txt or the lock.")


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310  # loopback
            return bytes(response.read())
    except (urllib.error.URLError, OSError):
        return b""


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
