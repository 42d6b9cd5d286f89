"""Reading a Prometheus: the real one over the inference server's own figures, and those that are odd, slow or away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from metrics.charts import figure_of, picture
from metrics.errors import MetricsError, NoFigures, NotPrometheus, TooSlow
from metrics.prometheus import Prometheus
from metrics.queries import GPU, SERVERS, SPACEPORT
from metrics.readings import SPANS, Drawn, Reading

from backends import Arrival, Rejected, SpaceportError, Stopwatch, Unreachable, Usage
from backends.http.connections import close_connections
from inference.metrics import Metrics
from tests.dashboard import prometheus_server
from tests.dashboard.prometheus_server import Prometheus as Scripted
from tests.helpers.servers import free_port

SPAN = SPANS["15 min"]


@pytest.fixture
def server() -> Iterator[Scripted]:
    with prometheus_server.scripted() as running:
        yield running


async def read(url: str, token: str | None = None, **options: Any) -> Reading:
    try:
        return await Prometheus(url, token, **options).read(SPAN)
    finally:
        await close_connections()


def panel(reading: Reading, title: str) -> Drawn:
    return next(drawn for drawn in reading.panels if drawn.panel.title == title)


def answered(metrics: Metrics) -> None:
    """One answer: its first text after 200 ms, nine more each 15 ms, and a request that failed."""
    arrivals = [Arrival(0.2 + 0.015 * place, "answer", 4) for place in range(10)]
    metrics.count(Stopwatch(arrivals, 0.0, 0.4, Usage(30, 10)), 0.05)
    metrics.requests.labels("openai", "200").inc()
    metrics.requests.labels("openai", "500").inc()
    metrics.errors.labels("Interrupted").inc()


async def test_a_real_prometheus_over_the_inference_servers_own_figures(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.watch(slots=4, in_flight=lambda: 2, waiting=lambda: 1)
    metrics.ready.set(1)

    def scraped() -> bytes:
        answered(metrics)
        return metrics.render()

    with prometheus_server.real(tmp_path, scraped) as url:
        for _ in range(600):
            try:
                reading = await read(url, seconds=20)
                if panel(reading, "First token").now is not None:
                    break
            except NoFigures:  # it has not scraped yet
                pass
            await asyncio.sleep(0.1)
        for promql in (query.promql for source in (*SERVERS, GPU) for each in source.panels for query in each.lines):
            asked = promql.replace("$window", "120s")
            response = httpx2.get(f"{url}/api/v1/query", params={"query": asked})
            assert response.status_code == 200, (asked, response.text)
    assert reading.source == SPACEPORT.name
    assert not reading.gpu
    assert 100 < (panel(reading, "First token").now or 0) <= 250
    assert 10 < (panel(reading, "Inter-token latency").now or 0) <= 20
    assert panel(reading, "Queue").now == 1
    assert panel(reading, "Errors").now == pytest.approx(50)
    assert (panel(reading, "Throughput").now or 0) > 0
    assert {line.label for line in panel(reading, "Queue").lines} == {"waiting", "in flight", "slots"}
    assert {line.label for line in panel(reading, "Errors by kind").lines} == {"Interrupted"}


async def test_what_is_asked_fits_the_time(server: Scripted) -> None:
    reading = await Prometheus(server.url).read(SPANS["24 h"])
    await close_connections()
    routes = [route for route, _ in server.asked]
    assert routes[0] == "series"
    ranges = [asked for route, asked in server.asked if route == "query_range"]
    assert {asked["step"] for asked in ranges} == {"1440"}
    assert all("[1470s]" in asked["query"] or "[" not in asked["query"] for asked in ranges)
    assert {float(asked["end"]) - float(asked["start"]) for asked in ranges} == {86_400}
    assert reading.gpu
    assert panel(reading, "First token").now == 250
    assert panel(reading, "GPU").lines[0].label == "node GPU 0"
    assert panel(reading, "First token").lines[0].values == (None, 250)


async def test_vllm_is_shown_where_our_server_is_not(server: Scripted) -> None:
    server.series = [{"__name__": "vllm:num_requests_running", "model_name": "x"}]
    reading = await read(server.url)
    assert reading.source == "vLLM"
    assert any("vllm:time_to_first_token_seconds_bucket" in asked.get("query", "") for _, asked in server.asked)
    assert not any("spaceport_time" in asked.get("query", "") for _, asked in server.asked)


async def test_figures_of_somebody_else(server: Scripted) -> None:
    server.series = []
    with pytest.raises(NoFigures) as caught:
        await read(server.url)
    assert "no figures of Spaceport" in caught.value.message
    assert "scrape" in caught.value.remedy


async def test_away() -> None:
    with pytest.raises(Unreachable) as caught:
        await read(f"http://127.0.0.1:{free_port()}")
    assert "SPACEPORT_PROMETHEUS_URL" in caught.value.remedy


async def test_slow(server: Scripted) -> None:
    server.slow = True
    with pytest.raises(TooSlow) as caught:
        await read(server.url, seconds=0.2)
    assert "within 0.2 s" in caught.value.message


@pytest.mark.parametrize(
    "body",
    ["<html><title>Grafana</title></html>", [], {"status": "success"}, {"status": "success", "data": {"x": 1}}, "null"],
)
async def test_a_server_of_another_kind(server: Scripted, body: Any) -> None:
    server.answers["series"] = 200, body
    with pytest.raises(NotPrometheus) as caught:
        await read(server.url)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "result",
    [None, [{}], [{"metric": {}, "value": 3}], [{"metric": {}, "value": ["x", "y"]}], [{"value": [1, None]}], ["x"]],
)
async def test_figures_of_another_shape(server: Scripted, result: Any) -> None:
    server.answers["query"] = 200, {"status": "success", "data": {"result": result}}
    with pytest.raises(NotPrometheus):
        await read(server.url)


@pytest.mark.parametrize(
    ("status", "told"), [(401, "SPACEPORT_PROMETHEUS_TOKEN"), (422, "URL"), (503, "URL"), (302, "URL")]
)
async def test_a_refusal(server: Scripted, status: int, told: str) -> None:
    server.answers["series"] = status, {"status": "error", "errorType": "x", "error": "too many samples"}
    with pytest.raises(Rejected) as caught:
        await read(server.url)
    assert f"({status}): “too many samples”" in caught.value.message
    assert told in caught.value.remedy


async def test_secrets_are_sent_and_never_said(server: Scripted) -> None:
    await read(server.url, "a-secret-token")
    assert server.headers["authorization"] == "Bearer a-secret-token"
    with_password = server.url.replace("//", "//somebody:hunter22@")
    await read(with_password)
    assert server.headers["authorization"].startswith("Basic ")
    server.answers["series"] = 403, {"error": "hunter22 and a-secret-token are wrong"}
    for url, token in ((with_password, None), (server.url, "a-secret-token")):
        with pytest.raises(SpaceportError) as caught:
            await read(url, token)
        assert ("hunter22" if token is None else "a-secret-token") not in str(caught.value)


@pytest.mark.parametrize("url", ["not a url", "localhost:9090", "ftp://host"])
async def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(SpaceportError) as caught:
        await read(url)
    assert caught.value.remedy
    assert not isinstance(caught.value, MetricsError)


async def test_a_figure_that_cannot_be_told_is_a_dash(server: Scripted) -> None:
    server.value = "NaN"
    drawn = panel(await read(server.url), "First token")
    assert drawn.now is None
    assert figure_of(drawn) == "–"
    assert picture(drawn, 0, 900).data[0].y == (None, None)
