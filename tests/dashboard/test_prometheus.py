"""Reading a Prometheus: a real one with the inference server's metrics, and servers that are wrong, slow or down."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from backends import Arrival, Rejected, SpaceportError, Stopwatch, Unreachable, Usage
from backends.http.connections import close_connections
from inference.metrics import Metrics
from live_metrics.charts import draw_panel, format_current
from live_metrics.errors import MetricsError, NoMetrics, NotPrometheus, TooSlow
from live_metrics.metric_values import TIME_SPANS, PanelReading, Reading
from live_metrics.prometheus import Prometheus
from live_metrics.queries import GPU, SERVERS, SPACEPORT
from tests.dashboard import prometheus_server
from tests.dashboard.prometheus_server import Prometheus as Scripted
from tests.helpers.servers import free_port

SPAN = TIME_SPANS["15 min"]


@pytest.fixture
def server() -> Iterator[Scripted]:
    with prometheus_server.scripted() as server:
        yield server


async def read(url: str, token: str | None = None, **options: Any) -> Reading:
    try:
        return await Prometheus(url, token, **options).read(SPAN)
    finally:
        await close_connections()


def panel(reading: Reading, title: str) -> PanelReading:
    return next(each for each in reading.panels if each.panel.title == title)


async def wait_for_panel(url: str, title: str) -> Reading:
    """Read until Prometheus has scraped enough for the number of a panel."""
    for _ in range(600):
        with suppress(NoMetrics):  # it hasn't scraped yet
            reading = await read(url, seconds=20)
            if panel(reading, title).current is not None:
                return reading
        await asyncio.sleep(0.1)
    pytest.fail(f"{title} has no number")


def record_requests(metrics: Metrics) -> None:
    """Record an answer with its first text after 200 ms and nine more at 15 ms, and a failed request."""
    arrivals = [Arrival(0.2 + 0.015 * place, "answer", 4) for place in range(10)]
    metrics.observe(Stopwatch(arrivals, 0.0, 0.4, Usage(30, 10)), 0.05)
    metrics.requests.labels("openai", "200").inc()
    metrics.requests.labels("openai", "500").inc()
    metrics.errors.labels("Interrupted").inc()


async def test_a_real_prometheus_with_the_inference_servers_metrics(tmp_path: Path) -> None:
    metrics = Metrics()
    metrics.track_load(slots=4, in_flight=lambda: 2, queue_length=lambda: 1)
    metrics.ready.set(1)

    def scrape() -> bytes:
        record_requests(metrics)
        return metrics.render()

    with prometheus_server.real(tmp_path, scrape) as url:
        reading = await wait_for_panel(url, "First token")
        for promql in (query.promql for source in (*SERVERS, GPU) for each in source.panels for query in each.lines):
            expression = promql.replace("$window", "120s")
            response = httpx2.get(f"{url}/api/v1/query", params={"query": expression})
            assert response.status_code == 200, (expression, response.text)
    assert reading.source == SPACEPORT.name
    assert not reading.gpu
    assert 100 < (panel(reading, "First token").current or 0) <= 250
    assert 10 < (panel(reading, "Inter-token latency").current or 0) <= 20
    assert panel(reading, "Queue").current == 1
    assert panel(reading, "Errors").current == pytest.approx(50)
    assert (panel(reading, "Throughput").current or 0) > 0
    assert {line.label for line in panel(reading, "Queue").lines} == {"waiting", "in flight", "slots"}
    assert {line.label for line in panel(reading, "Errors by kind").lines} == {"Interrupted"}


async def test_the_requests_match_the_time_span(server: Scripted) -> None:
    reading = await Prometheus(server.url).read(TIME_SPANS["24 h"])
    await close_connections()
    routes = [route for route, _ in server.requests]
    assert routes[0] == "series"
    ranges = [query for route, query in server.requests if route == "query_range"]
    assert {query["step"] for query in ranges} == {"1440"}
    assert all("[1470s]" in query["query"] or "[" not in query["query"] for query in ranges)
    assert {float(query["end"]) - float(query["start"]) for query in ranges} == {86_400}
    assert reading.gpu
    assert panel(reading, "First token").current == 250
    assert panel(reading, "GPU").lines[0].label == "node GPU 0"
    assert panel(reading, "First token").lines[0].values == (None, 250)


VLLM_METRICS = """
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{{engine="0",model_name="m"}} 3
# TYPE vllm:kv_cache_usage_perc gauge
vllm:kv_cache_usage_perc{{engine="0",model_name="m"}} 0.42
vllm:kv_cache_usage_perc{{engine="1",model_name="m"}} 0.97
# TYPE vllm:prefix_cache_queries_total counter
vllm:prefix_cache_queries_total{{engine="0",model_name="m"}} {queries}
# TYPE vllm:prefix_cache_hits_total counter
vllm:prefix_cache_hits_total{{engine="0",model_name="m"}} {hits}
# TYPE vllm:num_preemptions_total counter
vllm:num_preemptions_total{{engine="0",model_name="m"}} {scrapes}
"""


async def test_vllms_kv_cache_and_prefix_cache(tmp_path: Path) -> None:
    """The metrics are as vLLM 0.11 exposes them (vllm/v1/metrics/loggers.py); a real Prometheus reads them."""
    scrapes = 0

    def scrape() -> bytes:
        nonlocal scrapes
        scrapes += 1
        return VLLM_METRICS.format(queries=400 * scrapes, hits=300 * scrapes, scrapes=scrapes).encode()

    with prometheus_server.real(tmp_path, scrape) as url:
        reading = await wait_for_panel(url, "Prefix cache")
    assert reading.source == "vLLM"
    assert panel(reading, "KV cache").current == pytest.approx(97)
    assert {line.label for line in panel(reading, "KV cache").lines} == {"m 0", "m 1"}
    assert panel(reading, "Prefix cache").current == pytest.approx(75)
    assert (panel(reading, "Preemptions").current or 0) > 0


async def test_vllm_is_read_if_there_is_no_spaceport_server(server: Scripted) -> None:
    server.series = [{"__name__": "vllm:num_requests_running", "model_name": "x"}]
    reading = await read(server.url)
    assert reading.source == "vLLM"
    assert any("vllm:time_to_first_token_seconds_bucket" in query.get("query", "") for _, query in server.requests)
    assert not any("spaceport_time" in query.get("query", "") for _, query in server.requests)


async def test_metrics_of_other_programs(server: Scripted) -> None:
    server.series = []
    with pytest.raises(NoMetrics) as caught:
        await read(server.url)
    assert "no metrics of Spaceport" in caught.value.message
    assert "scrape" in caught.value.remedy


async def test_a_server_that_is_down() -> None:
    with pytest.raises(Unreachable) as caught:
        await read(f"http://127.0.0.1:{free_port()}")
    assert "SPACEPORT_PROMETHEUS_URL" in caught.value.remedy


async def test_a_slow_server(server: Scripted) -> None:
    server.slow = True
    with pytest.raises(TooSlow) as caught:
        await read(server.url, seconds=0.2)
    assert "within 0.2 s" in caught.value.message


@pytest.mark.parametrize(
    "body",
    ["<html><title>Grafana</title></html>", [], {"status": "success"}, {"status": "success", "data": {"x": 1}}, "null"],
)
async def test_a_server_that_is_not_prometheus(server: Scripted, body: Any) -> None:
    server.answers["series"] = 200, body
    with pytest.raises(NotPrometheus) as caught:
        await read(server.url)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "result",
    [None, [{}], [{"metric": {}, "value": 3}], [{"metric": {}, "value": ["x", "y"]}], [{"value": [1, None]}], ["x"]],
)
async def test_metrics_in_another_format(server: Scripted, result: Any) -> None:
    server.answers["query"] = 200, {"status": "success", "data": {"result": result}}
    with pytest.raises(NotPrometheus):
        await read(server.url)


@pytest.mark.parametrize(
    ("status", "remedy"), [(401, "SPACEPORT_PROMETHEUS_TOKEN"), (422, "URL"), (503, "URL"), (302, "URL")]
)
async def test_a_refused_request(server: Scripted, status: int, remedy: str) -> None:
    server.answers["series"] = status, {"status": "error", "errorType": "x", "error": "too many samples"}
    with pytest.raises(Rejected) as caught:
        await read(server.url)
    assert f"({status}): “too many samples”" in caught.value.message
    assert remedy in caught.value.remedy


async def test_secrets_are_sent_and_not_in_errors(server: Scripted) -> None:
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
async def test_an_invalid_url(url: str) -> None:
    with pytest.raises(SpaceportError) as caught:
        await read(url)
    assert caught.value.remedy
    assert not isinstance(caught.value, MetricsError)


async def test_a_missing_value_is_a_dash(server: Scripted) -> None:
    server.value = "NaN"
    reading = panel(await read(server.url), "First token")
    assert reading.current is None
    assert format_current(reading) == "–"
    assert draw_panel(reading, 0, 900).data[0].y == (None, None)
