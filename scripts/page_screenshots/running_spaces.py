"""The pages, run for screenshots with models of this machine and made-up servers."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from compare.report.files.rows import report_rows
from compare.report.report import Report
from compare.runs.records import Run
from page_screenshots.sample_ledger import write_sample_ledger
from tests.compare.make_runs import simulate
from tests.compare.make_scores import with_questions
from tests.compare.servers import Models
from tests.dashboard import prometheus_server
from tests.helpers.apps import running_app
from tests.helpers.servers import free_port, serving
from tests.inference.servers import Server, question, run_server
from tests.publish.fake_hub import Hub, Space

CATALOG = """
[laptop]
kind = "embedded"
label = "SmolLM2 135M, tiny, on this machine"
price = "0.05/h"

[single]
kind = "embedded"
label = "The same, one thread"
threads = 1
price = "ml.m5.xlarge"

[gpu]
kind = "openai"
label = "A server at its limit"
url = "http://127.0.0.1:{port}/v1"
model = "none"
"""
SCRIPTED = """
[steady]
kind = "openai"
label = "A fast server"
url = "{url}"
model = "steady"
price = "ml.g5.xlarge"

[slow]
kind = "openai"
label = "A slow server"
url = "{url}"
model = "slow"
price = "ml.m5.xlarge"

[cloud]
kind = "openai"
url = "${{CLOUD_MODEL_URL}}"
"""
RESULTS = "somebody/results"
WATCHED_SECONDS = 90  # a rate needs some samples
QUESTIONS = ("Name a colour.", "Count to five.", "What is the sea?", "Say hello.")


class FullServer(BaseHTTPRequestHandler):
    """Lists a model and refuses every question, for the picture of a failing column."""

    def do_GET(self) -> None:
        self._reply(200, b'{"object": "list", "data": [{"id": "none", "object": "model"}]}')

    def do_POST(self) -> None:
        self._reply(503, b'{"error": {"message": "The queue is full."}}')

    def log_message(self, format: str, *values: object) -> None:
        """Write no log."""

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def catalog_with_full_server(folder: Path, more_targets: str = "") -> Iterator[str]:
    """Yield the path of a catalogue: the embedded model, the same model with one thread, and a full server."""
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), FullServer)) as server:
        catalog = folder / "backends.toml"
        catalog.write_text(CATALOG.format(port=server.server_port) + more_targets)
        yield str(catalog)


@contextmanager
def running_space(space: str, more_targets: str = "", **environment: str) -> Iterator[str]:
    """Run the Space with that catalogue and more targets; yield its address."""
    with (
        tempfile.TemporaryDirectory() as name,
        catalog_with_full_server(Path(name), more_targets) as catalog,
        running_app(Path(name), "--catalog", catalog, space=f"spaces/{space}/app.py", **environment) as app,
    ):
        yield app.url


@contextmanager
def running_comparator() -> Iterator[str]:
    """Run the comparator with two scripted servers more, a target without a URL and a leaderboard."""
    with serving(Models()) as models, serving(Hub()) as hub:
        rows = report_rows(Report(scored_run(), today=date(2026, 2, 3)))
        hub.spaces[f"datasets/{RESULTS}"] = Space("")
        lines = "".join(f"{json.dumps(row)}\n" for row in rows)
        hub.spaces[f"datasets/{RESULTS}"].commit("results", {f"results/{rows[0]['run']}.jsonl": lines.encode()})
        published = {"SPACEPORT_RESULTS": RESULTS, "HF_ENDPOINT": hub.url}
        with running_space("platform_compare", SCRIPTED.format(url=models.url), **published) as url:
            yield url


def scored_run() -> Run:
    """Return a made-up run over questions, in which one of two targets is slower and answers some of them wrong."""
    return with_questions(simulate({"laptop": 1.0, "gpu": 2.0}, rounds=100, noise=0.02), 200, {"gpu": range(20)})


def dashboard_with_costs(folder: Path) -> AbstractContextManager[str]:
    """Run the dashboard on a made-up ledger; its address is the value."""
    return running_dashboard(folder, "", SPACEPORT_DATABASE_URL=write_sample_ledger(folder / "ledger.db"))


@contextmanager
def running_dashboard(folder: Path, prometheus: str, **variables: str) -> Iterator[str]:
    """Run the dashboard on a Prometheus; yield its address."""
    port = free_port()
    arguments = ["--server.port", str(port), "--server.address", "127.0.0.1"]
    command = [sys.executable, "spaces/dashboard/serve.py"]
    variables["SPACEPORT_PROMETHEUS_URL"] = prometheus
    with running_app(folder, *arguments, command=command, port=port, **variables) as dashboard:
        yield dashboard.url


@contextmanager
def watching_dashboard(folder: Path, **variables: str) -> Iterator[tuple[Server, str]]:
    """Run the dashboard on a Prometheus that scrapes an inference server; yield this server and the address."""
    folders = [folder / name for name in ("inference", "prometheus", "dashboard")]
    for each in folders:
        each.mkdir()
    with (
        run_server(folders[0], SPACEPORT_PARALLEL=2) as server,
        prometheus_server.real(folders[1], lambda: server.get("/metrics").content) as prometheus,
        running_dashboard(folders[2], prometheus, **variables) as url,
    ):
        yield server, url


def ask_for_a_while(server: Server) -> None:
    ends, turn = time.monotonic() + WATCHED_SECONDS, 0
    while time.monotonic() < ends:
        server.post("/v1/chat/completions", question(QUESTIONS[turn % len(QUESTIONS)], 48))
        time.sleep(turn % 3)
        turn += 1
