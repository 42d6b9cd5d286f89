"""Model files from a path, a package or the Hub, which is a local server here."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from backends.errors import NotConfigured
from backends.local_models.model_files import find_model, packaged_model
from tests.helpers.model_hub import run_python
from tests.helpers.servers import serving

FILE = b"GGUF" + bytes(300_000)
MODEL = "hf:owner/repo/model.gguf"
DOWNLOAD = f"""
from backends.errors import NotConfigured
from backends.local_models.model_files import download_model, find_model
assert find_model({MODEL!r}) is None
progress = []
try:
    path = download_model({MODEL!r}, lambda step, share: progress.append(share))
except NotConfigured as error:
    print("error:", error)
else:
    assert find_model({MODEL!r}) == path
    print("downloaded", path.stat().st_size, progress[-1])
"""


class Hub(ThreadingHTTPServer):
    """Serves one file as the Hub does, and records the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        if self.answer():
            self.wfile.write(FILE)

    def answer(self) -> bool:
        self.server.requests.append(f"{self.command} {self.path}")
        exists = self.path == "/owner/repo/resolve/main/model.gguf"
        self.send_response(200 if exists else 404)
        if exists:
            self.send_header("ETag", '"0123456789abcdef"')
            self.send_header("X-Repo-Commit", "0" * 40)
        else:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(FILE) if exists else 0))
        self.end_headers()
        return exists

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub()) as hub:
        yield hub


def run(endpoint: str, home: Path, script: str = DOWNLOAD) -> str:
    process = run_python("-c", script, endpoint=endpoint, home=home)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_a_file_is_downloaded_once_with_progress(hub: Hub, tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    assert run(endpoint, tmp_path) == f"downloaded {len(FILE)} 1.0"
    count = len(hub.requests)
    again = f"from backends.local_models.model_files import find_model; print(find_model({MODEL!r}).name)"
    assert run(endpoint, tmp_path, again) == "model.gguf"
    assert len(hub.requests) == count


def test_a_missing_file_has_a_remedy(hub: Hub, tmp_path: Path) -> None:
    output = run(f"http://127.0.0.1:{hub.server_port}", tmp_path, DOWNLOAD.replace("model.gguf", "other.gguf"))
    assert output.startswith("error:")
    assert "other.gguf" in output
    assert "set model to a GGUF file" in output


def test_an_unreachable_hub_has_a_remedy(tmp_path: Path) -> None:
    output = run("http://127.0.0.1:9", tmp_path)
    assert output.startswith("error:")
    assert "Check the network" in output


def test_a_path_and_the_default_of_the_package(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(FILE)
    assert find_model(str(path)) == path
    packaged = packaged_model()
    assert packaged is None or find_model(None) is not None


@pytest.mark.parametrize("model", ["hf:", "hf:owner/repo", "hf:owner//file", "hf:a/b/"])
def test_a_name_of_no_file_on_the_hub(model: str) -> None:
    with pytest.raises(NotConfigured, match="names no file on the Hub"):
        find_model(model)
