"""A chat server whose behaviour depends on the words of the question: slow, thinking, endless or broken."""

from __future__ import annotations

import json
import select
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.helpers.servers import reply_with_json


class ScriptedModel(ThreadingHTTPServer):
    """Records the bodies and keys of requests, and for each question the deltas and whether the client disconnected.

    A request with a key in `refused` gets HTTP 401 with the key in its text.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[dict[str, Any]] = []
        self.disconnected: set[str] = set()
        self.delta_counts: dict[str, int] = {}
        self.keys: list[tuple[str, str]] = []  # path and key
        self.refused: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: ScriptedModel
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.record_key()
        reply_with_json(self, {"data": [{"id": "scripted"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        question = body["messages"][-1]["content"].rpartition("Question: ")[2]
        if (key := self.record_key()) in self.server.refused:
            self.send_error(401, f"{key} was revoked")
            return
        if "refuse" in question:
            self.send_error(401, "no key")
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for delta in self.script(question):
                self.event({"choices": [{"index": 0, "delta": delta}]})
                self.server.delta_counts[question] = self.server.delta_counts.get(question, 0) + 1
        except OSError:
            self.server.disconnected.add(question)
        else:
            if "ten words" not in question:
                self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                self.wfile.write(b"data: [DONE]\n\n")

    def record_key(self) -> str:
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.keys.append((self.path, key))
        return key

    def script(self, question: str) -> Iterator[dict[str, str]]:
        if "think" in question:
            for word in ("The user ", "asks. "):
                yield {"reasoning_content": word}
                time.sleep(0.4)
        if "picture" in question:
            yield {
                "content": "Look: ![x](http://tracker.invalid/p.png) <img src='http://tracker.invalid/q.png'> [1] [9]"
            }
        elif ". Say: " in question:
            for word in question.rpartition(". Say: ")[2].split(" "):
                yield {"content": f"{word} "}
        elif "slowly" in question:
            for number in range(60):
                yield {"content": f"slow{number} "}
                time.sleep(0.4)
        elif "for ever" in question:
            while True:
                yield {"content": "word "}
                # As fast as people read: each word costs the page and the browser CPU time.
                # When the client disconnects, the socket becomes readable at once; a write would fail later.
                if select.select([self.connection], [], [], 0.2)[0]:
                    raise OSError
        else:
            for number in range(10):
                yield {"content": f"word{number} "}
                time.sleep(0.02)

    def event(self, data: dict[str, Any]) -> None:
        self.wfile.write(b"data: " + json.dumps(data).encode() + b"\n\n")

    def log_message(self, *arguments: object) -> None:
        pass
