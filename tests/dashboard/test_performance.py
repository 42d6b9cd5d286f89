"""The performance page: live metrics with a Prometheus, and how to get them without one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import streamlit as st

from tests.dashboard import prometheus_server
from tests.dashboard.conftest import Page, texts
from tests.dashboard.prometheus_server import Prometheus
from tests.helpers.servers import free_port


@pytest.fixture
def server() -> Iterator[Prometheus]:
    with prometheus_server.scripted() as server:
        yield server


@pytest.fixture
def live(server: Prometheus, fresh: None, monkeypatch: pytest.MonkeyPatch) -> Prometheus:
    monkeypatch.setenv("SPACEPORT_PROMETHEUS_URL", server.url)
    return server


def test_without_a_prometheus_the_page_says_how_to_connect_one_and_what_it_shows(open_page: Page) -> None:
    page = open_page("performance")
    assert not page.exception
    assert "SPACEPORT_PROMETHEUS_URL" in page.info[0].value
    assert "<dt>First token</dt>" in texts(page)
    assert "<dt>KV cache</dt>" in texts(page)
    assert not page.get("plotly_chart")
    assert not page.metric


def test_live_metrics_with_their_age(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    assert not page.exception
    values = {metric.label: metric.value for metric in page.metric}
    assert values["First token, p95"] == "250 ms"
    assert values["Queue, waiting"] == "0.250 requests"
    assert values["GPU, all"] == "0.250% busy"
    assert re.search(r"read (just now|\d s ago)", texts(page))
    assert page.metric[0].help.startswith("Time to first token: how long you wait")
    assert "No GPU metrics" not in texts(page)
    assert len(page.get("plotly_chart")) == len(page.metric)


def test_missing_gpu_metrics_are_mentioned(live: Prometheus, open_page: Page) -> None:
    live.series = [{"__name__": "spaceport_ready"}]
    assert "No GPU metrics" in texts(open_page("performance"))


def test_another_time_span_is_requested(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    page.get_by_key("span").set_value("6 h").run()
    assert not page.exception
    assert any(query.get("step") == "360" for _, query in live.requests)


def test_many_visitors_cause_one_request_to_prometheus(live: Prometheus, open_page: Page) -> None:
    open_page("performance")
    count = len(live.requests)
    open_page("performance")
    assert len(live.requests) == count


def test_prometheus_is_down(open_page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    page = open_page("performance")
    assert not page.exception
    assert "is not answering (connection refused)" in page.error[0].value
    assert "SPACEPORT_PROMETHEUS_URL" in page.error[0].value
    assert not page.metric


def test_a_slow_prometheus_does_not_freeze_the_page(live: Prometheus, open_page: Page) -> None:
    live.slow = True
    page = open_page("performance")
    assert "did not answer within 3 s" in page.error[0].value


def test_a_prometheus_without_known_metrics(live: Prometheus, open_page: Page) -> None:
    live.series = []
    page = open_page("performance")
    assert "no metrics of Spaceport" in page.error[0].value
    assert "scrape" in page.error[0].value


def test_the_last_reading_stays_when_prometheus_fails(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    live.answers["series"] = 503, {"error": "starting"}
    st.cache_resource.clear()
    page.run()
    assert "(503)" in page.error[0].value
    assert "These are the last numbers that Prometheus sent" in texts(page)
    assert page.metric
