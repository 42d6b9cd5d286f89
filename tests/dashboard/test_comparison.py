"""The comparison page: verdict, metrics and cost of a run, and uploads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from compare import run_file
from tests.compare.make_runs import simulate
from tests.conftest import ROOT
from tests.dashboard.conftest import session, texts

EXAMPLE = ROOT / "spaces" / "platform_compare" / "results" / "laptop-vs-torch-two-cores.jsonl"


@pytest.fixture(scope="module", autouse=True)
def cached() -> Iterator[None]:
    """Cache the recorded run once for all tests, as the app does for all visitors."""
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def page() -> AppTest:
    return session("comparison")


@pytest.fixture(scope="module")
def shared_page() -> AppTest:
    """One session for many uploads."""
    return session("comparison")


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    return page.file_uploader(key="upload").set_value((name, content, "application/jsonl")).run()


def stored_run(**header: object) -> bytes:
    run = simulate({"one": 1.0, "two": 2.0}, rounds=12, noise=0.01)
    run.header.update(header)
    return "".join(f"{line}\n" for line in run_file.lines(run)).encode()


def test_the_recorded_run_has_a_verdict_metrics_and_charts(page: AppTest) -> None:
    assert not page.exception
    assert page.selectbox(key="run").value == "Example: laptop vs torch two cores"
    assert "times faster to the first token" in texts(page)
    assert "TTFT p50" in texts(page)
    assert "No target has a price" in texts(page)
    assert len(page.get("plotly_chart")) >= 4
    assert [header.value for header in page.subheader] == ["Verdict", "Metrics", "Cost"]


def test_prices_give_costs(page: AppTest) -> None:
    page.text_area(key="prices").set_value("laptop = 0.05/h\ntorch = tokens:0.15/0.60").run()
    assert not page.exception
    assert "0.05 USD/h" in texts(page)
    assert "cheaper than 0.15/0.6 USD per million tokens" in texts(page)
    before = texts(page)
    page.slider(key="utilisation").set_value(50).run()
    assert "50% of the measured throughput" in texts(page)
    assert texts(page) != before


def test_an_invalid_price_has_a_remedy(page: AppTest) -> None:
    page.text_area(key="prices").set_value("laptop = cheap").run()
    assert not page.exception
    assert "There is no price" in page.error[0].value
    assert "1.25/h" in page.error[0].value


def test_an_uploaded_run(page: AppTest) -> None:
    upload(page, "run.jsonl", stored_run())
    assert not page.exception
    assert page.selectbox(key="run").value.startswith("one vs two")
    assert "one is 2.0 times faster" in texts(page)
    # Only this session has it.
    assert not any("one vs two" in name for name in session("comparison").selectbox(key="run").options)


def test_a_run_compared_with_an_earlier_one(page: AppTest) -> None:
    upload(page, "run.jsonl", stored_run())
    upload(page, "again.jsonl", stored_run())
    earlier = next(name for name in page.selectbox(key="against").options if name.startswith("one vs"))
    page.selectbox(key="against").set_value(earlier).run()
    assert not page.exception
    assert "Compared with the earlier run" in texts(page)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (stored_run(version=2), "has format version 2; this program reads version 1"),
        (b"", "isn't a stored run"),
        (b"\xff\xfe\x00", "isn't a stored run"),
        (b'{"type": "run"', "isn't a stored run"),
        (stored_run().replace(b'"phase":"measured"', b'"phase":3', 1), "is damaged"),
        (json.dumps({"type": "run", "version": 1}).encode(), "is damaged"),
    ],
)
def test_a_file_that_is_not_a_run(shared_page: AppTest, content: bytes, message: str) -> None:
    page = upload(shared_page, "upload.jsonl", content)
    assert not page.exception
    assert message in page.error[0].value
    assert "upload.jsonl" in page.error[0].value
    assert page.selectbox(key="run").value == "Example: laptop vs torch two cores"  # unchanged


def test_file_names_stay_in_the_upload_folder(page: AppTest) -> None:
    for name in ("../../out.jsonl", "..jsonl", "a/b.jsonl", "x" * 300 + ".jsonl", "<b>.jsonl"):
        upload(page, name, stored_run())
        assert not page.exception
        assert not page.error
    assert len([name for name in page.selectbox(key="run").options if name.startswith("one vs two")]) == 5


def test_names_in_a_run_are_escaped(page: AppTest) -> None:
    evil = "<img src=x onerror=alert(1)>"
    run = simulate({evil: 1.0, "two": 2.0}, rounds=4)
    upload(page, "run.jsonl", "".join(f"{line}\n" for line in run_file.lines(run)).encode())
    assert not page.exception
    assert evil not in "".join(part.body for part in page.html)


def test_the_data_of_a_session_is_deleted_with_it(page: AppTest) -> None:
    import gc

    upload(page, "run.jsonl", stored_run())
    session_visitor = page.session_state.session_visitor
    folder = session_visitor.visitor.folder
    assert list(folder.iterdir())
    del session_visitor, page.session_state.session_visitor
    gc.collect()
    assert not folder.exists()
