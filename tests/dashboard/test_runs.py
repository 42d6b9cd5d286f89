"""The runs page: the summary of a run, and uploads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from compare.interactive.visitors import IDLE_SECONDS, Visitors
from compare.runs import run_file
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
    return session("runs")


@pytest.fixture(scope="module")
def shared_page() -> AppTest:
    """One session for many uploads."""
    return session("runs")


def upload(page: AppTest, name: str, content: bytes) -> AppTest:
    return page.file_uploader(key="upload").set_value((name, content, "application/jsonl")).run()


def stored_run(**header: object) -> bytes:
    run = simulate({"one": 1.0, "two": 2.0}, rounds=12, noise=0.01)
    run.header.update(header)
    return run_file.text(run).encode()


def test_the_recorded_run_has_a_headline_and_cards_and_nothing_else_of_the_comparator(page: AppTest) -> None:
    assert not page.exception
    assert page.selectbox(key="run").value == "Example: laptop vs torch two cores"
    assert "laptop starts 1.3× later than torch but is 3.5× faster to the end" in texts(page)
    assert texts(page).count('class="sp-target"') == 2
    assert "python -m compare run" in texts(page)
    assert len(page.get("download_button")) == 4
    assert not page.get("plotly_chart")
    assert "<table" not in texts(page)


def test_an_uploaded_run(page: AppTest) -> None:
    upload(page, "run.jsonl", stored_run())
    assert not page.exception
    assert page.selectbox(key="run").value.startswith("one vs two")
    assert "one starts 2.0× sooner than two and is 2.0× faster to the end" in texts(page)
    # Only this session has it.
    assert not any("one vs two" in name for name in session("runs").selectbox(key="run").options)


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
    upload(page, "run.jsonl", run_file.text(run).encode())
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


def test_the_runs_of_an_open_tab_stay_however_long_it_is_idle() -> None:
    from dashboard_pages import resources

    visitors = resources.comparison_service().visitors
    visitor = visitors.get("tab")
    visitor.last_seen -= 10 * IDLE_SECONDS
    visitors.get("another tab")
    assert visitors.get("tab") is visitor


def test_the_runs_of_all_sessions_together_have_only_so_much_room() -> None:
    """A client can open any number of sessions; the runs of those seen longest ago make room."""
    from dashboard_pages import resources

    service = resources.comparison_service()
    service.visitors = Visitors(max_bytes=2 * len(stored_run()))
    pages = [upload(session("runs"), "run.jsonl", stored_run()) for _ in range(4)]
    own = [sum(name.startswith("one vs two") for name in page.run().selectbox(key="run").options) for page in pages]
    assert own == [0, 0, 1, 1]
    assert not any(page.exception for page in pages)
