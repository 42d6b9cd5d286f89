"""Where a model file comes from, with a stand-in of the Hub on a real socket."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backends.errors import NotConfigured
from backends.model_files import find_model, packaged_model
from tests.conftest import ROOT
from tests.helpers.servers import serving

FILE = b"GGUF" + bytes(300_000)
MODEL = "hf:owner/repo/model.gguf"
TOKEN = "hf_secretsecretsecretsecret"
FETCH = f"""
from backends.errors import NotConfigured
from backends.model_files import download_model, find_model
assert find_model({MODEL!r}) is None
shares = []
try:
    path = download_model({MODEL!r}, lambda text, share: shares.append(share))
except NotConfigured as error:
    print("refused:", error)
else:
    assert find_model({MODEL!r}) == path
    print("fetched", path.stat().st_size, shares[-1])
"""


class Hub(ThreadingHTTPServer):
    """Serves one file as the Hub does, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        if self.answer():
            self.wfile.write(FILE)

    def answer(self) -> bool:
        self.server.asked.append(f"{self.command} {self.path}")
        found = self.path == "/owner/repo/resolve/main/model.gguf"
        self.send_response(200 if found else 404)
        if found:
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "0" * 40)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(FILE) if found else 0))
        self.end_headers()
        return found

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as hub:
        yield hub


def fetch(endpoint: str, home: Path, script: str = FETCH) -> str:
    """Run the script in a process of its own, since the Hub's address is read when its client is imported."""
    environment = {
        **os.environ,
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.stdout.strip()


def test_a_file_is_fetched_once_with_progress_and_then_found(hub: Hub, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    assert fetch(endpoint, tmp_path) == f"fetched {len(FILE)} 1.0"
    asked = len(hub.asked)
    again = f"from backends.model_files import find_model; print(find_model({MODEL!r}).name)"
    assert fetch(endpoint, tmp_path, again) == "model.gguf"
    assert len(hub.asked) == asked


def test_a_file_that_is_not_there_says_what_to_do(hub: Hub, tmp_path: Path) -> None:
    told = fetch(f"http://127.0.0.1:{hub.server_port}", tmp_path, FETCH.replace("model.gguf", "other.gguf"))
    assert told.startswith("refused:")
    assert "other.gguf" in told
    assert "set model to a GGUF file" in told


def test_a_hub_that_is_away_says_what_to_do(tmp_path: Path) -> None:
    told = fetch("http://127.0.0.1:9", tmp_path)
    assert told.startswith("refused:")
    assert "Check the network" in told


def test_a_path_wins_and_the_package_serves_the_default(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(FILE)
    assert find_model(str(path)) == path
    packaged = packaged_model()
    assert packaged is None or find_model(None) is not None


@pytest.mark.parametrize("model", ["hf:", "hf:owner/repo", "hf:owner//file", "hf:a/b/"])
def test_a_name_that_is_no_file_of_the_hub(model: str) -> None:
    with pytest.raises(NotConfigured, match="names no file on the Hub"):
        find_model(model)
