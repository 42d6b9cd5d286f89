"""The real stack with the gateway.

A question about a PDF is answered by the container, stored in Chroma and counted by Prometheus; a key of the gateway
and its bills are still there after its containers.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from containers import images
from containers.stack import compose_command, down, up, wait_healthy
from tests.conftest import ROOT
from tests.containers.conftest import TAG
from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, wait_for_answer
from tests.helpers.servers import free_port, wait_until
from tests.rag.make_documents import short_report

PROJECT = "spaceport-test"
# Grafana needs a registry; test_stack_files.py checks its files instead.
SERVICES = ("inference", "chroma", "prometheus", "chat", "compare", "gateway", "redis", "postgres")
STAND_INS = ROOT / "tests" / "containers" / "stand_ins"
COLLECTIONS = "http://chroma:8000/api/v2/tenants/default_tenant/databases/default_database/collections"


@dataclass(frozen=True)
class Stack:
    """The stack's Compose project, with the images and ports of these tests."""

    override: Path
    environment: dict[str, str]

    def up(self, *services: str) -> dict[str, str]:
        """Start services, and return the URLs of all pages."""
        files, environment = [self.override], self.environment
        return up(["gateway"], services=services, files=files, environment=environment, project=PROJECT)

    def compose(self, *arguments: str) -> str:
        """Run Compose as docs/gateway.md does, and return what it prints."""
        files = ["-f", str(ROOT / "containers/compose.yaml"), "-f", str(self.override)]
        command = [*compose_command(), "-p", PROJECT, *files, "--profile", "gateway", *arguments]
        process = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def gateway(self, *arguments: str) -> str:
        """Run a command in the gateway's container."""
        return self.compose("exec", "-T", "gateway", "python", "-m", "gateway", *arguments)


@pytest.fixture(scope="module")
def running(
    engine: Any, inference_image: str, demo_image: str, gateway_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The services of a stack, without those of its pages."""
    services: dict[str, Any] = {
        # A stand-in has the tag of the original, but not its digest.
        "chroma": {"image": provide_image(engine, "chroma", "chroma", DEMO=demo_image)},
        **{name: {"image": provide_image(engine, name)} for name in ("prometheus", "redis", "postgres")},
    }
    for name in ("redis", "postgres"):  # the gateway starts when they are healthy
        services[name]["healthcheck"] = {"interval": "2s"}
    override = tmp_path_factory.mktemp("stack") / "stand_ins.yaml"
    override.write_text(yaml.safe_dump({"services": services}))
    ports = {f"SPACEPORT_{name}_PORT": str(free_port()) for name in ("CHAT", "COMPARE", "PROMETHEUS", "GATEWAY")}
    environment = {"SPACEPORT_TAG": TAG, **ports}
    try:
        yield Stack(override, environment)
    finally:
        down(volumes=True, files=[override], environment=environment, project=PROJECT)


@pytest.fixture(scope="module")
def pages(running: Stack) -> dict[str, str]:
    """The URLs of the pages of a running stack."""
    return running.up(*SERVICES)


def provide_image(engine: Any, service: str, file: str = "servers", **arguments: str) -> str:
    """Return the image of a service in compose.yaml by tag; unless there is one, build a stand-in for it."""
    image = yaml.safe_load((ROOT / "containers/compose.yaml").read_text())["services"][service]["image"]
    name, _, _ = image.partition("@")
    if not engine.images.list(name):
        target = service if file == "servers" else None
        with (STAND_INS / f"{file}.Dockerfile").open("rb") as dockerfile:
            engine.images.build(
                fileobj=dockerfile, tag=name, target=target, buildargs=arguments, network_mode="host", rm=True
            )
    return str(name)


def run_python(engine: Any, service: str, program: str) -> str:
    """Run a Python program in a container of the stack, whose network is internal, and return its output."""
    labels = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}"]
    result = engine.containers.list(filters={"label": labels})[0].exec_run(["python", "-c", program])
    assert result.exit_code == 0, result.output.decode()
    return str(result.output.decode())


def chunks_in_chroma(engine: Any) -> int:
    program = f"""
import httpx2
collections = httpx2.get("{COLLECTIONS}").json()
print(sum(httpx2.get("{COLLECTIONS}/" + each["id"] + "/count").json() for each in collections))
"""
    return int(run_python(engine, "chat", program))


def query_prometheus(prometheus: str, query: str) -> float:
    """Return the value of a query; Prometheus scrapes every few seconds."""
    samples = httpx2.get(f"{prometheus}/api/v1/query", params={"query": query}).json()["data"]["result"]
    return float(samples[0]["value"][1]) if samples else 0.0


def test_question_about_a_pdf(
    engine: Any, pages: dict[str, str], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    before = chunks_in_chroma(engine)
    page = open_page(SimpleNamespace(url=pages["chat"]))
    report = short_report(tmp_path)
    upload(page, report)
    expect(page.locator("#documents li:has([data-remove]) .sp-name")).to_have_text(report.name, timeout=120_000)
    assert chunks_in_chroma(engine) > before

    ask(page, "What were total net sales for the quarter?")
    assert wait_for_answer(page, seconds=300).strip()
    expect(page.locator("#sources .sp-card", has_text="82,959").first).to_be_attached()
    expect(page.locator("#chat .sp-line").last).to_contain_text("first token")

    deadline = time.monotonic() + 90
    while query_prometheus(pages["prometheus"], 'sum(spaceport_requests_total{dialect="openai",status="200"})') < 1:
        assert time.monotonic() < deadline, "Prometheus has not counted the answer"
        time.sleep(1)
    assert query_prometheus(pages["prometheus"], "spaceport_ready") == 1
    assert query_prometheus(pages["prometheus"], "sum(spaceport_output_tokens_total)") > 1


def test_dashboard_shows_the_metrics_of_the_stack(
    pages: dict[str, str], start_app: Callable[..., App], browser: Browser
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "spaces/dashboard/app.py"]
    options = ("--server.port", str(port), "--server.address", "127.0.0.1")
    app = start_app(*options, command=command, port=port, SPACEPORT_PROMETHEUS_URL=pages["prometheus"])
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    try:
        page = context.new_page()
        page.goto(f"{app.url}/performance")
        expect(page.get_by_text("Spaceport's inference server, read")).to_be_visible(timeout=60_000)
        expect(page.get_by_test_id("stMetric").filter(has_text="Requests, all")).to_contain_text("requests/s")
        expect(page.get_by_text("Recorded, not live")).to_have_count(0)
    finally:
        context.close()


def test_only_the_pages_are_reachable(engine: Any, pages: dict[str, str]) -> None:
    assert set(pages) == {"chat", "compare", "prometheus", "gateway"}
    for name, url in pages.items():
        path = "/ready" if name == "gateway" else ""
        assert httpx2.get(url + path, follow_redirects=True, timeout=30).status_code == 200, name
    for container in engine.containers.list(filters={"label": f"com.docker.compose.project={PROJECT}"}):
        addresses = [binding["HostIp"] for bindings in container.ports.values() for binding in bindings or ()]
        assert set(addresses) <= {"127.0.0.1"}


def test_key_is_required_and_in_no_environment(engine: Any, pages: dict[str, str]) -> None:
    program = 'import httpx2; print(httpx2.get("http://inference:8080/v1/models").status_code)'
    assert run_python(engine, "chat", program).strip() == "401"
    key = (ROOT / "containers/secrets/inference_api_key").read_text()
    for container in engine.containers.list(filters={"label": f"com.docker.compose.project={PROJECT}"}):
        assert key not in json.dumps(container.attrs["Config"])
        assert key not in container.logs().decode("utf-8", "replace")
    git = subprocess.run(["git", "check-ignore", "-q", "containers/secrets/inference_api_key"], cwd=ROOT)
    assert git.returncode == 0


def test_running_stack_is_healthy_at_once(pages: dict[str, str], engine: Any) -> None:
    assert images.image_title(engine, f"spaceport-demo:{TAG}") == "Spaceport demo"
    lines: list[str] = []
    assert wait_healthy(engine, PROJECT, lines.append, 60) == pages
    assert all(line.split()[1] == "healthy" for line in lines)


def test_keys_and_bills_outlive_the_containers_of_the_gateway(running: Stack, pages: dict[str, str]) -> None:
    key = running.gateway("keys", "add", "alice", "--budget", "1").strip()

    def ask() -> httpx2.Response:
        body = {"model": "anywhere", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 4}
        headers = {"authorization": f"Bearer {key}"}
        return httpx2.post(f"{pages['gateway']}/v1/chat/completions", json=body, headers=headers, timeout=120)

    def report() -> dict[str, str]:
        lines = csv.DictReader(running.gateway("report", "--by", "target", "--csv").splitlines())
        return {line["target"]: f"{line['ok']} of {line['requests']}" for line in lines}

    wait_until(lambda: ask().status_code != 401)
    assert ask().headers["x-spaceport-target"] == "container"
    running.compose("rm", "--stop", "--force", "gateway", "redis", "postgres")
    assert running.up("gateway")["gateway"] == pages["gateway"]
    answer = ask()
    assert (answer.status_code, answer.headers["x-spaceport-target"]) == (200, "container")
    wait_until(lambda: report() == {"container": "3 of 3"})
