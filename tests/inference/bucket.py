"""A fake of Cloud Storage and of the metadata server, on a real socket."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Bucket(ThreadingHTTPServer):
    """Lists one object per page.

    `fault="refused"` answers with 403, `fault="short"` sends half of each object, `hold` sends nothing.
    """

    daemon_threads = True

    def __init__(self, objects: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.objects = objects
        self.fault = ""
        self.hold = False
        self.done = threading.Event()
        self.listings = 0
        self.fetched: list[str] = []
        self.tokens: list[str | None] = []

    def shutdown(self) -> None:
        self.done.set()
        super().shutdown()

    def environment(self, prefix: str, cache: Path) -> dict[str, str]:
        address = f"127.0.0.1:{self.server_port}"
        return {
            "AIP_STORAGE_URI": f"gs://b/{prefix}",
            "STORAGE_EMULATOR_HOST": f"http://{address}",
            "GCE_METADATA_HOST": address,
            "SPACEPORT_MODEL_CACHE": str(cache / "cache"),
        }


class Handler(BaseHTTPRequestHandler):
    server: Bucket

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/computeMetadata/"):
            assert self.headers["Metadata-Flavor"] == "Google"
            return self.reply(json.dumps({"access_token": "token-of-the-machine"}).encode())
        self.server.tokens.append(self.headers["Authorization"])
        if self.server.fault == "refused":
            return self.reply(b"no", 403)
        if parts.path == "/storage/v1/b/b/o":
            return self.list_page(query["prefix"], int(query.get("pageToken", 0)))
        name = unquote(parts.path.removeprefix("/storage/v1/b/b/o/"))
        if self.server.hold:
            self.server.done.wait()
        self.server.fetched.append(name)
        content = self.server.objects[name]
        return self.reply(content[: len(content) // 2] if self.server.fault == "short" else content)

    def list_page(self, prefix: str, page: int) -> None:
        self.server.listings += 1
        names = [name for name in self.server.objects if name.startswith(prefix)]
        items = [{"name": name, "size": str(len(self.server.objects[name]))} for name in names[page : page + 1]]
        result: dict[str, Any] = {"items": items} if items else {}
        if page + 1 < len(names):
            result["nextPageToken"] = str(page + 1)
        self.reply(json.dumps(result).encode())

    def reply(self, body: bytes, status: int = 200) -> None:
        with suppress(OSError):  # the client has disconnected
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass
