"""A scripted server with Prometheus's API, and a real Prometheus that scrapes given metrics."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import missing
from tests.helpers.servers import free_port, serving_app, wait_until

Answer = tuple[int, Any]
SERIES = [{"__name__": "spaceport_ready"}, {"__name__": "DCGM_FI_DEV_GPU_UTIL"}]


class Prometheus:
    """A server with `series`; `answers` replaces responses by route, `requests` lists routes and queries."""

    def __init__(self) -> None:
        self.series: Any = SERIES
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.headers: dict[str, str] = {}
        self.slow = False
        self.value = "0.25"
        self.url = ""

    async def answer(self, request: Request) -> Response:
        route = request.path_params["route"]
        self.requests.append((route, dict(request.query_params)))
        self.headers = dict(request.headers)
        while self.slow:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.02)
        status, body = self.answers.get(route) or (200, {"status": "success", "data": self.data(route)})
        text = body if isinstance(body, str) else json.dumps(body)
        return Response(text, status, media_type="application/json")

    def data(self, route: str) -> Any:
        query = self.requests[-1][1]
        if route == "series":
            return self.series
        labels = {"kind": "rejected", "status": "200", "gpu": "0", "Hostname": "node"}
        if route == "query":
            return {"resultType": "vector", "result": [{"metric": {}, "value": [float(query["time"]), self.value]}]}
        times = [float(query["start"]), float(query["start"]) + float(query["step"])]
        values = [[times[0], "NaN"], [times[1], self.value]]
        return {"resultType": "matrix", "result": [{"metric": labels, "values": values}]}


@contextmanager
def scripted() -> Iterator[Prometheus]:
    prometheus = Prometheus()
    with serving_app(Starlette(routes=[Route("/api/v1/{route}", prometheus.answer)])) as port:
        prometheus.url = f"http://127.0.0.1:{port}"
        yield prometheus
        prometheus.slow = False


@contextmanager
def real(folder: Path, metrics: Callable[[], bytes]) -> Iterator[str]:
    """Run a real Prometheus that scrapes the result of `metrics` every second."""
    program = shutil.which("prometheus") or missing("prometheus (apt-get install prometheus)")

    async def scrape(_: Request) -> Response:
        return Response(metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    with serving_app(Starlette(routes=[Route("/metrics", scrape)])) as port:
        config = folder / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            f"scrape_configs: [{{job_name: inference, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]\n"
        )
        address = f"127.0.0.1:{free_port()}"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [str(program), f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address={address}"], stdout=log, stderr=log,
            )  # fmt: skip
        try:
            wait_until(lambda: _ready(f"http://{address}/-/ready"), message=(folder / "log").read_text)
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(20)


def _ready(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=5).status_code == 200
    except httpx2.TransportError:
        return False
