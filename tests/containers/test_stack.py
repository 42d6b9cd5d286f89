"""The stack runs for real: a PDF asked about in the page, answered by the container, kept in Chroma, seen outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from containers import images, stack
from tests.conftest import ROOT
from tests.containers.conftest import TAG
from tests.helpers.apps import App
from tests.helpers.chat import ask, upload, wait_for_answer
from tests.helpers.servers import free_port
from tests.rag.make_documents import quarterly_report

PROJECT = "spaceport-test"
# Grafana cannot be had without a registry; test_stack_files.py reads what it is given.
SERVICES = ("inference", "chroma", "prometheus", "chat", "compare")
STAND_INS = ROOT / "tests" / "containers" / "stand_ins"
COLLECTIONS = "http://chroma:8000/api/v2/tenants/default_tenant/databases/default_database/collections"


@pytest.fixture(scope="module")
def pages(engine: Any, inference_image: str, demo_image: str) -> Iterator[dict[str, str]]:
    """The URLs of the pages of a running stack."""
    stand_in(engine, "chroma", DEMO=demo_image)
    stand_in(engine, "prometheus")
    ports = {f"SPACEPORT_{name}_PORT": str(free_port()) for name in ("CHAT", "COMPARE", "PROMETHEUS")}
    environment = {"SPACEPORT_TAG": TAG, **ports}
    try:
        yield stack.up(services=SERVICES, environment=environment, project=PROJECT)
    finally:
        stack.down(volumes=True, environment=environment, project=PROJECT)


def stand_in(engine: Any, service: str, **arguments: str) -> None:
    """Pull what compose.yaml names, or build what stands in for it under the same name."""
    name = yaml.safe_load((ROOT / "containers/compose.yaml").read_text())["services"][service]["image"]
    if engine.images.list(name):
        return
    with (STAND_INS / f"{service}.Dockerfile").open("rb") as file:
        engine.images.build(fileobj=file, tag=name, buildargs=arguments, network_mode="host", rm=True)


def inside(engine: Any, service: str, program: str) -> str:
    """What a Python program prints in a container of the stack, whose network has no way in."""
    labels = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}"]
    done = engine.containers.list(filters={"label": labels})[0].exec_run(["python", "-c", program])
    assert done.exit_code == 0, done.output.decode()
    return str(done.output.decode())


def chunks_in_chroma(engine: Any) -> int:
    program = f"""
import httpx2
collections = httpx2.get("{COLLECTIONS}").json()
print(sum(httpx2.get("{COLLECTIONS}/" + each["id"] + "/count").json() for each in collections))
"""
    return int(inside(engine, "chat", program))


def asked(prometheus: str, query: str) -> float:
    """What Prometheus knows, which it hears every few seconds."""
    found = httpx2.get(f"{prometheus}/api/v1/query", params={"query": query}).json()["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def test_a_pdf_goes_all_the_way(
    engine: Any, pages: dict[str, str], open_page: Callable[..., Page], tmp_path: Path
) -> None:
    before = chunks_in_chroma(engine)
    page = open_page(SimpleNamespace(url=pages["chat"]))
    filing = quarterly_report(tmp_path)
    upload(page, filing)
    expect(page.locator("#documents li:has([data-remove]) .sp-name")).to_have_text(filing.name, timeout=120_000)
    assert chunks_in_chroma(engine) > before

    ask(page, "What were total net sales for the quarter?")
    assert wait_for_answer(page, seconds=300).strip()
    expect(page.locator("#sources .sp-card", has_text="82,959")).to_have_count(1)
    expect(page.locator("#figures")).to_contain_text("first token")

    until = time.monotonic() + 90
    while asked(pages["prometheus"], 'sum(spaceport_requests_total{dialect="openai",status="200"})') < 1:
        assert time.monotonic() < until, "Prometheus has not heard of the answer"
        time.sleep(1)
    assert asked(pages["prometheus"], "spaceport_ready") == 1
    assert asked(pages["prometheus"], "sum(spaceport_output_tokens_total)") > 1


def test_the_dashboard_shows_what_the_stack_measures(
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


def test_the_pages_are_all_that_can_be_reached(engine: Any, pages: dict[str, str]) -> None:
    assert set(pages) == {"chat", "compare", "prometheus"}
    for name, url in pages.items():
        assert httpx2.get(url, follow_redirects=True, timeout=30).status_code == 200, name
    for container in engine.containers.list(filters={"label": f"com.docker.compose.project={PROJECT}"}):
        bound = [each["HostIp"] for found in container.ports.values() if found for each in found]
        assert set(bound) <= {"127.0.0.1"}


def test_the_key_is_wanted_and_in_no_environment(engine: Any, pages: dict[str, str]) -> None:
    program = 'import httpx2; print(httpx2.get("http://inference:8080/v1/models").status_code)'
    assert inside(engine, "chat", program).strip() == "401"
    key = (ROOT / "containers/secrets/inference_api_key").read_text()
    for container in engine.containers.list(filters={"label": f"com.docker.compose.project={PROJECT}"}):
        assert key not in json.dumps(container.attrs["Config"])
        assert key not in container.logs().decode("utf-8", "replace")
    ignored = subprocess.run(["git", "check-ignore", "-q", "containers/secrets/inference_api_key"], cwd=ROOT)
    assert ignored.returncode == 0


def test_a_second_start_finds_it_running(pages: dict[str, str], engine: Any) -> None:
    assert images.title(engine, f"spaceport-demo:{TAG}") == "Spaceport demo"
    said: list[str] = []
    found = stack._wait(engine, PROJECT, said.append, 60)
    assert found == pages
    assert all(line.split()[1] == "healthy" for line in said)
