"""The page of figures: live where there is a Prometheus, recorded and labelled so where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from tests.dashboard import prometheus_server
from tests.dashboard.conftest import Page, texts
from tests.dashboard.prometheus_server import Prometheus
from tests.helpers.servers import free_port


@pytest.fixture
def server() -> Iterator[Prometheus]:
    with prometheus_server.scripted() as running:
        yield running


@pytest.fixture
def live(server: Prometheus, fresh: None, monkeypatch: pytest.MonkeyPatch) -> Prometheus:
    monkeypatch.setenv("SPACEPORT_PROMETHEUS_URL", server.url)
    return server


def test_without_a_prometheus_a_recorded_run_is_shown_and_labelled(open_page: Page) -> None:
    page = open_page("performance")
    assert not page.exception
    assert "Recorded, not live" in page.info[0].value
    assert "2026-11-21 on Linux x86_64, 2 processors" in page.info[0].value
    assert "SPACEPORT_PROMETHEUS_URL" in page.info[0].value
    assert "TTFT p50" in texts(page)
    assert len(page.get("plotly_chart")) == 3
    assert not page.metric


def test_live_figures_with_their_age(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    assert not page.exception
    figures = {metric.label: metric.value for metric in page.metric}
    assert figures["First token, p95"] == "250 ms"
    assert figures["Queue, waiting"] == "0.250 requests"
    assert figures["GPU, all"] == "0.250 % busy"
    assert "read 0 s ago" in texts(page)
    assert "Recorded" not in texts(page)
    assert "No GPU figures" not in texts(page)
    assert len(page.get("plotly_chart")) == len(page.metric)


def test_no_gpu_is_said(live: Prometheus, open_page: Page) -> None:
    live.series = [{"__name__": "spaceport_ready"}]
    assert "No GPU figures here" in texts(open_page("performance"))


def test_another_time_is_asked_for(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    page.get_by_key("span").set_value("6 h").run()
    assert not page.exception
    assert any(asked.get("step") == "360" for _, asked in live.asked)


def test_many_visitors_ask_prometheus_once(live: Prometheus, open_page: Page) -> None:
    open_page("performance")
    asked = len(live.asked)
    open_page("performance")
    assert len(live.asked) == asked


def test_prometheus_away(open_page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACEPORT_PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    page = open_page("performance")
    assert not page.exception
    assert "is not answering" in page.error[0].value
    assert "SPACEPORT_PROMETHEUS_URL" in page.error[0].value
    assert not page.metric


def test_a_slow_prometheus_does_not_freeze_the_page(live: Prometheus, open_page: Page) -> None:
    live.slow = True
    page = open_page("performance")
    assert "did not answer within 3 s" in page.error[0].value


def test_figures_of_somebody_else(live: Prometheus, open_page: Page) -> None:
    live.series = []
    page = open_page("performance")
    assert "no figures of Spaceport" in page.error[0].value
    assert "scrape" in page.error[0].value


def test_when_prometheus_goes_away_the_last_figures_stay_with_their_age(live: Prometheus, open_page: Page) -> None:
    page = open_page("performance")
    live.answers["series"] = 503, {"error": "starting"}
    st.cache_resource.clear()
    page.run()
    assert "(503)" in page.error[0].value
    assert "These are the last figures that came" in texts(page)
    assert page.metric


def test_without_a_recorded_run_either(open_page: Page) -> None:
    import shared

    shared.studio().examples.clear()
    page = open_page("performance")
    assert not page.exception
    assert "no recorded run" in page.info[0].value


def test_a_recorded_run_that_is_broken(open_page: Page, tmp_path: Path) -> None:
    import shared

    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"type": "run", "version": 7}')
    shared.studio().examples.clear()
    shared.studio().examples["broken"] = broken
    page = open_page("performance")
    assert not page.exception
    assert "broken.jsonl is of version 7" in page.error[0].value
