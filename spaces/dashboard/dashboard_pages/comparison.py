"""The comparison page: a run of the comparator with verdict, metrics, cost, charts and downloads."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from backends import SpaceportError
from compare import run_file
from compare.analyse.definitions import TITLES
from compare.analyse.objectives import OBJECTIVES
from compare.measure.workload import MAX_FILE_BYTES
from compare.report import charts, render
from compare.report.export import report_markdown
from compare.report.html_report import html
from compare.report.report import Report, ReportOptions
from compare.report.tables import requests_csv
from dashboard_pages import layout, resources, strings

ALTERNATIVES = ["openai/gpt-4o-mini", "openai/gpt-4o", "anthropic/claude-sonnet-4-5", "google/gemini-2.5-flash"]


def page() -> None:
    """Draw the page for the selected run."""
    layout.header(strings.COMPARISON, strings.COMPARISON_SUBTITLE)
    try:
        service, visitor = resources.comparison_service(), resources.visitor()
        name, baseline = _select_runs(service.run_names(visitor))
        if name is None:
            st.info(strings.NO_RUNS)
            return
        # The results are above the options that they depend on.
        verdict, metrics, definitions, cost, prices = (st.container() for _ in range(5))
        options = ReportOptions(**_select_definitions(definitions), **_select_prices(prices))
        report = service.report(visitor, name, baseline, options)
        with verdict, st.spinner(strings.COMPUTING_VERDICT):
            verdict_html = render.verdict_html(report)
        _draw_section(verdict, strings.VERDICT, verdict_html)
        _draw_section(metrics, strings.METRICS, render.metrics_html(report))
        _draw_section(cost, strings.COST, render.cost_html(report))
        layout.show_charts(charts.draw_charts(report), key="chart")
        with st.expander(strings.REPRODUCE):
            st.html(render.reproduce_html(report))
        _draw_downloads(report)
    except SpaceportError as error:
        layout.show_error(error)


def _select_runs(names: list[str]) -> tuple[str | None, str | None]:
    """Return the selected run and its baseline, out of the recorded runs and the visitor's own."""
    left, right = st.columns(2)
    name = left.selectbox(strings.RUN, names, key="run")
    baselines = [None, *(other for other in names if other != name)]
    baseline = right.selectbox(
        strings.BASELINE, baselines, format_func=lambda other: other or strings.NO_BASELINE, key="against",
        disabled=len(baselines) == 1,
    )  # fmt: skip
    with st.expander(strings.OPEN_RUN):
        st.file_uploader(
            strings.OPEN_RUN_HELP, type=["jsonl"], key="upload", on_change=_open_upload,
            max_upload_size=MAX_FILE_BYTES // 1_000_000,
        )  # fmt: skip
    if error := st.session_state.get("upload_error"):
        layout.show_error(error)
    return name, baseline


def _open_upload() -> None:
    """Add the uploaded run to the list and select it, or store the error for the next draw."""
    upload = st.session_state.upload
    st.session_state.upload_error = None
    if upload is None:
        return
    folder = resources.visitor().folder / "uploads"
    folder.mkdir(exist_ok=True)
    path = folder / (re.sub(r"[^\w ,.-]+", "_", upload.name)[-100:].lstrip(".") or "run.jsonl")
    path.write_bytes(upload.getvalue())
    try:
        st.session_state.run = resources.comparison_service().open_run(resources.visitor(), path)
    except SpaceportError as error:
        st.session_state.upload_error = error
    finally:
        path.unlink()


def _select_definitions(container: Any) -> dict[str, Any]:
    with container.expander(strings.DEFINITIONS):
        definition = st.selectbox(
            strings.METRIC_DEFINITIONS, list(TITLES), format_func=lambda key: TITLES[key], key="definition"
        )
        objective = st.selectbox(strings.GOODPUT_TARGETS, list(OBJECTIVES), key="objective")
    return {"definition": definition, "objective": objective}


def _select_prices(container: Any) -> dict[str, Any]:
    with container.expander(strings.PRICES):
        prices = st.text_area(
            strings.PRICE_LINES, key="prices", max_chars=2000, placeholder=strings.PRICE_LINES_PLACEHOLDER
        )
        alternatives = st.multiselect(strings.BREAK_EVEN, ALTERNATIVES, key="alternatives", accept_new_options=True)
        percent = st.slider(strings.UTILISATION, 1, 100, 100, key="utilisation")
        spot = st.checkbox(strings.SPOT, key="spot")
    return {
        "prices": prices.splitlines(),
        "utilisation": percent / 100,
        "spot": spot,
        "alternatives": alternatives,
    }


def _draw_section(container: Any, title: str, body: str) -> None:
    container.subheader(title, anchor=False)
    container.html(body)


def _draw_downloads(report: Report) -> None:
    """Draw the download buttons; each file is created when its button is pressed."""
    stem = re.sub(r"[^\w-]+", "_", f"{'-'.join(report.run.targets)}-{report.run.header['id']}")[:80]
    files = {
        strings.REPORT_HTML: (".html", "text/html", lambda: html(report)),
        strings.RAW_JSONL: (".jsonl", "application/jsonl", lambda: "\n".join([*run_file.lines(report.run), ""])),
        strings.REQUESTS_CSV: (".csv", "text/csv", lambda: requests_csv(report.run)),
        strings.TABLE_MARKDOWN: (".md", "text/markdown", lambda: report_markdown(report)),
    }
    with st.container(horizontal=True):
        for label, (suffix, mime, create) in files.items():
            st.download_button(label, create, stem + suffix, mime, key=f"download{suffix}", on_click="ignore")
