"""The runs page: the summary of a run that the comparator measured, and its report to download."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from backends import SpaceportError
from compare.measure.workloads.workload import MAX_FILE_BYTES
from compare.report.files.export import report_markdown
from compare.report.files.html_report import html
from compare.report.files.requests_csv import requests_csv
from compare.report.options import ReportOptions
from compare.report.overview.cards import overview_html
from compare.report.report import Report
from compare.runs import run_file
from dashboard_pages import layout, resources, strings


def page() -> None:
    """Draw the summary of the selected run; the comparator's page and the report have the details."""
    layout.header(strings.RUNS, strings.RUNS_SUBTITLE)
    try:
        service, visitor = resources.comparison_service(), resources.visitor()
        name = _select_run(service.run_names(visitor))
        if name is None:
            st.info(strings.NO_RUNS)
            return
        report = service.report(visitor, name, None, ReportOptions())
        with st.spinner(strings.COMPUTING_SUMMARY):
            st.html(overview_html(report))
        _draw_downloads(report)
        st.caption(strings.RUNS_NOTE)
    except SpaceportError as error:
        layout.show_error(error)


def _select_run(names: list[str]) -> str | None:
    """Return the selected run, out of the recorded runs and the visitor's own."""
    name = st.selectbox(strings.RUN, names, key="run")
    with st.expander(strings.OPEN_RUN):
        st.file_uploader(
            strings.OPEN_RUN_HELP, type=["jsonl"], key="upload", on_change=_open_upload,
            max_upload_size=MAX_FILE_BYTES // 1_000_000,
        )  # fmt: skip
    if error := st.session_state.get("upload_error"):
        layout.show_error(error)
    return name


def _open_upload() -> None:
    """Add the uploaded run to the list and select it, or store the error for the next draw."""
    upload = st.session_state.upload
    st.session_state.upload_error = None
    if not isinstance(upload, UploadedFile):  # none, or one that isn't stored any more
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


def _draw_downloads(report: Report) -> None:
    """Draw the download buttons; each file is created when its button is pressed."""
    stem = re.sub(r"[^\w-]+", "_", f"{'-'.join(report.run.targets)}-{report.run.header['id']}")[:80]
    files = {
        strings.REPORT_HTML: (".html", "text/html", lambda: html(report)),
        strings.RAW_JSONL: (".jsonl", "application/jsonl", lambda: run_file.text(report.run)),
        strings.REQUESTS_CSV: (".csv", "text/csv", lambda: requests_csv(report.run)),
        strings.TABLE_MARKDOWN: (".md", "text/markdown", lambda: report_markdown(report)),
    }
    with st.container(horizontal=True):
        for label, (suffix, mime, create) in files.items():
            st.download_button(label, create, stem + suffix, mime, key=f"download{suffix}", on_click="ignore")
