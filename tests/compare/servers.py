"""A chat server on a real socket; the name of the requested model selects its behaviour."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.helpers.servers import reply_with_json

TOKENS = 8
MODELS = (
    "steady",
    "slow",
    "thinker",
    "silent",
    "endless",
    "dies",
    "refuses",
    "fails",
    "busy",
    "queue",
    "rejects",
    "drifts",
    "caches",
    "gets_lost",
    "hurries",
)
# "queue" and "rejects" answer so many requests at once: more of them wait, or get the status 429.
PLACES = 3
# After so many requests, "drifts" is slow: a search up to 4 users has then only its check before it.
DRIFTS_AFTER = 76
# "hurries" answers questions while it has no more requests than places; with more it only says words.
HURRIED_SECONDS = 0.03
# What a new character of a prompt costs "caches", which remembers all prompts: it computes a known beginning no more.
SECONDS_PER_CHARACTER = 1e-5
# "gets_lost" answers an error once a conversation has so many messages.
MANY_MESSAGES = 3


def common_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


class Models(ThreadingHTTPServer):
    """`requests` contains each model's request bodies, `max_in_flight` its highest number of concurrent requests.

    `replies` are a model's answers to the questions `asked`, if the prompt contains one.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: dict[str, list[dict[str, Any]]] = {}
        self.max_in_flight: dict[str, int] = {}
        self.disconnects: list[str] = []
        self.asked: list[str] = []
        self.replies: dict[str, list[str]] = {}
        self._prompts: list[str] = []
        self._in_flight: dict[str, int] = {}
        self._lock = threading.Lock()
        self.places = {model: threading.Semaphore(PLACES) for model in ("queue", "rejects")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def catalog(self, folder: Path, *models: str, **extra: str) -> Path:
        """Write a catalogue with one target per model; `extra` goes into every entry."""
        path = folder / "catalog.toml"
        more = "".join(f"{name} = {json.dumps(value)}\n" for name, value in extra.items())
        entries = [f'[{name}]\nkind = "openai"\nurl = "{self.url}"\nmodel = "{name}"\n{more}' for name in models]
        path.write_text("\n".join(entries))
        return path

    def begin(self, body: dict[str, Any]) -> int:
        """Record a request and return how many of its model came before it."""
        model = body["model"]
        with self._lock:
            requests = self.requests.setdefault(model, [])
            requests.append(body)
            self._in_flight[model] = self._in_flight.get(model, 0) + 1
            self.max_in_flight[model] = max(self.max_in_flight.get(model, 0), self._in_flight[model])
            return len(requests) - 1

    def reply(self, model: str, body: dict[str, Any]) -> str | None:
        """Return a model's answer to the question of a request, if it has answers."""
        if model not in self.replies:
            return None
        if model == "hurries":
            time.sleep(HURRIED_SECONDS)
            if self._in_flight[model] > PLACES:
                return None
        prompt = str(body["messages"][-1]["content"])
        return next((self.replies[model][at] for at, text in enumerate(self.asked) if text in prompt), None)

    def compute(self, prompt: str) -> tuple[int, int]:
        """Remember a prompt; return its size, and that of its longest beginning that another one had."""
        with self._lock:
            known = max((common_start(prompt, each) for each in self._prompts), default=0)
            self._prompts.append(prompt)
        return len(prompt), known

    def handle_error(self, *arguments: object) -> None:
        """Print nothing: this server closes connections on purpose."""

    def end(self, model: str) -> None:
        with self._lock:
            self._in_flight[model] -= 1


class Handler(BaseHTTPRequestHandler):
    server: Models
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a delayed acknowledgement would hold texts back for 40 ms

    def do_GET(self) -> None:
        reply_with_json(self, {"data": [{"id": name} for name in MODELS]})

    def do_POST(self) -> None:
        self.body = body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model, before = body["model"], self.server.begin(body)
        try:
            if model == "refuses":
                words = f"no such key {self.headers.get('Authorization')}"
                reply_with_json(self, {"error": {"message": words}}, 401)
            elif model == "busy":
                reply_with_json(self, {"error": {"message": "no room"}}, 429)
            elif model == "dies" and before >= 6:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            elif model == "drifts":
                self.stream("slow" if before >= DRIFTS_AFTER else "steady")
            elif model == "gets_lost" and len(body["messages"]) >= MANY_MESSAGES:
                reply_with_json(self, {"error": {"message": "too long"}}, 400)
            elif places := self.server.places.get(model):
                self.stream_in_place(model, places)
            else:
                self.stream(model)
        except OSError:
            self.server.disconnects.append(model)
        finally:
            self.server.end(model)

    def stream_in_place(self, model: str, places: threading.Semaphore) -> None:
        if not places.acquire(blocking=model == "queue"):
            reply_with_json(self, {"error": {"message": "no room"}}, 429)
            return
        try:
            self.stream(model)
        finally:
            places.release()

    def stream(self, model: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})
        if model == "fails":
            self.event({"error": {"message": "out of memory"}})
        usage: dict[str, Any] = {"prompt_tokens": 10, "completion_tokens": TOKENS}
        if model == "caches":
            size, known = self.server.compute(json.dumps(self.server.requests[model][-1]["messages"]))
            usage |= {"prompt_tokens": size, "prompt_tokens_details": {"cached_tokens": known}}
            time.sleep(SECONDS_PER_CHARACTER * (size - known))
        reply = self.server.reply(model, self.body)
        for delta in self.deltas(model) if reply is None else [{"content": f"{word} "} for word in reply.split()]:
            self.event({"choices": [{"index": 0, "delta": delta}]})
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if model != "silent":
            self.event({"choices": [], "usage": usage})
        self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def deltas(self, model: str) -> Iterator[dict[str, str]]:
        first, gap = (0.06, 0.012) if model in ("slow", "queue") else (0.02, 0.004)
        time.sleep(first)
        for number in range(10**9 if model == "endless" else TOKENS):
            thought = model == "thinker" and number < 3
            yield {"reasoning_content" if thought else "content": f"word{number} "}
            # A client that disconnects makes the socket readable.
            if select.select([self.connection], [], [], gap)[0]:
                raise OSError("the client disconnected")

    def event(self, data: dict[str, Any]) -> None:
        self.chunk(b"data: " + json.dumps(data).encode() + b"\n\n")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, *arguments: object) -> None:
        pass
