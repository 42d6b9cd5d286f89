"""A Hub on a real socket: it lists one repository, with a model file that it also sends in parts, or with a folder."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from backends.local_models.fit import LocalModel
from tests.conftest import ROOT
from tests.helpers.servers import reply_with_json

TOKEN = "hf_secretsecretsecretsecret"
COMMIT = "c" * 40


@dataclass
class Repository:
    """What the Hub says about the model's file, and how it sends it."""

    content: bytes
    model: LocalModel
    sha256: str = ""
    size: int = 0
    cut_at: int | None = None  # the first answer ends there
    ranges: list[str] = field(default_factory=list)

    @property
    def file(self) -> str:
        return f"{self.model.name}-instruct-{self.model.quantization}.gguf"

    def listing(self) -> dict[str, Any]:
        sha256 = self.sha256 or hashlib.sha256(self.content).hexdigest()
        size = self.size or len(self.content)
        names = [self.file.replace(self.model.quantization, "q8_0"), self.file, "README.md"]
        lfs = {"sha256": sha256, "size": size, "pointerSize": 134}
        return {
            "id": self.model.repository,
            "sha": COMMIT,
            "siblings": [{"rfilename": name, "size": size, "blobId": "b" * 40, "lfs": lfs} for name in names],
        }


class ModelHub(ThreadingHTTPServer):
    def __init__(self, repository: Repository) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repository = repository


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelHub

    def do_HEAD(self) -> None:
        self.send_file(b"")

    def do_GET(self) -> None:
        repository = self.server.repository
        if self.path.startswith(f"/api/models/{repository.model.repository}"):
            reply_with_json(self, repository.listing())
        else:
            self.send_file(repository.content)

    def send_file(self, content: bytes) -> None:
        repository = self.server.repository
        if self.path != f"/{repository.model.repository}/resolve/{COMMIT}/{repository.file}":
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        total, start = len(repository.content), 0
        if content and (wanted := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))):
            start = int(wanted[1])
            repository.ranges.append(wanted[0])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha256(repository.content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        end, repository.cut_at = (repository.cut_at or total, None) if content else (total, repository.cut_at)
        if content:
            self.wfile.write(content[start:end])
        if end < total:
            self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        pass


class FolderHub(ThreadingHTTPServer):
    """A Hub whose only repository has the files of a folder; `requests` are the paths that were asked for."""

    def __init__(self, repository: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), FolderHandler)
        self.repository, self.folder = repository, folder
        self.requests: list[str] = []


class FolderHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FolderHub

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        hub.requests.append(path)
        resolve = re.fullmatch(f"/{hub.repository}/resolve/(?:main|{COMMIT})/(.+)", path)
        if re.fullmatch(f"/api/models/{hub.repository}(/revision/(main|{COMMIT}))?", path):
            files = sorted(file for file in hub.folder.rglob("*") if file.is_file())
            siblings = [{"rfilename": file.relative_to(hub.folder).as_posix()} for file in files]
            reply_with_json(self, {"id": hub.repository, "sha": COMMIT, "siblings": siblings})
        elif re.fullmatch(f"/api/models/{hub.repository}/tree/(main|{COMMIT})", path):
            files = sorted(file for file in hub.folder.rglob("*") if file.is_file())
            reply_with_json(self, [self.entry(file) for file in files])
        elif resolve and (file := hub.folder / resolve[1]).is_file():
            self.send_content(file.read_bytes())
        else:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound" if resolve else "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def entry(self, file: Path) -> dict[str, Any]:
        """What a listing of the repository's tree says about a file."""
        content, path = file.read_bytes(), file.relative_to(self.server.folder).as_posix()
        return {"type": "file", "path": path, "size": len(content), "oid": hashlib.sha256(content).hexdigest()}

    def send_content(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


def run_python(*arguments: str, endpoint: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the Hub at `endpoint`, in a process of its own: huggingface_hub reads the address at import.

    Its output must not have the token.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPACEPORT_")},
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(home / "hub"),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_OFFLINE": "0",
        "XDG_CONFIG_HOME": str(home / "config"),
        **more,
    }
    command = [sys.executable, *arguments]
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert TOKEN not in process.stdout + process.stderr
    return process
