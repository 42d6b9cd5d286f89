"""The contract of the gateway image: keys, targets and answers, the container is confined, and SIGTERM drains it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from containers import sandbox
from containers.checks.image_checks import (
    CheckResult,
    answer_and_stop,
    inspect_container,
    inspect_image,
    require,
    run_check,
)

TITLE = "Spaceport gateway"
MAX_MB = 300
TIMEOUT = httpx2.Timeout(60)
KEY_SECONDS = 10.0  # until the gateway knows a new key
PORT = 9000
CATALOG = f"""
[scripted]
kind = "openai"
url = "http://127.0.0.1:{PORT}/v1"
model = "scripted"
price = "tokens:0/0"
"""
TEXT = "one two three"
# The target: it runs in the same container, so that the check needs no network, and answers after a second.
TARGET = f"""
import http.server, json, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        time.sleep(1)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for delta, reason in (({{"content": "{TEXT}"}}, None), ({{}}, "stop")):
            event = {{"choices": [{{"index": 0, "delta": delta, "finish_reason": reason}}]}}
            self.wfile.write(f"data: {{json.dumps(event)}}\\n\\n".encode())
        self.wfile.write(b"data: [DONE]\\n\\n")
http.server.ThreadingHTTPServer(("127.0.0.1", {PORT}), Handler).serve_forever()
"""


def check(client: Any, image: str) -> Iterator[CheckResult]:
    """Run the image with a target of its own, and yield one result per promise."""
    yield from inspect_image(client, image, MAX_MB)
    tmpfs = {**sandbox.RESTRICTIONS["tmpfs"], "/data": "rw,noexec,nosuid,size=64m,uid=10001,gid=10001"}
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder, "backends.toml")
        catalog.write_text(CATALOG)
        volumes = {str(catalog): {"bind": "/etc/spaceport/backends.toml", "mode": "ro"}}
        with sandbox.run_container(client, image, command="serve", volumes=volumes, tmpfs=tmpfs) as (container, url):
            container.exec_run(["python", "-c", TARGET], detach=True)
            yield run_check("health, and no answer without a key", check_refusals, url)
            key = _add_key(container)
            yield run_check("the targets of a key", check_targets, url, key)
            yield run_check("an answer through the gateway", check_answer, url, key)
            yield from inspect_container(container)
            yield run_check("SIGTERM: the answer finishes, exit status 0", check_drain, container, url, key)


def _add_key(container: Any) -> str:
    output, _ = container.exec_run(["python", "-m", "gateway", "keys", "add", "check"], demux=True).output
    return (output or b"").decode().strip()


def check_refusals(url: str) -> str:
    """Check the health, and that the list and answers need a key."""
    require(httpx2.get(f"{url}/health", timeout=TIMEOUT).status_code == 200, "/health is not 200")
    for key in ("", "sk-spaceport-wrong"):
        headers = _headers(key) if key else {}
        statuses = [
            httpx2.get(f"{url}/v1/models", headers=headers, timeout=TIMEOUT).status_code,
            httpx2.post(f"{url}/v1/chat/completions", json=_question(), headers=headers, timeout=TIMEOUT).status_code,
        ]
        require(statuses == [401, 401], f"the answers have the statuses {statuses}")
    return "401 without a key and with a wrong one"


def check_targets(url: str, key: str, seconds: float = KEY_SECONDS) -> str:
    """Check that a new key sees the targets of the catalogue."""
    deadline = time.monotonic() + seconds
    while (answer := httpx2.get(f"{url}/v1/models", headers=_headers(key), timeout=TIMEOUT)).status_code == 401:
        require(time.monotonic() < deadline, f"the key isn't known after {seconds:g} s")
        time.sleep(0.2)
    names = [each["id"] for each in answer.raise_for_status().json()["data"]]
    require(names == ["scripted"], f"the targets are {names}")
    return ", ".join(names)


def check_answer(url: str, key: str) -> str:
    """Check that a question reaches the target, and its answer the client."""
    answer = httpx2.post(f"{url}/v1/chat/completions", json=_question(), headers=_headers(key), timeout=TIMEOUT)
    text = answer.raise_for_status().json()["choices"][0]["message"]["content"]
    require(text == TEXT, f"the answer is {json.dumps(text)}")
    return repr(text)


def check_drain(container: Any, url: str, key: str) -> str:
    """Stop the container during an answer, and read the answer to its end."""
    return answer_and_stop(container, url, lambda: check_answer(url, key))


def _question() -> dict[str, Any]:
    # The time keeps the cache out.
    content = f"Count to three, please. It's {time.time_ns()}."
    return {"model": "scripted", "messages": [{"role": "user", "content": content}], "max_tokens": 8}


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}
